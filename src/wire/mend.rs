//! Repairs packets that only lenient options accept, to the form of OSC 1.0: adds missing padding of strings
//! and blobs and missing commas of type tag strings, and removes zeros at the end.
//!
//! The result is validated like any other packet. Bytes that are not understood are left unchanged, so that the
//! validator refuses them.

use bytes::Bytes;

use super::layout::{BUNDLE_NAME, NUMERIC_ADDRESS};
use super::rewrite::{Rewrite, rewrite};
use super::scan::{padded, text_end};
use super::sizes::{arg_size, be_u32};
use super::{DecodeOptions, Repairs};
use crate::types::{TimeTag, TypeTag};

/// The packet as it was probably meant; `None` if there is nothing to repair, or no repair is known.
#[cold]
pub(crate) fn mend(frame: &[u8], options: &DecodeOptions) -> Option<(Bytes, Repairs)> {
    let mut repairs = Repairs::default();
    let mended = rewrite(frame, Mending { options, repairs: &mut repairs }).ok()?;
    (!repairs.is_none()).then_some((mended, repairs))
}

struct Mending<'a> {
    options: &'a DecodeOptions,
    repairs: &'a mut Repairs,
}

/// The packet cannot be repaired: the error of the validator is reported.
struct Senseless;

impl Rewrite for Mending<'_> {
    type Error = Senseless;

    fn message(&mut self, message: &[u8], _at: usize, out: &mut Vec<u8>) -> Result<(), Senseless> {
        // Padding must not turn a packet that is too short into a bundle.
        if message.starts_with(BUNDLE_NAME) {
            return Err(Senseless);
        }
        let mut mender = Mender { options: self.options, repairs: *self.repairs, out };
        mender.message(message).ok_or(Senseless)?;
        *self.repairs = mender.repairs;
        Ok(())
    }

    /// The validator has refused packets that nest too deeply.
    fn time_tag(&mut self, tag: TimeTag, depth: usize) -> Result<TimeTag, Senseless> {
        if depth > self.options.max_bundle_depth { Err(Senseless) } else { Ok(tag) }
    }

    fn rest(&mut self, rest: &[u8], out: &mut Vec<u8>) {
        if is_zero_tail(rest, self.options) {
            *self.repairs += Repairs { zero_tails: 1, ..Repairs::NONE };
        } else {
            out.extend_from_slice(rest);
        }
    }
}

fn is_zero_tail(rest: &[u8], options: &DecodeOptions) -> bool {
    options.accept_zero_tail && !rest.is_empty() && rest.iter().all(|&byte| byte == 0)
}

/// A message being copied.
struct Mender<'a> {
    options: &'a DecodeOptions,
    repairs: Repairs,
    out: &'a mut Vec<u8>,
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "sizes of fields of one frame, whose copy is at most twice as long, and counts of them"
)]
impl Mender<'_> {
    fn message(&mut self, frame: &[u8]) -> Option<()> {
        let mut rest = frame;
        if frame.first()? == &0 {
            self.take_field(&mut rest, NUMERIC_ADDRESS, NUMERIC_ADDRESS)?;
        } else {
            self.take_string(&mut rest)?;
        }
        if rest.first() == Some(&b',') {
            let tag_string = self.take_string(&mut rest)?;
            self.args(tag_string.get(1..)?, &mut rest)?;
            if is_zero_tail(rest, self.options) {
                self.repairs.zero_tails += 1;
            } else {
                self.out.extend_from_slice(rest);
            }
        } else if self.without_comma(rest).is_none() {
            let tail = rest.len();
            self.take_field(&mut rest, tail, tail.next_multiple_of(4))?;
        }
        Some(())
    }

    /// Type tags that lack their comma, and arguments that take exactly the bytes after them.
    fn without_comma(&mut self, bytes: &[u8]) -> Option<()> {
        let tags = bytes.get(..text_end(bytes))?;
        let known = tags.iter().all(|&tag| TypeTag::from_byte(tag).is_some());
        if !self.options.accept_missing_comma || tags.is_empty() || !known {
            return None;
        }
        let (len, repairs) = (self.out.len(), self.repairs);
        let mut rest = bytes;
        self.out.push(b',');
        let fits = self.take_string(&mut rest).is_some_and(|_| {
            self.out.truncate(len + 1 + tags.len());
            self.out.resize(len + padded(1 + tags.len()), 0);
            self.args(tags, &mut rest).is_some() && rest.is_empty()
        });
        if fits {
            self.repairs.missing_commas += 1;
            return Some(());
        }
        self.out.truncate(len);
        self.repairs = repairs;
        None
    }

    fn args(&mut self, tags: &[u8], rest: &mut &[u8]) -> Option<()> {
        for &tag in tags {
            match (tag, arg_size(tag, rest)) {
                (b's' | b'S', _) => self.take_string(rest)?,
                (b'b', _) => self.take_blob(rest)?,
                (_, Some(size)) => self.take_field(rest, size, size)?,
                (_, None) => {
                    self.out.extend_from_slice(std::mem::take(rest));
                    return Some(());
                }
            };
        }
        Some(())
    }

    fn take_string<'b>(&mut self, rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let len = text_end(rest);
        self.take_field(rest, len, padded(len))
    }

    fn take_blob<'b>(&mut self, rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let size = self.take_field(rest, 4, 4)?;
        let len = usize::try_from(be_u32(size, 0)).ok().filter(|&len| len <= rest.len())?;
        self.take_field(rest, len, len.next_multiple_of(4))
    }

    /// Copies a field with complete content. Padding cut by the end of the packet is added as zeros.
    fn take_field<'b>(&mut self, rest: &mut &'b [u8], content: usize, field: usize) -> Option<&'b [u8]> {
        let (present, behind) = rest.split_at(field.min(rest.len()));
        let content = present.get(..content)?;
        if present.len() < field {
            if present.is_empty() || !self.options.accept_missing_padding {
                return None;
            }
            self.repairs.missing_padding += 1;
        }
        self.out.extend_from_slice(present);
        self.out.resize(self.out.len() + field - present.len(), 0);
        *rest = behind;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_for_a_bundle_is_not_padded_into_one() {
        let options = DecodeOptions::lenient();
        for len in 0..=7 {
            let frame = [&b"#bundle\0"[..], &[1; 7][..len]].concat();
            assert!(mend(&frame, &options).is_none(), "{len}");
            let size = u32::try_from(frame.len()).unwrap_or_default().to_be_bytes();
            let nested = [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &size, &frame].concat();
            assert!(mend(&nested, &options).is_none(), "{len}, in a bundle");
        }
    }

    #[test]
    fn an_element_whose_size_is_not_a_multiple_of_4_is_left_as_it_is() {
        let bundle = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x06/a\0,\0\0";
        assert!(mend(bundle, &DecodeOptions::lenient()).is_none());
    }
}
