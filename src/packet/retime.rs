//! Converts the time tags of a packet to the clock of a peer.

use std::convert::Infallible;

use super::Bundle;
use crate::types::{ClockOffset, TimeTag};
use crate::wire::{Rewrite, rewrite};

impl ClockOffset {
    /// Converts the time tags of a bundle, and of all bundles in it, to the clock of the peer. Everything
    /// else is unchanged, byte for byte.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::packet::ClockOffset;
    /// use tokio_osc::{Bundle, TimeTag};
    ///
    /// let offset = ClockOffset::peer_behind(Duration::from_secs(1));
    /// let bundle = Bundle::at(TimeTag::new(100, 0)).with(("/go", 1)).build()?;
    /// assert_eq!(offset.bundle_to_peer(&bundle).time_tag(), TimeTag::new(99, 0));
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub fn bundle_to_peer(self, bundle: &Bundle) -> Bundle {
        if self == Self::ZERO {
            return bundle.clone();
        }
        let Ok(moved) = rewrite(bundle.as_bytes(), Retime(self));
        Bundle::from_parts(moved, true)
    }
}

/// Copies messages, and converts time tags to the clock of the peer.
struct Retime(ClockOffset);

impl Rewrite for Retime {
    type Error = Infallible;

    fn message(&mut self, message: &[u8], _at: usize, out: &mut Vec<u8>) -> Result<(), Infallible> {
        out.extend_from_slice(message);
        Ok(())
    }

    fn time_tag(&mut self, tag: TimeTag, _depth: usize) -> Result<TimeTag, Infallible> {
        Ok(self.0.to_peer(tag))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::packet::{IntoPacket, Packet};

    #[test]
    fn every_tag_of_a_bundle_is_moved_and_nothing_else() {
        let build = |seconds| {
            let tag = |more: u32| TimeTag::new(seconds + more, 7);
            Bundle::at(tag(0))
                .with(("/a", (1, "text")))
                .with(Bundle::at(tag(1)).with(("/b", ())).with(Bundle::at(tag(2)).with(("/c", 0.5_f32))))
                .with(Bundle::immediately().with(("/d", ())))
                .with(Bundle::at(tag(3)))
                .build()
                .unwrap()
        };
        let offset = ClockOffset::peer_ahead(Duration::from_secs(5));
        assert_eq!(offset.bundle_to_peer(&build(100)).as_bytes(), build(105).as_bytes());
        assert_eq!(ClockOffset::ZERO.bundle_to_peer(&build(100)).as_bytes(), build(100).as_bytes());
    }

    #[test]
    fn sizes_follow_through_all_bundles() {
        let inner = Bundle::immediately().with(("/b", 1)).with(("/b", 2));
        let bundle = Bundle::immediately().with(("/a", 1)).with(inner).with(("/a", 2));
        let frame = bundle.into_packet().unwrap().into_bytes();
        let longer = rewrite(&frame, |message: &[u8], at: usize, out: &mut Vec<u8>| {
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
}
