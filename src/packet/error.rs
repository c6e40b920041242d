//! The errors of encoding, and of reading arguments.

use std::fmt;

use crate::types::TypeTag;
use crate::wire::{DecodeError, DecodeErrorKind};

/// The error of encoding a message or bundle. It is the fault of the caller, and is found before anything is
/// sent.
///
/// ```
/// use tokio_osc::packet::EncodeErrorKind;
/// use tokio_osc::Message;
///
/// let error = Message::new("/name", (1, "a\0b")).unwrap_err();
/// assert_eq!(error.kind(), EncodeErrorKind::NulInText);
/// assert_eq!(error.to_string(), "argument 1: text with a NUL in it");
/// assert!(Message::new("no-slash", ()).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodeError {
    kind: EncodeErrorKind,
    position: usize,
}

impl EncodeError {
    #[cold]
    pub(crate) fn new(kind: EncodeErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// Creates an error for a packet that is refused for another reason than its format, in your own
    /// [`Middleware`](crate::middleware::Middleware) or [`IntoPacket`](crate::packet::IntoPacket). The text
    /// is the reason, in lower case and without a full stop. The position is 0 unless it is set with
    /// [`at`](Self::at).
    ///
    /// ```
    /// use tokio_osc::packet::{EncodeError, EncodeErrorKind};
    ///
    /// let error = EncodeError::refused("a note is 0 to 127");
    /// assert_eq!(error.kind(), EncodeErrorKind::Refused("a note is 0 to 127"));
    /// assert_eq!(error.to_string(), "a note is 0 to 127");
    /// ```
    #[cold]
    pub fn refused(why: &'static str) -> Self {
        Self::new(EncodeErrorKind::Refused(why), 0)
    }

    /// Sets the position.
    #[must_use]
    pub fn at(self, position: usize) -> Self {
        Self::new(self.kind, position)
    }

    /// The error of bytes that the caller passed as a packet.
    pub(super) fn not_a_packet(error: DecodeError) -> Self {
        Self::new(EncodeErrorKind::NotAPacket(error.kind()), error.offset())
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> EncodeErrorKind {
        self.kind
    }

    /// Returns the position: a byte of an address or of an encoded packet, the index of an argument (brackets
    /// count), or the size of a value that is too large.
    pub const fn position(&self) -> usize {
        self.position
    }
}

/// The kinds of [`EncodeError`].
///
/// ```
/// use tokio_osc::packet::EncodeErrorKind;
/// use tokio_osc::Message;
///
/// assert_eq!(Message::new("no-slash", ()).unwrap_err().kind(), EncodeErrorKind::Address);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The address is not a valid OSC address pattern.
    Address,
    /// A text contains a NUL.
    NulInText,
    /// The message or bundle takes more than 2<sup>31</sup> - 1 bytes.
    TooLarge,
    /// Arrays nest deeper than 255.
    ArraysTooDeep,
    /// A type of the caller refused to be encoded, for this reason
    /// ([`ArgsWriter::refuse`](crate::packet::ArgsWriter::refuse)).
    ArgumentRefused(&'static str),
    /// The argument list wrote different values in the two calls of
    /// [`IntoArgs::write_args`](crate::IntoArgs::write_args).
    Unstable,
    /// Bytes that the caller passed as an encoded packet, or that the caller's
    /// [`IntoPacket`](crate::packet::IntoPacket) wrote, are not a valid packet.
    NotAPacket(DecodeErrorKind),
    /// The options of the check do not accept the packet.
    NotAccepted(DecodeErrorKind),
    /// The [`Middleware`](crate::middleware::Middleware) or a type of the caller refused it, for this reason
    /// ([`EncodeError::refused`]).
    Refused(&'static str),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.position;
        match self.kind {
            EncodeErrorKind::Address => {
                write!(f, "the address is not a valid OSC address pattern, at byte {at}")
            }
            EncodeErrorKind::NulInText => write!(f, "argument {at}: text with a NUL in it"),
            EncodeErrorKind::ArgumentRefused(why) => write!(f, "argument {at}: {why}"),
            EncodeErrorKind::TooLarge => {
                write!(f, "cannot encode {at} bytes as one packet (at most 2^31 - 1)")
            }
            EncodeErrorKind::ArraysTooDeep => f.write_str("arrays nest deeper than 255"),
            EncodeErrorKind::NotAPacket(kind) => write!(f, "not a valid packet: {kind}, at byte {at}"),
            EncodeErrorKind::NotAccepted(kind) => {
                write!(f, "not accepted: {kind}, at byte {at}")?;
                // A number with a point that says nothing else is an `f64`: the common mistake.
                if kind == DecodeErrorKind::TypeTagNotAllowed(TypeTag::Float64) {
                    f.write_str(": write `0.5_f32` for `f`, or use `AllowedTypeTags::converting()`")?;
                }
                Ok(())
            }
            EncodeErrorKind::Refused(why) if at == 0 => f.write_str(why),
            EncodeErrorKind::Refused(why) => write!(f, "{why}, at byte {at}"),
            EncodeErrorKind::Unstable => f.write_str(
                "the argument list wrote other values when it was asked again: `IntoArgs` must repeat itself",
            ),
        }
    }
}

readable! { struct EncodeError { kind, position } }

impl std::error::Error for EncodeError {}

/// The error of reading the arguments of a message.
///
/// ```
/// use tokio_osc::packet::ArgsErrorKind;
/// use tokio_osc::Message;
///
/// let message = Message::new("/synth/1/freq", (440.0_f32, "saw"))?;
/// let error = message.parse::<(f32, i32)>().unwrap_err();
/// assert_eq!(error.kind(), ArgsErrorKind::WrongType);
/// assert_eq!(error.to_string(), "argument 1: expected int32, found a string (s)");
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArgsError {
    kind: ArgsErrorKind,
    index: u32,
    expected: &'static str,
    found: Option<TypeTag>,
}

impl ArgsError {
    #[cold]
    pub(crate) fn new(kind: ArgsErrorKind, index: usize, expected: &'static str, found: u8) -> Self {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Self { kind, index, expected, found: TypeTag::from_byte(found) }
    }

    /// Creates an error for arguments that are refused for another reason than their types, in your own
    /// [`FromArgs`](crate::FromArgs). The text is the reason, in lower case and without a full stop. The
    /// index is 0 unless it is set with [`at`](Self::at), for example to
    /// [`ArgsReader::index`](crate::packet::ArgsReader::index).
    ///
    /// ```
    /// use tokio_osc::packet::{ArgsError, ArgsReader};
    /// use tokio_osc::{FromArgs, Message};
    ///
    /// struct Note(i32);
    ///
    /// impl<'a> FromArgs<'a> for Note {
    ///     fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
    ///         let index = args.index();
    ///         let note = args.read()?;
    ///         if (0..=127).contains(&note) {
    ///             return Ok(Self(note));
    ///         }
    ///         Err(ArgsError::refused("a note is 0 to 127").at(index))
    ///     }
    /// }
    ///
    /// let error = Message::new("/note", ("piano", 128))?.parse::<(&str, Note)>().map(drop).unwrap_err();
    /// assert_eq!(error.to_string(), "argument 1: a note is 0 to 127");
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    #[cold]
    pub fn refused(why: &'static str) -> Self {
        Self { kind: ArgsErrorKind::Refused, index: 0, expected: why, found: None }
    }

    /// Sets the index of the argument.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        Self { index: u32::try_from(index).unwrap_or(u32::MAX), ..self }
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> ArgsErrorKind {
        self.kind
    }

    /// Returns the index of the argument, from 0. An array is one argument.
    pub const fn index(&self) -> usize {
        self.index as usize
    }

    /// Returns the expected type, or the reason of [`ArgsError::refused`].
    pub const fn expected(&self) -> &'static str {
        self.expected
    }

    /// Returns the type tag found. `None` at the end of the arguments, and if it is irrelevant.
    pub const fn found(&self) -> Option<TypeTag> {
        self.found
    }
}

/// The kinds of [`ArgsError`].
///
/// ```
/// use tokio_osc::packet::ArgsErrorKind;
/// use tokio_osc::Message;
///
/// let message = Message::new("/level", 1.5_f32)?;
/// assert_eq!(message.parse::<i32>().unwrap_err().kind(), ArgsErrorKind::OutOfRange);
/// assert_eq!(message.parse::<(f32, f32)>().unwrap_err().kind(), ArgsErrorKind::Missing);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgsErrorKind {
    /// The argument has another type, without a conversion.
    WrongType,
    /// There are too few arguments.
    Missing,
    /// There are too many arguments.
    TooMany,
    /// The number does not fit the requested type without losing its meaning.
    OutOfRange,
    /// The text is not UTF-8.
    NotUtf8,
    /// A type of the caller refused it ([`ArgsError::refused`]).
    Refused,
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, index, expected, .. } = self;
        let found = FoundTag(self.found);
        match kind {
            ArgsErrorKind::WrongType | ArgsErrorKind::Missing => {
                write!(f, "argument {index}: expected {expected}, found {found}")
            }
            ArgsErrorKind::TooMany => {
                write!(f, "argument {index}: expected no more, found {found}: `Rest` takes surplus arguments")
            }
            ArgsErrorKind::OutOfRange => {
                write!(f, "argument {index}: the value of {found} does not fit {expected}")
            }
            ArgsErrorKind::NotUtf8 => write!(f, "argument {index}: {found} that is not UTF-8"),
            ArgsErrorKind::Refused => write!(f, "argument {index}: {expected}"),
        }
    }
}

struct FoundTag(Option<TypeTag>);

impl fmt::Display for FoundTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(tag) => write!(f, "{} ({tag})", tag.name()),
            None => f.write_str("the end"),
        }
    }
}

readable! { struct ArgsError { kind, index, expected, found } }

impl std::error::Error for ArgsError {}
