//! Rewriting what only lenient options accept into the form that OSC 1.0 gives it: strings and
//! blobs get their padding, type tag strings their comma, and zeros behind the end go.
//!
//! This decides nothing else: what comes out is validated like any other packet, and what is not
//! understood here is left for the validator to refuse.

use super::scan::{padded, text_end};
use super::validate::{BUNDLE_HEADER, BUNDLE_NAME, NUMERIC_ADDRESS};
use super::{DecodeOptions, Repairs, be_u32};
use crate::types::TypeTag;

/// The packet as it was probably meant; `None` if there is nothing to mend, or no sense in it.
#[cold]
pub(crate) fn mend(frame: &[u8], options: &DecodeOptions) -> Option<(Vec<u8>, Repairs)> {
    let mut mender =
        Mender { options, repairs: Repairs::default(), out: Vec::with_capacity(frame.len() + 4) };
    if frame.starts_with(BUNDLE_NAME) {
        mender.bundle(frame)?;
    } else {
        mender.message(frame)?;
    }
    (!mender.repairs.is_none()).then_some((mender.out, mender.repairs))
}

struct Mender<'a> {
    options: &'a DecodeOptions,
    repairs: Repairs,
    out: Vec<u8>,
}

/// A bundle whose elements are being copied.
struct Level {
    /// Where it ends in the original.
    end: usize,
    /// Where it begins in the copy; its size stands before that, unless it is the packet.
    start: usize,
}

impl Mender<'_> {
    fn bundle(&mut self, frame: &[u8]) -> Option<()> {
        self.out.extend_from_slice(frame.get(..BUNDLE_HEADER)?);
        let mut open = vec![Level { end: frame.len(), start: 0 }];
        let mut at = BUNDLE_HEADER;
        while let Some(level) = open.last() {
            if self.is_end(frame.get(at..level.end)?) {
                at = level.end;
                let start = level.start;
                open.pop();
                if !open.is_empty() {
                    self.close(start)?;
                }
                continue;
            }
            let end = at.checked_add(4)?.checked_add(be_u32(frame, at) as usize)?;
            let element = frame.get(at + 4..end).filter(|_| end <= level.end)?;
            if element.is_empty() || element.len() % 4 != 0 {
                return None;
            }
            self.out.extend_from_slice(&[0; 4]);
            let start = self.out.len();
            if element.starts_with(BUNDLE_NAME) {
                if open.len() == self.options.max_bundle_depth {
                    return None;
                }
                self.out.extend_from_slice(element.get(..BUNDLE_HEADER)?);
                open.push(Level { end, start });
                at += 4 + BUNDLE_HEADER;
            } else {
                self.message(element)?;
                self.close(start)?;
                at = end;
            }
        }
        Some(())
    }

    /// Whether no element follows; zeros are no element.
    fn is_end(&mut self, rest: &[u8]) -> bool {
        rest.is_empty() || self.is_zero_tail(rest)
    }

    fn is_zero_tail(&mut self, rest: &[u8]) -> bool {
        let found = self.options.accept_zero_tail && !rest.is_empty() && rest.iter().all(|&byte| byte == 0);
        self.repairs.zero_tails += u32::from(found);
        found
    }

    /// Writes the size of the element that begins at `start` and ends here.
    fn close(&mut self, start: usize) -> Option<()> {
        let size = u32::try_from(self.out.len() - start).ok()?;
        self.out[start - 4..start].copy_from_slice(&size.to_be_bytes());
        Some(())
    }

    fn message(&mut self, frame: &[u8]) -> Option<()> {
        let mut rest = frame;
        if frame.first()? == &0 {
            self.take_field(&mut rest, NUMERIC_ADDRESS, NUMERIC_ADDRESS)?;
        } else {
            self.take_string(&mut rest)?;
        }
        if rest.first() == Some(&b',') {
            let tag_string = self.take_string(&mut rest)?;
            self.args(&tag_string[1..], &mut rest)?;
            if !self.is_zero_tail(rest) {
                self.out.extend_from_slice(rest);
            }
        } else if self.without_comma(rest).is_none() {
            let tail = rest.len();
            self.take_field(&mut rest, tail, tail.next_multiple_of(4))?;
        }
        Some(())
    }

    /// Type tags that lack their comma, and arguments that take exactly what follows.
    fn without_comma(&mut self, bytes: &[u8]) -> Option<()> {
        let tags = &bytes[..text_end(bytes)];
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
            match tag {
                b'i' | b'f' | b'c' | b'r' | b'm' => self.take_field(rest, 4, 4)?,
                b'h' | b't' | b'd' => self.take_field(rest, 8, 8)?,
                b's' | b'S' => self.take_string(rest)?,
                b'b' => self.take_blob(rest)?,
                b'T' | b'F' | b'N' | b'I' | b'[' | b']' => &[],
                _unknown => {
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

    /// Copies a field whose content must be there. Padding that the end of the packet cuts is
    /// given as zeros.
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
