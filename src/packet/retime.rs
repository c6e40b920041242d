//! The time tags of a packet by the clock of a peer.

use super::{Bundle, BundleRef, PacketRef};
use crate::types::ClockOffset;

impl ClockOffset {
    /// The bundle for the peer: its own tag and those of all bundles in it, by the peer's clock.
    /// Everything else stays as it is, byte for byte.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::{Bundle, ClockOffset, TimeTag};
    ///
    /// let offset = ClockOffset::peer_behind(Duration::from_secs(1));
    /// let bundle = Bundle::at(TimeTag::new(100, 0)).with(("/go", 1)).build()?;
    /// assert_eq!(offset.bundle_to_peer(&bundle).time_tag(), TimeTag::new(99, 0));
    /// # Ok::<(), tokio_osc::EncodeError>(())
    /// ```
    pub fn bundle_to_peer(self, bundle: &Bundle) -> Bundle {
        if self == Self::ZERO {
            return bundle.clone();
        }
        let whole = bundle.as_ref();
        let mut frame = whole.as_bytes().to_vec();
        let mut open = vec![whole];
        while let Some(bundle) = open.pop() {
            let tag = self.to_peer(bundle.time_tag()).to_bits().to_be_bytes();
            if let Some(place) = frame.get_mut(tag_within(whole, bundle)..).and_then(<[u8]>::first_chunk_mut)
            {
                *place = tag;
            }
            open.extend(bundle.elements().filter_map(|element| match element {
                PacketRef::Bundle(inner) => Some(inner),
                PacketRef::Message(_) => None,
            }));
        }
        Bundle::from_parts(frame.into(), true)
    }
}

/// Where the time tag of a bundle lies in the bytes of the one that it is in.
fn tag_within(whole: BundleRef<'_>, inner: BundleRef<'_>) -> usize {
    let start = inner.as_bytes().as_ptr().addr() - whole.as_bytes().as_ptr().addr();
    start + b"#bundle\0".len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::types::TimeTag;

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
}
