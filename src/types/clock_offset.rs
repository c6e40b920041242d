//! The offset of a peer's clock, which corrects time tags in both directions.

use std::fmt;
use std::time::Duration;

use super::TimeTag;

/// Our clock minus the peer's: added to incoming time tags, and subtracted from outgoing ones.
///
/// Positive if the peer's clock is behind ours. In nanoseconds, up to 292 years in each direction. The two
/// time tags that are not instants, 0 and [`TimeTag::IMMEDIATELY`], are never changed, and no time tag is
/// changed to them.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::packet::ClockOffset;
/// use tokio_osc::TimeTag;
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

    /// The peer's clock is behind ours by this duration, at most 292 years.
    pub fn peer_behind(by: Duration) -> Self {
        Self { nanos: i64::try_from(by.as_nanos()).unwrap_or(i64::MAX) }
    }

    /// The peer's clock is ahead of ours by this duration, at most 292 years.
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

    /// Returns the distance between the clocks.
    pub const fn abs(self) -> Duration {
        Duration::from_nanos(self.nanos.unsigned_abs())
    }

    /// Converts a time tag of the peer to our clock.
    pub fn to_local(self, tag: TimeTag) -> TimeTag {
        moved(tag, self.nanos)
    }

    /// Converts a time tag of ours to the peer's clock.
    pub fn to_peer(self, tag: TimeTag) -> TimeTag {
        moved(tag, self.nanos.saturating_neg())
    }
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
    fn a_tag_that_is_not_an_instant_is_kept_and_no_instant_becomes_one() {
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
