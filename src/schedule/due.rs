//! Evaluates time tags at a given wall time: run now, wait, or too far ahead.

use std::time::{Duration, SystemTime};

use crate::types::TimeTag;

/// The meaning of a time tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The tag is [`TimeTag::IMMEDIATELY`].
    Immediately,
    /// The tag is 0, which many devices send for "now". By the specification it is an instant in the past.
    Unset,
    /// The instant is now, or this long ago.
    Now { late: Duration },
    /// The instant is ahead, within the horizon.
    Later { due: SystemTime },
    /// The instant is beyond the horizon: probably the private clock of a sender.
    BeyondHorizon,
}

impl Due {
    /// Evaluates `tag` at the wall time `now`. A tag exactly at the horizon waits.
    pub(crate) fn of(tag: TimeTag, now: SystemTime, horizon: Duration) -> Self {
        if tag.is_immediately() {
            return Self::Immediately;
        }
        if tag.to_bits() == 0 {
            return Self::Unset;
        }
        let due = tag.near(now);
        match due.duration_since(now) {
            Ok(Duration::ZERO) => Self::Now { late: Duration::ZERO },
            Ok(ahead) if ahead > horizon => Self::BeyondHorizon,
            Ok(_) => Self::Later { due },
            Err(past) => Self::Now { late: past.duration() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    const NANO: Duration = Duration::from_nanos(1);
    /// 2026-01-01, as a Unix time and as the seconds of a tag.
    const UNIX_2026: u64 = 1_767_225_600;
    const TAG_2026: u32 = 3_976_214_400;
    /// 2036-02-07 06:28:16 UTC, where the seconds of a tag begin again at 0.
    const BORDER: u64 = 2_085_978_496;

    fn unix(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn in_2026(tag: TimeTag) -> Due {
        Due::of(tag, unix(UNIX_2026), WEEK)
    }

    #[test]
    fn the_two_special_values_never_mean_an_instant() {
        for now in [unix(0), unix(UNIX_2026), unix(BORDER - 1), unix(BORDER), unix(BORDER + 1)] {
            assert_eq!(Due::of(TimeTag::from_bits(0), now, WEEK), Due::Unset);
            assert_eq!(Due::of(TimeTag::IMMEDIATELY, now, WEEK), Due::Immediately);
        }
    }

    #[test]
    fn around_now() {
        let now = TimeTag::new(TAG_2026, 0);
        assert_eq!(in_2026(now), Due::Now { late: Duration::ZERO });
        assert_eq!(in_2026(now - NANO), Due::Now { late: NANO });
        assert_eq!(in_2026(now + NANO), Due::Later { due: unix(UNIX_2026) + NANO });
        assert_eq!(in_2026(now - DAY), Due::Now { late: DAY });
    }

    #[test]
    fn a_tag_at_the_horizon_is_held_and_a_later_one_is_not() {
        let horizon = TimeTag::new(TAG_2026, 0) + WEEK;
        assert_eq!(in_2026(horizon), Due::Later { due: unix(UNIX_2026) + WEEK });
        assert_eq!(in_2026(horizon + NANO), Due::BeyondHorizon);
    }

    #[test]
    fn private_clocks_lie_beyond_the_horizon() {
        let day_since_boot = TimeTag::new(86_400, 123);
        let unix_seconds = TimeTag::new(1_767_225_600, 0);
        for tag in [
            TimeTag::from_bits(2),
            TimeTag::new(1, 0),
            TimeTag::new(0, u32::MAX),
            day_since_boot,
            unix_seconds,
        ] {
            assert_eq!(in_2026(tag), Due::BeyondHorizon, "{tag}");
        }
        let last_of_the_era = TimeTag::from_bits(u64::MAX);
        assert_eq!(in_2026(last_of_the_era), Due::BeyondHorizon);
        assert_eq!(in_2026(TimeTag::new(u32::MAX, 0)), Due::BeyondHorizon);
    }

    #[test]
    fn half_an_era_away_is_the_border_between_past_and_future() {
        let opposite = TAG_2026.wrapping_add(1 << 31);
        let farthest_past = TimeTag::new(opposite, 0);
        assert_eq!(in_2026(farthest_past), Due::Now { late: Duration::from_secs(1 << 31) });
        let farthest_future = TimeTag::from_bits(farthest_past.to_bits() - 1);
        assert_eq!(in_2026(farthest_future), Due::BeyondHorizon);
    }

    #[test]
    fn the_border_of_2036_is_crossed_both_ways() {
        let (before, after) = (unix(BORDER - 3), unix(BORDER + 3));
        let minus = TimeTag::new(u32::MAX - 1, 0);
        let plus = TimeTag::new(2, 0);
        assert_eq!(Due::of(minus, before, WEEK), Due::Later { due: unix(BORDER - 2) });
        assert_eq!(Due::of(plus, before, WEEK), Due::Later { due: unix(BORDER + 2) });
        assert_eq!(Due::of(plus, after, WEEK), Due::Now { late: Duration::from_secs(1) });
        assert_eq!(Due::of(minus, after, WEEK), Due::Now { late: Duration::from_secs(5) });
        let end_of_the_era = TimeTag::from_bits(u64::MAX);
        assert_eq!(Due::of(end_of_the_era, before, WEEK), Due::Later { due: unix(BORDER) });
        let first_instant = TimeTag::from_bits(2);
        assert_eq!(Due::of(first_instant, before, WEEK), Due::Later { due: unix(BORDER) });
    }

    #[test]
    fn a_horizon_of_nothing_and_one_of_everything() {
        let soon = TimeTag::new(TAG_2026, 0) + NANO;
        assert_eq!(Due::of(soon, unix(UNIX_2026), Duration::ZERO), Due::BeyondHorizon);
        let ten_years = TimeTag::new(1, 0);
        assert_eq!(Due::of(ten_years, unix(UNIX_2026), Duration::MAX), Due::Later { due: unix(BORDER + 1) });
    }

    proptest! {
        #[test]
        fn every_tag_is_classified_and_agrees_with_its_instant(bits: u64, seconds in 0..1_u64 << 40, horizon: u32) {
            let (tag, now) = (TimeTag::from_bits(bits), unix(seconds));
            let horizon = Duration::from_secs(horizon.into());
            match Due::of(tag, now, horizon) {
                Due::Immediately => prop_assert_eq!(bits, 1),
                Due::Unset => prop_assert_eq!(bits, 0),
                Due::Now { late } => prop_assert_eq!(tag.near(now) + late, now),
                Due::Later { due } => prop_assert!(due == tag.near(now) && due > now && due <= now + horizon),
                Due::BeyondHorizon => prop_assert!(tag.near(now) > now + horizon),
            }
        }
    }
}
