//! What a tolerant decode mended, by kind.

/// How often a decode accepted what the specification does not allow, by kind.
///
/// A packet that follows OSC 1.0 has none: `Repairs::default()`.
///
/// ```
/// use tokio_osc::{Bytes, DecodeOptions, Packet};
///
/// let (_, repairs) = Packet::decode_with(Bytes::from_static(b"/a\0\xff,\0\0\0"), &DecodeOptions::default())?;
/// assert_eq!(repairs.nonzero_padding, 1);
/// assert!(!repairs.is_none());
/// # Ok::<(), tokio_osc::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repairs {
    /// Messages that end after their address.
    pub missing_type_tags: u32,
    /// Strings and blobs with a padding byte other than NUL.
    pub nonzero_padding: u32,
    /// Strings and addresses that are neither ASCII nor UTF-8.
    pub not_utf8: u32,
    /// Messages of a bundle that were passed over because of a type tag that OSC does not define.
    pub unknown_type_tags: u32,
}

impl Repairs {
    /// Whether nothing was mended.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Repairs {
    fn add_assign(&mut self, other: Self) {
        self.missing_type_tags += other.missing_type_tags;
        self.nonzero_padding += other.nonzero_padding;
        self.not_utf8 += other.not_utf8;
        self.unknown_type_tags += other.unknown_type_tags;
    }
}
