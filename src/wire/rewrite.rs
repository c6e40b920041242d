//! Copies a packet with other messages or time tags, and adapts the sizes of the bundles around them.
//!
//! Nothing is validated here. The bytes may come from a peer: unreadable parts are copied unchanged,
//! for the decoder to refuse. It takes one pass, without recursion or an allocation by a claimed size.

use bytes::Bytes;

use super::layout::bundle_header;
use super::walk::{WireStep, WireWalk};
use crate::types::TimeTag;

/// The replacements of the parts of a packet. A closure replaces the messages only.
pub(crate) trait Rewrite {
    type Error;

    /// Appends what takes the place of a message that begins at byte `at` of the packet.
    fn message(&mut self, message: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// The time tag of a bundle that begins; `_depth` counts the open bundles, this one included.
    fn time_tag(&mut self, tag: TimeTag, _depth: usize) -> Result<TimeTag, Self::Error> {
        Ok(tag)
    }

    /// Appends what takes the place of the end of a bundle that is not an element.
    fn rest(&mut self, rest: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(rest);
    }
}

impl<E, F: FnMut(&[u8], usize, &mut Vec<u8>) -> Result<(), E>> Rewrite for F {
    type Error = E;

    fn message(&mut self, message: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), E> {
        self(message, at, out)
    }
}

/// Copies a packet, in a buffer of exactly its size: it may be kept.
///
/// # Errors
/// The first one of `parts`.
pub(crate) fn rewrite<R: Rewrite>(frame: &[u8], mut parts: R) -> Result<Bytes, R::Error> {
    let mut copy = Vec::with_capacity(frame.len());
    // Where the open elements begin in the copy; the outermost packet has no size before it.
    let mut starts = vec![0];
    let mut walk = WireWalk::new(frame);
    let mut at = walk.offset();
    while let Some(step) = walk.next() {
        match step {
            WireStep::Bundle(tag) => {
                let tag = parts.time_tag(tag, walk.depth())?;
                copy.extend_from_slice(&bundle_header(tag));
            }
            // No message is padded into a size that the decoder would have refused.
            WireStep::Size(size) if size % 4 != 0 => parts.rest(walk.give_up(), &mut copy),
            WireStep::Size(_) => {
                copy.extend_from_slice(&[0; 4]);
                starts.push(copy.len());
            }
            WireStep::Message(message) => {
                parts.message(message, at, &mut copy)?;
                close(&mut copy, starts.pop());
            }
            WireStep::Rest(rest) => parts.rest(rest, &mut copy),
            WireStep::End => close(&mut copy, starts.pop()),
        }
        at = walk.offset();
    }
    Ok(copy.into_boxed_slice().into())
}

/// Writes the size of the element that begins at `start` and ends here. What is too large for a
/// size is too large for everything behind.
fn close(copy: &mut [u8], start: Option<usize>) {
    let Some(start) = start else { return };
    let size = u32::try_from(copy.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(place) = start.checked_sub(4).and_then(|place| copy.get_mut(place..start)) {
        place.copy_from_slice(&size.to_be_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn copied(frame: &[u8]) -> Bytes {
        let copied = rewrite(frame, |message: &[u8], _, out: &mut Vec<u8>| {
            out.extend_from_slice(message);
            Ok::<(), Infallible>(())
        });
        copied.unwrap()
    }

    proptest! {
        #[test]
        fn a_copy_of_any_bytes_is_those_bytes(
            bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(4), Just(16), any::<u8>()], 0..64),
            nested in 0_usize..4,
        ) {
            let mut frame = Vec::new();
            for level in (0..nested).rev() {
                frame.extend_from_slice(b"#bundle\0\0\0\0\0\0\0\0\x01");
                if level > 0 {
                    let size = level * 20 - 4 + bytes.len();
                    frame.extend_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
                }
            }
            frame.extend_from_slice(&bytes);
            prop_assert_eq!(copied(&frame), frame);
        }
    }
}
