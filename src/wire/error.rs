//! The errors of decoding.

use std::fmt;

use crate::types::TypeTag;

/// The error of decoding a packet, with its offset. It is the fault of the sender.
///
/// It is small and `Copy`, and contains no text of the peer. [`AnnotatedDump`](crate::packet::AnnotatedDump)
/// shows the bytes around it.
///
/// The errors of osc4py3, and the corresponding errors here:
///
/// | osc4py3 | here |
/// |---------|------|
/// | `OSCInvalidDataError` (encoding) | [`EncodeError`](crate::packet::EncodeError) |
/// | `OSCInvalidRawError` (decoding) | [`DecodeError`], except the next two |
/// | `OSCUnknownTypetagError`, decoding | [`UnknownTypeTag`](DecodeErrorKind::UnknownTypeTag), [`TypeTagNotAllowed`](DecodeErrorKind::TypeTagNotAllowed) |
/// | `OSCUnknownTypetagError`, encoding | [`NotAccepted`](crate::packet::EncodeErrorKind::NotAccepted) by [`Packet::check`](crate::Packet::check); an unknown tag cannot be written |
/// | `OSCInvalidSignatureError` | [`Refused`](DecodeErrorKind::Refused), with [`EnvelopeFault::InvalidSignature`](crate::middleware::EnvelopeFault::InvalidSignature) |
/// | `OSCCorruptedRawError` | [`Refused`](DecodeErrorKind::Refused), with [`EnvelopeFault::Corrupted`](crate::middleware::EnvelopeFault::Corrupted) |
/// | `OSCInternalBugError` | none |
/// | errors of Python (`struct.error`, `IndexError`, `UnicodeError`, …) | a kind of this error; values of another type than requested are an [`ArgsError`](crate::packet::ArgsError) |
///
/// ```
/// use tokio_osc::packet::DecodeErrorKind;
/// use tokio_osc::{Bytes, Packet};
///
/// let error = Packet::decode(Bytes::from_static(b"/a\0\0,i\0\0\0\0")).unwrap_err();
/// assert_eq!(error.to_string(), "a length that is not a multiple of 4, at byte 10");
///
/// let error = Packet::decode(Bytes::from_static(b"/a\0\0,i\0\0")).unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::Truncated, 8));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeError {
    defect: Defect,
    /// The text of [`DecodeErrorKind::Refused`]. It is not stored in the kind, so that the error takes 24 bytes, and the
    /// result of a framing has the size of a frame.
    why: &'static str,
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        let (kind, why) = kind.split();
        Self { defect: Defect::new(kind, offset), why }
    }

    /// Creates an error for a packet that is refused for another reason than its format, in
    /// [`Middleware`](crate::middleware::Middleware) and framings. The text is the reason, in lower case and
    /// without a full stop. It is static, so that the error stays small and `Copy`. The offset is 0 unless it
    /// is set with [`at`](Self::at).
    ///
    /// ```
    /// use tokio_osc::packet::{DecodeError, DecodeErrorKind};
    ///
    /// let error = DecodeError::refused("the token is not ours").at(12);
    /// assert_eq!(error.kind(), DecodeErrorKind::Refused("the token is not ours"));
    /// assert_eq!(error.to_string(), "the token is not ours, at byte 12");
    /// ```
    #[cold]
    pub fn refused(why: &'static str) -> Self {
        Self::new(DecodeErrorKind::Refused(why), 0)
    }

    /// Sets the offset.
    #[must_use]
    pub fn at(self, offset: usize) -> Self {
        Self { defect: Defect::new(self.defect.kind, offset), ..self }
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> DecodeErrorKind {
        self.defect.kind.with_text(self.why)
    }

    /// Returns the offset in the packet.
    pub const fn offset(&self) -> usize {
        self.defect.offset as usize
    }
}

/// The kinds once for users and once without the text, so that the validator's errors stay in a register.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $(($value:ident: $type:ty))?,)*) => {
        /// The kinds of [`DecodeError`].
        ///
        /// ```
        /// use tokio_osc::packet::DecodeErrorKind;
        /// use tokio_osc::{Bytes, Packet};
        ///
        /// let error = Packet::decode(Bytes::from_static(b"ping")).unwrap_err();
        /// assert_eq!(error.kind(), DecodeErrorKind::NotAPacket);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DecodeErrorKind {
            $($(#[$doc])* $kind $(($type))?,)*
            /// The framing or the [`Middleware`](crate::middleware::Middleware) refused it, for this reason
            /// ([`DecodeError::refused`]).
            Refused(&'static str),
        }

        /// A kind without a text.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum DefectKind {
            $($kind $(($type))?,)*
            Refused,
        }

        impl DecodeErrorKind {
            const fn split(self) -> (DefectKind, &'static str) {
                match self {
                    $(Self::$kind $(($value))? => (DefectKind::$kind $(($value))?, ""),)*
                    Self::Refused(why) => (DefectKind::Refused, why),
                }
            }
        }

        impl DefectKind {
            const fn with_text(self, why: &'static str) -> DecodeErrorKind {
                match self {
                    $(Self::$kind $(($value))? => DecodeErrorKind::$kind $(($value))?,)*
                    Self::Refused => DecodeErrorKind::Refused(why),
                }
            }
        }
    };
}

kinds! {
    /// There are no bytes.
    Empty,
    /// The length is not a multiple of 4.
    Unaligned,
    /// The length is over 2<sup>31</sup> - 1 bytes.
    TooLarge,
    /// Neither a message (`/`) nor a bundle (`#bundle`) begins here.
    NotAPacket,
    /// A bundle, but a message was requested.
    NotAMessage,
    /// An OSC-string without a NUL.
    UnterminatedString,
    /// A padding byte that is not NUL (strict).
    NonzeroPadding,
    /// A byte that [`text_policy`](crate::packet::DecodeOptions::text_policy) or
    /// [`address_policy`](crate::packet::DecodeOptions::address_policy) does not allow.
    IllegalCharacter,
    /// The address is longer than [`max_address_len`](crate::packet::DecodeOptions::max_address_len).
    AddressTooLong,
    /// The address has more parts than
    /// [`max_address_parts`](crate::packet::DecodeOptions::max_address_parts).
    TooManyAddressParts,
    /// The address is not followed by a type tag string: there is none, it has no comma, or there are bytes of unknown
    /// types.
    MissingTypeTags,
    /// A type tag that OSC does not define, so that the message cannot be read.
    UnknownTypeTag(tag: u8),
    /// A type tag that [`allowed_type_tags`](crate::packet::DecodeOptions::allowed_type_tags) does not contain.
    TypeTagNotAllowed(tag: TypeTag),
    /// A `]` without `[`, or a `[` without `]`.
    UnbalancedBrackets,
    /// Arrays nest deeper than [`max_array_depth`](crate::packet::DecodeOptions::max_array_depth).
    ArraysTooDeep,
    /// More type tags than [`max_args`](crate::packet::DecodeOptions::max_args).
    TooManyArgs,
    /// The bytes end before the argument, time tag or element that begins here.
    Truncated,
    /// A blob with a negative size.
    NegativeBlobSize,
    /// Bytes are left over after the last argument.
    TrailingBytes,
    /// An element size that is negative, zero or not a multiple of 4.
    ElementSize,
    /// Bundles nest deeper than [`max_bundle_depth`](crate::packet::DecodeOptions::max_bundle_depth).
    BundlesTooDeep,
    /// More elements in a bundle than [`max_elements`](crate::packet::DecodeOptions::max_elements).
    TooManyElements,
    /// A frame over a limit of bytes.
    FrameTooLong,
}

/// The error of the validator. A [`DecodeError`], which may hold a text, would take three times the space, and owned
/// decoding a tenth more time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Defect {
    kind: DefectKind,
    offset: u32,
}

impl Defect {
    #[cold]
    pub(super) fn new(kind: DefectKind, offset: usize) -> Self {
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    pub(super) fn kind(self) -> DefectKind {
        self.kind
    }
}

impl From<Defect> for DecodeError {
    #[cold]
    fn from(defect: Defect) -> Self {
        Self { defect, why: "" }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownTypeTag(tag) => return write!(f, "unknown type tag '{}'", tag.escape_ascii()),
            Self::TypeTagNotAllowed(tag) => return write!(f, "type tag '{tag}' is not allowed"),
            Self::Empty => "an empty packet",
            Self::Unaligned => "a length that is not a multiple of 4",
            Self::TooLarge => "a packet of more than 2^31 - 1 bytes",
            Self::NotAPacket => "neither a message nor a bundle",
            Self::NotAMessage => "a bundle, not a message",
            Self::UnterminatedString => "a string without NUL",
            Self::NonzeroPadding => "padding that is not NUL",
            Self::IllegalCharacter => "an illegal character",
            Self::AddressTooLong => "an address over the limit of bytes",
            Self::TooManyAddressParts => "an address over the limit of parts",
            Self::MissingTypeTags => "no type tag string",
            Self::UnbalancedBrackets => "unbalanced brackets in the type tags",
            Self::ArraysTooDeep => "arrays nested over the limit",
            Self::TooManyArgs => "arguments over the limit",
            Self::Truncated => "truncated",
            Self::NegativeBlobSize => "a blob of negative size",
            Self::TrailingBytes => "bytes left over after the arguments",
            Self::ElementSize => "an element size that is negative, zero or no multiple of 4",
            Self::BundlesTooDeep => "bundles nested over the limit",
            Self::TooManyElements => "elements of a bundle over the limit",
            Self::FrameTooLong => "a frame over the limit of bytes",
            Self::Refused(why) => why,
        })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.offset()) {
            (DecodeErrorKind::Refused(why), 0) => f.write_str(why),
            (kind, offset) => write!(f, "{kind}, at byte {offset}"),
        }
    }
}

/// As `readable!`, with the kind as users see it.
impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let (kind, offset) = (self.kind(), self.offset());
        f.debug_struct("DecodeError").field("kind", &kind).field("offset", &offset).finish()
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    #[test]
    fn an_error_leaves_the_result_of_a_framing_as_small_as_a_frame() {
        assert_eq!(size_of::<super::DecodeError>(), 24);
        assert_eq!(size_of::<Result<bytes::Bytes, super::DecodeError>>(), size_of::<bytes::Bytes>());
    }
}
