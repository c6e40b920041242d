//! How far a peer's clock lies from ours: what its time tags are corrected by, in both directions.

use std::fmt;
use std::time::Duration;

use crate::packet::{Bundle, BundleRef, PacketRef};
use crate::types::TimeTag;

/// Our clock minus the peer's: added to the tags that come in, subtracted from those that go out.
///
/// Positive when the peer's clock is behind ours. In nanoseconds, up to 292 years either way. The
/// two tags that are no instants, 0 and [`TimeTag::IMMEDIATELY`], are never moved, and no tag is
/// moved onto them.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{ClockOffset, TimeTag};
///
/// let offset = ClockOffset::peer_behind(Duration::from_millis(250));
/// let theirs = TimeTag::new(3_976_214_400, 0);
/// let ours = theirs + Duration::from_millis(250);
/// assert_eq!(offset.to_local(theirs), ours);
/// assert_eq!(offset.to_peer(ours), theirs);
/// assert_eq!(offset.to_local(TimeTag::IMMEDIATELY), TimeTag::IMMEDIATELY);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockOffset {
    nanos: i64,
}

impl ClockOffset {
    /// The clocks agree.
    pub const ZERO: Self = Self { nanos: 0 };

    /// The peer's clock shows an earlier time than ours, by this much; at most 292 years.
    pub fn peer_behind(by: Duration) -> Self {
        Self { nanos: i64::try_from(by.as_nanos()).unwrap_or(i64::MAX) }
    }

    /// The peer's clock shows a later time than ours, by this much; at most 292 years.
    pub fn peer_ahead(by: Duration) -> Self {
        Self { nanos: -Self::peer_behind(by).nanos }
    }

    /// Our clock minus the peer's, in nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// Our clock minus the peer's, in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// How far the clocks lie apart, whichever is ahead.
    pub const fn abs(self) -> Duration {
        Duration::from_nanos(self.nanos.unsigned_abs())
    }

    /// The same instant by our clock, of a tag that the peer wrote.
    pub fn to_local(self, tag: TimeTag) -> TimeTag {
        moved(tag, self.nanos)
    }

    /// The same instant by the peer's clock, of a tag that we wrote.
    pub fn to_peer(self, tag: TimeTag) -> TimeTag {
        moved(tag, self.nanos.saturating_neg())
    }

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

fn moved(tag: TimeTag, nanos: i64) -> TimeTag {
    if tag.to_bits() <= TimeTag::IMMEDIATELY.to_bits() || nanos == 0 {
        return tag;
    }
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    let moved = if nanos < 0 { tag - distance } else { tag + distance };
    moved.max(TimeTag::from_bits(2))
}

/// Seconds with a sign, to the nanosecond.
impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, apart) = (if self.nanos < 0 { '-' } else { '+' }, self.abs());
        write!(f, "{sign}{}.{:09} s", apart.as_secs(), apart.subsec_nanos())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_instant_stays_and_nothing_becomes_it() {
        for nanos in [i64::MIN, -1, 0, 1, i64::MAX] {
            let offset = ClockOffset::from_nanos(nanos);
            for bits in [0, 1] {
                let tag = TimeTag::from_bits(bits);
                assert_eq!((offset.to_local(tag), offset.to_peer(tag)), (tag, tag));
            }
        }
        let second = ClockOffset::peer_ahead(Duration::from_secs(1));
        assert_eq!(second.to_local(TimeTag::new(1, 0)), TimeTag::from_bits(2));
        assert_eq!(second.to_local(TimeTag::new(1, 1)), TimeTag::from_bits(2));
    }

    #[test]
    fn offsets_end_at_292_years_and_read_as_seconds() {
        assert_eq!(ClockOffset::peer_behind(Duration::MAX).as_nanos(), i64::MAX);
        assert_eq!(ClockOffset::peer_ahead(Duration::MAX).as_nanos(), -i64::MAX);
        assert_eq!(ClockOffset::from_nanos(i64::MIN).abs(), Duration::from_nanos(1 << 63));
        assert_eq!(ClockOffset::from_nanos(-250_000_001).to_string(), "-0.250000001 s");
        assert_eq!(ClockOffset::peer_behind(Duration::from_millis(1_500)).to_string(), "+1.500000000 s");
    }

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

    proptest! {
        #[test]
        fn there_and_back_is_where_it_was(bits in 2_u64.., nanos in -1_000_000_000_000_i64..1_000_000_000_000) {
            let (tag, offset) = (TimeTag::from_bits(bits), ClockOffset::from_nanos(nanos));
            let there = offset.to_local(tag);
            prop_assert!(there.to_bits() > 1);
            if there.to_bits() > 2 {
                prop_assert_eq!(offset.to_peer(there), tag);
            }
        }
    }
}
