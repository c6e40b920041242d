//! How many bytes arguments take.

use super::scan::{padded, text_end};

/// The big-endian number at an offset; 0 past the end.
#[inline]
pub(crate) fn be_u32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |chunk| u32::from_be_bytes(*chunk))
}

/// The size of the blob that begins here, with its count and its padding. A count that fits no frame
/// gives a size that fits none: `usize` may have 32 bits.
pub(crate) fn blob_size(bytes: &[u8]) -> usize {
    const NO_FRAME: u32 = 1 << 31;
    (be_u32(bytes, 0).min(NO_FRAME) as usize).next_multiple_of(4).saturating_add(4)
}

/// The bytes that an argument takes at the beginning of `data`, padding included, or would take if
/// they were all there; none for a tag that OSC does not define.
#[inline]
pub(crate) fn arg_size(tag: u8, data: &[u8]) -> Option<usize> {
    match (tag, fixed_size(tag)) {
        (b's' | b'S', _) => Some(padded(text_end(data))),
        (b'b', _) => Some(blob_size(data)),
        (b'[' | b']', _) => Some(0),
        (_, LOOK) => None,
        (_, size) => Some(size.into()),
    }
}

/// The bytes of data that a type tag stands for; [`LOOK`] where that takes a look.
#[inline]
pub(super) fn fixed_size(tag: u8) -> u8 {
    SIZES.get(usize::from(tag)).copied().unwrap_or(LOOK)
}

/// The number of type tags that are compared at once.
pub(super) const RUN: usize = size_of::<u64>();

/// The bytes of data of [`RUN`] type tags, if they are equal and have a fixed size: a list of numbers takes one step
/// for eight of them.
#[inline]
pub(super) fn run_size(tags: &[u8]) -> Option<usize> {
    let tags: &[u8; RUN] = tags.try_into().ok()?;
    let [first, ..] = *tags;
    let size = fixed_size(first);
    let is_run = size != LOOK && *tags == [first; RUN];
    is_run.then(|| RUN.saturating_mul(size.into()))
}

#[expect(clippy::indexing_slicing, reason = "run by the compiler")]
const SIZES: [u8; 256] = {
    let mut sizes = [LOOK; 256];
    let fixed = [(b"ifcrm".as_slice(), 4), (b"htd", 8), (b"TFNI", 0)];
    let mut kind = 0;
    while kind < fixed.len() {
        let (tags, size) = fixed[kind];
        let mut index = 0;
        while index < tags.len() {
            sizes[tags[index] as usize] = size;
            index += 1;
        }
        kind += 1;
    }
    sizes
};
const LOOK: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_of_a_blob_overflows() {
        assert_eq!(blob_size(&[0, 0, 0, 0]), 4);
        assert_eq!(blob_size(&[0, 0, 0, 1]), 8);
        assert_eq!(blob_size(&[0, 0, 0, 4]), 8);
        for count in [[0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xfd], [0xff; 4]] {
            assert_eq!(blob_size(&count), 4 + (1 << 31), "{count:x?}");
        }
        assert_eq!(blob_size(&[0xff; 3]), 4, "there is no count");
    }
}
