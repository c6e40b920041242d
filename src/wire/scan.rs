//! The hot loop of the format: finds the end of an OSC string, eight bytes at a time.
//!
//! ```text
//! +---+---+---+---+---+---+---+---+
//! | d | a | t | a | 0 | 0 | 0 | 0 |   len 4, next 8
//! +---+---+---+---+---+---+---+---+
//! ```

/// The result of a scan of an OSC string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Bytes of text, before the first NUL.
    pub(crate) len: usize,
    /// Where the next field begins: `len` and its NUL, rounded up to a multiple of 4.
    pub(crate) next: usize,
    /// Whether all bytes of the text are ASCII.
    pub(crate) ascii: bool,
    /// Whether the bytes between the first NUL and `next` are NULs too.
    pub(crate) zero_padded: bool,
}

impl Scanned {
    /// The scanned bytes between the text and the next field.
    pub(crate) fn padding(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.len..self.next).unwrap_or_default()
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Scans the OSC-string at the beginning of `bytes`; `None` if it has no NUL or its padding is cut.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "`at` counts the bytes of a slice")]
pub(crate) fn scan(bytes: &[u8]) -> Option<Scanned> {
    let mut high = 0;
    let mut at = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let nul = nul_bits(word);
        if nul != 0 {
            return Some(finish(word, nul, at, high));
        }
        high |= word & HIGHS;
        at += 8;
        rest = after;
    }
    let word = u64::from(u32::from_le_bytes(*rest.first_chunk::<4>()?)) | 0x0101_0101 << 32;
    let nul = nul_bits(word);
    (nul != 0).then(|| finish(word, nul, at, high))
}

/// The length of the text at the beginning of bytes that were scanned before.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "`at` counts the bytes of a slice")]
pub(crate) fn text_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let nul = nul_bits(u64::from_le_bytes(*chunk));
        if nul != 0 {
            return at + (nul.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = after;
    }
    at + rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())
}

/// The size of `len` bytes of text with its NUL and its padding.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "the length of a slice is below 2^63, or 2^31")]
pub(crate) const fn padded(len: usize) -> usize {
    (len & !3) + 4
}

/// Appends an OSC-string: the text, its NUL and its padding.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    let end = out.len().saturating_add(padded(text.len()));
    out.extend_from_slice(text);
    out.resize(end, 0);
}

/// A high bit in the first zero byte of the word (bits above it may be set too).
#[inline]
const fn nul_bits(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "`nul` is not zero, and its lowest bit is the highest of a byte: 7, 15, … 63"
)]
fn finish(word: u64, nul: u64, at: usize, high: u64) -> Scanned {
    let text_bits = nul.trailing_zeros() - 7;
    let text = (1_u64 << text_bits) - 1;
    let field_bits = if text_bits < 32 { 32 } else { 64 };
    let field = u64::MAX >> (64 - field_bits);
    let len = at + (text_bits / 8) as usize;
    Scanned {
        len,
        next: padded(len),
        ascii: (high | word & text) & HIGHS == 0,
        zero_padded: word & field & !text == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn obvious(bytes: &[u8]) -> Option<Scanned> {
        let len = bytes.iter().position(|&byte| byte == 0)?;
        let next = (len / 4 + 1) * 4;
        let padding = bytes.get(len..next)?;
        let zero_padded = padding.iter().all(|&byte| byte == 0);
        Some(Scanned { len, next, ascii: bytes[..len].is_ascii(), zero_padded })
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious(
            mut bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(0x80), any::<u8>()], 0..40),
        ) {
            bytes.truncate(bytes.len() / 4 * 4);
            let scanned = scan(&bytes);
            prop_assert_eq!(scanned, obvious(&bytes));
            if let Some(scanned) = scanned {
                prop_assert_eq!(text_end(&bytes), scanned.len);
            }
        }
    }
}
