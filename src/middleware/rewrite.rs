//! A copy of a packet with other messages in it: the sizes of the bundles around them follow.
//!
//! This judges nothing. Bytes may come from a peer: what makes no sense here is copied as it is, for
//! the decoder to refuse. Neither recursion nor an allocation by a claimed size; one pass.

use bytes::Bytes;

use crate::wire::{BUNDLE_HEADER, BUNDLE_NAME, be_u32};

/// A bundle whose elements are being copied.
struct Level {
    /// Where it ends in the original.
    end: usize,
    /// Where it begins in the copy; its size stands before that, unless it is the packet.
    start: usize,
}

/// Copies a packet. `message` is given each message with its offset, and appends what takes its
/// place.
pub(super) fn rewrite<E>(
    frame: &[u8],
    mut message: impl FnMut(&[u8], usize, &mut Vec<u8>) -> Result<(), E>,
) -> Result<Bytes, E> {
    let mut copy = Vec::with_capacity(frame.len());
    let Some(header) = bundle_header(frame) else {
        message(frame, 0, &mut copy)?;
        return Ok(exact(copy));
    };
    copy.extend_from_slice(header);
    let mut at = BUNDLE_HEADER;
    let mut level = Level { end: frame.len(), start: 0 };
    let mut outer = Vec::new();
    loop {
        let Some(element) = element(frame, at, level.end) else {
            // The end of the bundle, or what is no element.
            copy.extend_from_slice(frame.get(at..level.end).unwrap_or_default());
            at = level.end;
            let Some(parent) = outer.pop() else { return Ok(exact(copy)) };
            close(&mut copy, level.start);
            level = parent;
            continue;
        };
        at += 4;
        copy.extend_from_slice(&[0; 4]);
        let inner = Level { end: at + element.len(), start: copy.len() };
        if let Some(header) = bundle_header(element) {
            copy.extend_from_slice(header);
            at += BUNDLE_HEADER;
            outer.push(std::mem::replace(&mut level, inner));
        } else {
            message(element, at, &mut copy)?;
            close(&mut copy, inner.start);
            at = inner.end;
        }
    }
}

/// The name and the time tag, if this is a bundle.
fn bundle_header(frame: &[u8]) -> Option<&[u8]> {
    frame.get(..BUNDLE_HEADER).filter(|header| header.starts_with(BUNDLE_NAME))
}

/// The element whose size stands at `at`, in a bundle that ends at `end`.
fn element(frame: &[u8], at: usize, end: usize) -> Option<&[u8]> {
    let rest = frame.get(at..end)?;
    let size = be_u32(rest, 0) as usize;
    rest.get(4..)?.get(..size).filter(|element| !element.is_empty() && element.len() % 4 == 0)
}

/// Writes the size of the element that begins at `start` and ends here. What is too large for a
/// size is too large for everything behind.
fn close(copy: &mut [u8], start: usize) {
    let size = u32::try_from(copy.len() - start).unwrap_or(u32::MAX);
    if let Some(place) = copy.get_mut(start - 4..start) {
        place.copy_from_slice(&size.to_be_bytes());
    }
}

/// In a buffer of exactly its size: it may be kept.
fn exact(copy: Vec<u8>) -> Bytes {
    copy.into_boxed_slice().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::packet::{Bundle, IntoPacket, Packet};

    fn copied(frame: &[u8]) -> Bytes {
        let copied = rewrite(frame, |message, _, out| {
            out.extend_from_slice(message);
            Ok::<(), Infallible>(())
        });
        copied.unwrap()
    }

    #[test]
    fn sizes_follow_through_all_bundles() {
        let inner = Bundle::immediately().with(("/b", 1)).with(("/b", 2));
        let bundle = Bundle::immediately().with(("/a", 1)).with(inner).with(("/a", 2));
        let frame = bundle.into_packet().unwrap().into_bytes();
        let longer = rewrite(&frame, |message, at, out| {
            assert_eq!(frame.get(at..at + message.len()).unwrap(), message);
            out.extend_from_slice(b"/longer\0");
            out.extend_from_slice(message.get(4..).unwrap());
            Ok::<(), Infallible>(())
        });
        let longer = Packet::decode(longer.unwrap()).unwrap().to_string();
        let expected = frame_text(&frame).replace("/a", "/longer").replace("/b", "/longer");
        assert_eq!(longer, expected);
    }

    fn frame_text(frame: &Bytes) -> String {
        Packet::decode(frame.clone()).unwrap().to_string()
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
