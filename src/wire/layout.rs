//! The positions of the fields of messages and the elements of bundles.

use super::read::ArgCursor;
use super::scan::{padded, text_end};
use super::sizes::be_u32;
use crate::types::TimeTag;

/// The start of a bundle.
pub(crate) const BUNDLE_NAME: &[u8; 8] = b"#bundle\0";
/// The name and the time tag.
pub(crate) const BUNDLE_HEADER: usize = 16;
/// An address that is a number: 4 bytes, the first of them NUL, which no text begins with.
pub(crate) const NUMERIC_ADDRESS: usize = 4;

/// Where the fields of a message are, relative to its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes of the address, its NUL excluded. An address that is a number has none.
    address: u32,
    /// The position of the arguments: after the type tag string, or after the address if there is none.
    args: u32,
}

impl Layout {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "frames end at 2^31")]
    pub(crate) const fn new(address: usize, args: usize) -> Self {
        Self { address: address as u32, args: args as u32 }
    }
    /// Finds the layout of a message that was validated as a part of a bundle.
    #[inline]
    pub(crate) fn of_validated(frame: &[u8]) -> Self {
        let address = text_end(frame);
        let tags = padded(address);
        let args = match frame.get(tags..) {
            Some(tag_string @ [b',', ..]) => tags.saturating_add(padded(text_end(tag_string))),
            _ => tags,
        };
        Self::new(address, args)
    }

    /// The address; empty if a number replaces it.
    #[inline]
    pub(crate) fn address(self, frame: &[u8]) -> &[u8] {
        frame.get(..self.address as usize).unwrap_or_default()
    }

    /// The number instead of an address.
    pub(crate) fn number(self, frame: &[u8]) -> Option<u32> {
        (self.address == 0).then(|| be_u32(frame, 0))
    }

    /// The bytes of the address, or of the number instead of one.
    pub(crate) fn name(self, frame: &[u8]) -> &[u8] {
        let len = if self.address == 0 { NUMERIC_ADDRESS } else { self.address as usize };
        frame.get(..len).unwrap_or_default()
    }

    /// The type tag string with its comma; empty if there is none.
    pub(crate) fn type_tags(self, frame: &[u8]) -> &[u8] {
        let tag_string = frame.get(self.tags_at()..self.args as usize).unwrap_or_default();
        tag_string.get(..text_end(tag_string)).unwrap_or_default()
    }

    /// The bytes after the address of a message without type tags, if there are any.
    pub(crate) fn untyped(self, frame: &[u8]) -> Option<&[u8]> {
        let tail = frame.get(self.tags_at()..).filter(|tail| !tail.is_empty())?;
        (self.args as usize == self.tags_at()).then_some(tail)
    }

    /// The place of the first argument.
    #[inline]
    pub(crate) fn args(self, frame: &[u8]) -> ArgCursor<'_> {
        let args = self.args as usize;
        ArgCursor {
            tags: frame.get(self.tags_at().saturating_add(1)..args).unwrap_or_default(),
            data: frame.get(args..).unwrap_or_default(),
        }
    }

    /// The position of the type tag string, if there is one.
    #[inline]
    fn tags_at(self) -> usize {
        padded(self.address as usize)
    }
}

/// The name and the time tag of a bundle.
#[inline]
pub(crate) fn bundle_header(time_tag: TimeTag) -> [u8; BUNDLE_HEADER] {
    let mut header = [0; BUNDLE_HEADER];
    let (name, tag) = header.split_at_mut(BUNDLE_NAME.len());
    name.copy_from_slice(BUNDLE_NAME);
    tag.copy_from_slice(&time_tag.to_bits().to_be_bytes());
    header
}

/// The time tag of a bundle, and its elements, each behind its size.
#[inline]
pub(crate) fn split_bundle(frame: &[u8]) -> Option<(TimeTag, &[u8])> {
    let rest = frame.strip_prefix(BUNDLE_NAME)?;
    let (tag, elements) = rest.split_first_chunk()?;
    Some((TimeTag::from_bits(u64::from_be_bytes(*tag)), elements))
}

/// The first element, without its size, and the bytes behind it.
#[inline]
pub(crate) fn split_element(elements: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = elements.split_first_chunk()?;
    let size = usize::try_from(u32::from_be_bytes(*size)).ok().filter(|&size| size > 0)?;
    rest.split_at_checked(size)
}
