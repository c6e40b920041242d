//! Conversion of Rust values to arguments.

use bytes::Bytes;

use super::tuples::for_each_tuple;
use super::{Array, Impulse, Nil, Rest, Symbol};
use crate::types::{Arg, ArgRef, Char, Color, Midi, Text, TextBuf, TimeTag};
use crate::wire::ArgsWriter;

/// A value or a list of values that can be the arguments of a message.
///
/// | Rust | OSC | Rust | OSC |
/// |------|-----|------|-----|
/// | `i32`, `i16`, `i8`, `u16`, `u8` | `i` | [`TimeTag`] | `t` |
/// | `i64`, `u32`, `usize` | `h` | `char`, [`Char`] | `c` |
/// | `f32` | `f` | [`Color`] | `r` |
/// | `f64` | `d` | [`Midi`] | `m` |
/// | `bool` | `T` or `F` | [`Nil`], `None` | `N` |
/// | `&str`, `String`, [`Text`], [`TextBuf`] | `s` | [`Impulse`] | `I` |
/// | [`Symbol`] | `S` | [`Array`] | `[ ]` |
/// | `&[u8]`, `[u8; N]`, `Vec<u8>`, [`Bytes`] | `b` | [`Arg`], [`ArgRef`] | its own |
///
/// `()`, tuples of up to 16 members, slices, arrays and vectors are lists; `Some(value)` is the value.
///
/// The type tag follows the type, not the value: the `u32` 7 is sent as `h`, which many receivers do not
/// accept. Write `7` or `7_i32` for `i`. A `usize` over `i64::MAX` cannot be encoded.
///
/// A plain `0.5` is an `f64` and is sent as `d`. Many receivers accept only `f`: write `0.5_f32`.
///
/// For your own types, write the fields one after the other:
///
/// ```
/// use tokio_osc::packet::{ArgsError, ArgsReader, ArgsWriter, OwnedArgs};
/// use tokio_osc::{FromArgs, IntoArgs, Message};
///
/// #[derive(Debug, PartialEq)]
/// struct Position { x: f32, y: f32 }
///
/// impl IntoArgs for Position {
///     fn write_args<W: ArgsWriter>(&self, out: &mut W) {
///         (self.x, self.y).write_args(out);
///     }
/// }
///
/// impl<'a> FromArgs<'a> for Position {
///     fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
///         Ok(Self { x: args.read()?, y: args.read()? })
///     }
/// }
///
/// impl OwnedArgs for Position {}      // it borrows nothing: handlers may ask for it
///
/// let message = Message::new("/ball", (7, Position { x: 0.5, y: 1.0 }))?;
/// assert_eq!(message.to_string(), "/ball ,iff 7 0.5 1");
/// assert_eq!(message.parse::<(i32, Position)>()?.1, Position { x: 0.5, y: 1.0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an OSC argument",
    note = "the types that can are listed at `IntoArgs`; integers are `i8` to `i64`, `u8` to `u32` and `usize`"
)]
pub trait IntoArgs {
    /// Writes the values, in order.
    ///
    /// Called twice for each message, to measure and to write. Both calls must write the same values,
    /// otherwise the message is refused as [`Unstable`](crate::packet::EncodeErrorKind::Unstable).
    fn write_args<W: ArgsWriter>(&self, out: &mut W);

    /// Writes a list of values. A list of bytes is a blob.
    #[doc(hidden)]
    #[inline]
    fn write_list<W: ArgsWriter>(list: &[Self], out: &mut W)
    where
        Self: Sized,
    {
        for value in list {
            value.write_args(out);
        }
    }
}

macro_rules! written {
    ($([$($generic:tt)*] $type:ty: |$value:ident, $out:ident| $write:expr;)*) => {$(
        impl<$($generic)*> IntoArgs for $type {
            #[inline]
            fn write_args<W: ArgsWriter>(&self, $out: &mut W) {
                let $value = self;
                $write;
            }
        }
    )*};
}

written! {
    [] i8: |value, out| out.int32((*value).into());
    [] i16: |value, out| out.int32((*value).into());
    [] u16: |value, out| out.int32((*value).into());
    [] u32: |value, out| out.int64((*value).into());
    [] usize: |value, out| match i64::try_from(*value) {
        Ok(value) => out.int64(value),
        Err(_) => out.refuse("an index over the largest int64"),
    };
    [] bool: |value, out| out.bool(*value);
    [] char: |value, out| out.char(*value);
    [] Char: |value, out| out.char(*value);
    [] TimeTag: |value, out| out.time_tag(*value);
    [] Color: |value, out| out.color(*value);
    [] Midi: |value, out| out.midi(*value);
    [] str: |text, out| out.string(text);
    [] String: |text, out| out.string(text);
    [] Text<'_>: |text, out| out.string(text.as_bytes());
    [] TextBuf: |text, out| out.string(text.as_bytes());
    [T: AsRef<[u8]>] Symbol<T>: |text, out| out.symbol(&text.0);
    [] Bytes: |bytes, out| out.blob(bytes);
    [] Nil: |_nil, out| out.nil();
    [] Impulse: |_impulse, out| out.impulse();
    [T: IntoArgs + ?Sized] &T: |value, out| (**value).write_args(out);
    [T: IntoArgs] Option<T>: |value, out| match value {
        Some(value) => value.write_args(out),
        None => out.nil(),
    };
    [T: IntoArgs] Array<T>: |array, out| out.array(|out| array.0.write_args(out));
    [T: IntoArgs] [T]: |values, out| T::write_list(values, out);
    [T: IntoArgs, const N: usize] [T; N]: |values, out| values.as_slice().write_args(out);
    [T: IntoArgs] Vec<T>: |values, out| values.as_slice().write_args(out);
    [] Rest: |rest, out| rest.0.write_args(out);
}

/// The number types of OSC, whose lists are written in one pass.
macro_rules! numbers {
    ($($type:ty: $tag:literal;)*) => {$(
        impl IntoArgs for $type {
            #[inline]
            fn write_args<W: ArgsWriter>(&self, out: &mut W) {
                out.put($tag, self.to_be_bytes());
            }

            #[inline]
            fn write_list<W: ArgsWriter>(list: &[Self], out: &mut W) {
                out.put_run($tag, list.iter().map(|value| value.to_be_bytes()));
            }
        }
    )*};
}

numbers! {
    i32: b'i';
    i64: b'h';
    f32: b'f';
    f64: b'd';
}

impl IntoArgs for u8 {
    #[inline]
    fn write_args<W: ArgsWriter>(&self, out: &mut W) {
        out.int32((*self).into());
    }

    #[inline]
    fn write_list<W: ArgsWriter>(list: &[Self], out: &mut W) {
        out.blob(list);
    }
}

/// The four required types are inlined, the others need a call.
impl IntoArgs for Arg {
    #[inline]
    fn write_args<W: ArgsWriter>(&self, out: &mut W) {
        match self {
            Self::Float32(value) => out.float32(*value),
            Self::Int32(value) => out.int32(*value),
            Self::String(text) => out.string(text.as_bytes()),
            Self::Blob(bytes) => out.blob(bytes),
            _ => *out = rarer(self, out.take()),
        }
    }
}

#[inline(never)]
fn rarer<W: ArgsWriter>(arg: &Arg, mut out: W) -> W {
    match (arg, arg.as_scalar()) {
        (Arg::Array(elements), _) => return array(elements, out),
        (_, Some(scalar)) => scalar.write_args(&mut out),
        (_, None) => {}
    }
    out
}

fn array<W: ArgsWriter>(elements: &[Arg], mut out: W) -> W {
    out.begin_array();
    for element in elements {
        match element {
            Arg::Array(inner) => out = array(inner, out),
            scalar => scalar.write_args(&mut out),
        }
    }
    out.end_array();
    out
}

impl IntoArgs for ArgRef<'_> {
    fn write_args<W: ArgsWriter>(&self, out: &mut W) {
        match self {
            Self::Int32(value) => out.int32(*value),
            Self::Float32(value) => out.float32(*value),
            Self::String(text) => out.string(text.as_bytes()),
            Self::Blob(bytes) => out.blob(bytes),
            Self::Int64(value) => out.int64(*value),
            Self::TimeTag(tag) => out.time_tag(*tag),
            Self::Float64(value) => out.float64(*value),
            Self::Symbol(text) => out.symbol(text.as_bytes()),
            Self::Char(character) => out.char(*character),
            Self::Color(color) => out.color(*color),
            Self::Midi(midi) => out.midi(*midi),
            Self::Bool(value) => out.bool(*value),
            Self::Nil => out.nil(),
            Self::Impulse => out.impulse(),
            Self::Array(array) => out.array(|out| array.iter().for_each(|arg| arg.write_args(out))),
        }
    }
}

impl IntoArgs for () {
    fn write_args<W: ArgsWriter>(&self, _out: &mut W) {}
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: IntoArgs),*> IntoArgs for ($($name,)*) {
            #[inline]
            #[expect(non_snake_case, reason = "the type's name serves as the variable's")]
            fn write_args<W: ArgsWriter>(&self, out: &mut W) {
                let ($($name,)*) = self;
                $($name.write_args(out);)*
            }
        }
    };
}

for_each_tuple!(tuples);
