//! Arguments of messages, borrowed and owned.

use std::fmt;

use bytes::Bytes;

use super::{Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag, brief};

/// An argument borrowed from a message. Item of [`Message::args`](crate::Message::args).
///
/// Equality compares type and bits: a NaN equals the same NaN, `0.0` and `-0.0` differ, and so do an int32 and an
/// int64 of the same value.
///
/// ```
/// use tokio_osc::packet::ArgRef;
/// use tokio_osc::Message;
///
/// let message = Message::new("/play", (7, 0.5_f32, "loop", true))?;
/// let args: Vec<ArgRef<'_>> = message.args().collect();
/// assert!(matches!(args[..], [ArgRef::Int32(7), ArgRef::Float32(0.5), ArgRef::String(_), ArgRef::Bool(true)]));
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ArgRef<'a> {
    /// `i`
    Int32(i32),
    /// `f`
    Float32(f32),
    /// `s`
    String(Text<'a>),
    /// `b`
    Blob(&'a [u8]),
    /// `h`
    Int64(i64),
    /// `t`
    TimeTag(TimeTag),
    /// `d`
    Float64(f64),
    /// `S`
    Symbol(Text<'a>),
    /// `c`
    Char(Char),
    /// `r`
    Color(Color),
    /// `m`
    Midi(Midi),
    /// `T` and `F`
    Bool(bool),
    /// `N`
    Nil,
    /// `I`: impulse ("bang") of OSC 1.1, infinitum of OSC 1.0
    Impulse,
    /// `[` … `]`
    Array(ArrayRef<'a>),
}

impl ArgRef<'_> {
    /// Returns the (first) type tag of this argument on the wire.
    pub const fn type_tag(&self) -> TypeTag {
        match self {
            Self::Int32(_) => TypeTag::Int32,
            Self::Float32(_) => TypeTag::Float32,
            Self::String(_) => TypeTag::String,
            Self::Blob(_) => TypeTag::Blob,
            Self::Int64(_) => TypeTag::Int64,
            Self::TimeTag(_) => TypeTag::TimeTag,
            Self::Float64(_) => TypeTag::Float64,
            Self::Symbol(_) => TypeTag::Symbol,
            Self::Char(_) => TypeTag::Char,
            Self::Color(_) => TypeTag::Color,
            Self::Midi(_) => TypeTag::Midi,
            Self::Bool(true) => TypeTag::True,
            Self::Bool(false) => TypeTag::False,
            Self::Nil => TypeTag::Nil,
            Self::Impulse => TypeTag::Impulse,
            Self::Array(_) => TypeTag::ArrayBegin,
        }
    }
}

impl<'a> ArgRef<'a> {
    /// Converts to an owned value, with bytes made by `share`. Nil for an array.
    pub(crate) fn to_scalar(self, share: impl Fn(&'a [u8]) -> Bytes) -> Arg {
        match self {
            Self::Int32(value) => Arg::Int32(value),
            Self::Float32(value) => Arg::Float32(value),
            Self::String(text) => Arg::String(TextBuf::new(share(text.as_bytes()))),
            Self::Blob(bytes) => Arg::Blob(share(bytes)),
            Self::Int64(value) => Arg::Int64(value),
            Self::TimeTag(tag) => Arg::TimeTag(tag),
            Self::Float64(value) => Arg::Float64(value),
            Self::Symbol(text) => Arg::Symbol(TextBuf::new(share(text.as_bytes()))),
            Self::Char(character) => Arg::Char(character),
            Self::Color(color) => Arg::Color(color),
            Self::Midi(midi) => Arg::Midi(midi),
            Self::Bool(value) => Arg::Bool(value),
            Self::Nil | Self::Array(_) => Arg::Nil,
            Self::Impulse => Arg::Impulse,
        }
    }
}

/// Equal type and equal bits.
impl PartialEq for ArgRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int32(a), Self::Int32(b)) => a == b,
            (Self::Float32(a), Self::Float32(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) | (Self::Symbol(a), Self::Symbol(b)) => a == b,
            (Self::Blob(a), Self::Blob(b)) => a == b,
            (Self::Int64(a), Self::Int64(b)) => a == b,
            (Self::TimeTag(a), Self::TimeTag(b)) => a == b,
            (Self::Float64(a), Self::Float64(b)) => a.to_bits() == b.to_bits(),
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Color(a), Self::Color(b)) => a == b,
            (Self::Midi(a), Self::Midi(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Nil, Self::Nil) | (Self::Impulse, Self::Impulse) => true,
            (Self::Array(a), Self::Array(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for ArgRef<'_> {}

impl fmt::Debug for ArgRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int32(value) => write!(f, "Int32({value})"),
            Self::Float32(value) => write!(f, "Float32({value:?})"),
            Self::String(value) => write!(f, "String({value:?})"),
            Self::Blob(value) => write!(f, "Blob(b\"{}\")", value.escape_ascii()),
            Self::Int64(value) => write!(f, "Int64({value})"),
            Self::TimeTag(value) => write!(f, "{value:?}"),
            Self::Float64(value) => write!(f, "Float64({value:?})"),
            Self::Symbol(value) => write!(f, "Symbol({value:?})"),
            Self::Char(value) => write!(f, "{value:?}"),
            Self::Color(value) => write!(f, "{value:?}"),
            Self::Midi(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Nil => f.write_str("Nil"),
            Self::Impulse => f.write_str("Impulse"),
            Self::Array(value) => value.fmt(f),
        }
    }
}

/// Same as [`ArgRef`]; arrays as canonical text of at most 1,024 bytes.
impl fmt::Debug for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_scalar() {
            Some(scalar) => scalar.fmt(f),
            None => brief(f, "Array", self),
        }
    }
}

/// An array borrowed from a message. Read it with [`iter`](ArrayRef::iter).
///
/// ```
/// use tokio_osc::packet::{ArgRef, Array};
/// use tokio_osc::Message;
///
/// let message = Message::new("/chord", Array((60, "loud")))?;
/// let Some(ArgRef::Array(array)) = message.args().next() else { unreachable!() };
/// assert_eq!(array.iter().count(), 2);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ArrayRef<'a> {
    pub(crate) tags: &'a [u8],
    pub(crate) data: &'a [u8],
}

/// An owned argument, for lists whose types are known only at run time.
///
/// [`Message::args`](crate::Message::args) yields the borrowed form, [`ArgRef`]; a slice of this one is an
/// [argument list](crate::IntoArgs).
///
/// ```
/// use tokio_osc::{Arg, Message};
///
/// let list = vec![Arg::from(1), Arg::from("two"), Arg::Array(vec![Arg::Nil, Arg::from(3.0_f32)])];
/// let message = Message::new("/list", &list[..])?;
/// assert_eq!(message.type_tags(), ",is[Nf]");
/// assert_eq!(message.parse::<Vec<Arg>>()?, list);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub enum Arg {
    /// `i`
    Int32(i32),
    /// `f`
    Float32(f32),
    /// `s`
    String(TextBuf),
    /// `b`
    Blob(Bytes),
    /// `h`
    Int64(i64),
    /// `t`
    TimeTag(TimeTag),
    /// `d`
    Float64(f64),
    /// `S`
    Symbol(TextBuf),
    /// `c`
    Char(Char),
    /// `r`
    Color(Color),
    /// `m`
    Midi(Midi),
    /// `T` and `F`
    Bool(bool),
    /// `N`
    Nil,
    /// `I`: impulse ("bang") of OSC 1.1, infinitum of OSC 1.0
    Impulse,
    /// `[` … `]`
    Array(Vec<Arg>),
}

impl Arg {
    /// Borrows the argument. `None` for an array, which has a borrowed form only in a message.
    pub(crate) fn as_scalar(&self) -> Option<ArgRef<'_>> {
        Some(match self {
            Self::Int32(value) => ArgRef::Int32(*value),
            Self::Float32(value) => ArgRef::Float32(*value),
            Self::String(value) => ArgRef::String(value.as_text()),
            Self::Blob(value) => ArgRef::Blob(value),
            Self::Int64(value) => ArgRef::Int64(*value),
            Self::TimeTag(value) => ArgRef::TimeTag(*value),
            Self::Float64(value) => ArgRef::Float64(*value),
            Self::Symbol(value) => ArgRef::Symbol(value.as_text()),
            Self::Char(value) => ArgRef::Char(*value),
            Self::Color(value) => ArgRef::Color(*value),
            Self::Midi(value) => ArgRef::Midi(*value),
            Self::Bool(value) => ArgRef::Bool(*value),
            Self::Nil => ArgRef::Nil,
            Self::Impulse => ArgRef::Impulse,
            Self::Array(_) => return None,
        })
    }
}

macro_rules! from_values {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Arg {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from_values! {
    i32 => Int32, f32 => Float32, TextBuf => String, Bytes => Blob, i64 => Int64,
    TimeTag => TimeTag, f64 => Float64, Char => Char, char => Char, Color => Color, Midi => Midi,
    bool => Bool, Vec<Arg> => Array,
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::String(TextBuf::new(text))
    }
}

/// `None` is nil.
impl<T: Into<Self>> From<Option<T>> for Arg {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, Into::into)
    }
}
