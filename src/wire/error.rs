//! Why bytes are no packet, and at which offset.

use std::fmt;

/// Why a packet was refused, and where: always the fault of its sender.
///
/// Small and `Copy`; it holds no text of the peer.
///
/// ```
/// use tokio_osc::{Bytes, DecodeErrorKind, Packet};
///
/// let error = Packet::decode(Bytes::from_static(b"/a\0\0,i\0\0\0\0")).unwrap_err();
/// assert_eq!(error.to_string(), "10 bytes are no multiple of 4, at byte 10");
///
/// let error = Packet::decode(Bytes::from_static(b"/a\0\0,i\0\0")).unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::Truncated, 8));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeError {
    kind: DecodeErrorKind,
    offset: u32,
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// What is wrong.
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// The byte of the packet at which it is wrong.
    pub const fn offset(&self) -> usize {
        self.offset as usize
    }
}

/// The ways in which bytes fail to be an OSC packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// There are no bytes.
    Empty,
    /// The length is no multiple of 4.
    Unaligned,
    /// The length is over 2<sup>31</sup> - 1 bytes.
    TooLarge,
    /// Neither a message (`/`) nor a bundle (`#bundle`) begins here.
    NotAPacket,
    /// A bundle where a message was asked for.
    NotAMessage,
    /// An OSC-string without a NUL.
    UnterminatedString,
    /// A padding byte that is not NUL (strict).
    NonzeroPadding,
    /// A byte that OSC 1.0 does not allow in text or in an address (strict).
    IllegalCharacter,
    /// The address is longer than [`max_address_len`](crate::DecodeOptions::max_address_len).
    AddressTooLong,
    /// The address has more parts than
    /// [`max_address_parts`](crate::DecodeOptions::max_address_parts).
    TooManyAddressParts,
    /// No type tag string follows the address.
    MissingTypeTags,
    /// A type tag that OSC does not define: the message cannot be read.
    UnknownTypeTag(u8),
    /// A `]` without `[` or the reverse.
    UnbalancedBrackets,
    /// Arrays nest deeper than [`max_array_depth`](crate::DecodeOptions::max_array_depth).
    ArraysTooDeep,
    /// More type tags than [`max_args`](crate::DecodeOptions::max_args).
    TooManyArgs,
    /// The bytes end before the argument, time tag or element that begins here.
    Truncated,
    /// A blob with a negative size.
    NegativeBlobSize,
    /// Bytes are left over after the last argument.
    TrailingBytes,
    /// An element size that is negative, zero or no multiple of 4.
    ElementSize,
    /// Bundles nest deeper than [`max_bundle_depth`](crate::DecodeOptions::max_bundle_depth).
    BundlesTooDeep,
    /// More elements in a bundle than [`max_elements`](crate::DecodeOptions::max_elements).
    TooManyElements,
    /// A SLIP frame with an ESC that escapes nothing.
    BadEscape,
    /// A frame longer than the limit of its framing.
    FrameTooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind as Kind;
        match self.kind {
            Kind::Empty => return f.write_str("an empty packet"),
            Kind::Unaligned => write!(f, "{} bytes are no multiple of 4", self.offset),
            Kind::TooLarge => f.write_str("a packet of more than 2^31 - 1 bytes"),
            Kind::NotAPacket => f.write_str("neither a message nor a bundle"),
            Kind::NotAMessage => f.write_str("a bundle, not a message"),
            Kind::UnterminatedString => f.write_str("a string without NUL"),
            Kind::NonzeroPadding => f.write_str("padding that is not NUL"),
            Kind::IllegalCharacter => f.write_str("an illegal character"),
            Kind::AddressTooLong => f.write_str("an address over the limit of bytes"),
            Kind::TooManyAddressParts => f.write_str("an address over the limit of parts"),
            Kind::MissingTypeTags => f.write_str("no type tag string"),
            Kind::UnknownTypeTag(tag) => write!(f, "unknown type tag '{}'", tag.escape_ascii()),
            Kind::UnbalancedBrackets => f.write_str("unbalanced brackets in the type tags"),
            Kind::ArraysTooDeep => f.write_str("arrays nested over the limit"),
            Kind::TooManyArgs => f.write_str("arguments over the limit"),
            Kind::Truncated => f.write_str("truncated"),
            Kind::NegativeBlobSize => f.write_str("a blob of negative size"),
            Kind::TrailingBytes => f.write_str("bytes left over after the arguments"),
            Kind::ElementSize => f.write_str("an element size that is negative, zero or no multiple of 4"),
            Kind::BundlesTooDeep => f.write_str("bundles nested over the limit"),
            Kind::TooManyElements => f.write_str("elements of a bundle over the limit"),
            Kind::BadEscape => f.write_str("a SLIP escape that escapes nothing"),
            Kind::FrameTooLong => f.write_str("a frame over the limit of bytes"),
        }?;
        write!(f, ", at byte {}", self.offset)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({:?} at {})", self.kind, self.offset)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    #[test]
    fn errors_are_small() {
        assert!(size_of::<super::DecodeError>() <= 8);
    }
}
