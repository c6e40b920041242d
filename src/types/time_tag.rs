//! The OSC time tag: a 64-bit fixed-point instant, and its conversions.
//!
//! All arithmetic is on integers, so tags survive a round trip to the nanosecond; a float carries
//! them only to about half a microsecond at today's dates.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1900-01-01 to 1970-01-01.
const UNIX_OFFSET: u64 = 2_208_988_800;
/// 2^32, the number of fractions in a second.
const FRACTIONS: f64 = 4_294_967_296.0;
const NANOS: i128 = 1_000_000_000;

/// An OSC time tag: seconds since 1900-01-01 00:00 UTC in the upper 32 bits, fractions of
/// 2<sup>-32</sup> s (233 ps) in the lower 32 (OSC 1.0, as NTP).
///
/// ```text
///  0                   4                   8
/// +-------------------+-------------------+
/// | seconds (u32, BE) | fraction (u32, BE)|
/// +-------------------+-------------------+
/// ```
///
/// The value 1 is special: [`TimeTag::IMMEDIATELY`]. The seconds wrap every 2<sup>32</sup> s; the first era ends on
/// 2036-02-07 06:28:16 UTC. A time tag does not contain its era: [`near`](TimeTag::near) chooses the one nearest to a
/// reference, so that time tags work on both sides of the border. `Ord`, `+` and `-` use the raw 64-bit number.
///
/// No function panics, for any input.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tokio_osc::TimeTag;
///
/// let now = SystemTime::now();
/// let tag = TimeTag::at(now) + Duration::from_millis(200);
/// assert_eq!(tag.near(now), now + Duration::from_millis(200));
/// assert_eq!(TimeTag::new(0, 1), TimeTag::IMMEDIATELY);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeTag(u64);

impl TimeTag {
    /// "Immediately": 63 zero bits and a one (OSC 1.0). A bundle with this tag runs on arrival.
    pub const IMMEDIATELY: Self = Self(1);

    /// Creates a time tag from seconds since 1900 and fractions of 2<sup>-32</sup> s.
    pub const fn new(seconds: u32, fraction: u32) -> Self {
        Self((seconds as u64) << 32 | fraction as u64)
    }

    /// Creates a time tag from its 64 bits on the wire.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the 64 bits on the wire.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the seconds since 1900-01-01, modulo 2<sup>32</sup>.
    pub const fn seconds(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Returns the fraction of a second, in units of 2<sup>-32</sup> s.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the fraction")]
    pub const fn fraction(self) -> u32 {
        self.0 as u32
    }

    /// Returns `true` for [`TimeTag::IMMEDIATELY`].
    pub const fn is_immediately(self) -> bool {
        self.0 == Self::IMMEDIATELY.0
    }

    /// Returns the time tag of the present time of the system clock.
    pub fn now() -> Self {
        Self::at(SystemTime::now())
    }

    /// Returns the time tag `delay` after the present time of the system clock.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tokio_osc::TimeTag;
    /// assert!(TimeTag::after(Duration::from_secs(1)) > TimeTag::now());
    /// ```
    pub fn after(delay: Duration) -> Self {
        Self::now() + delay
    }

    /// Returns the time tag of an instant, rounded to the nearest fraction. Any date is valid; its era is
    /// dropped.
    ///
    /// The two values that do not mean an instant, 0 and [`IMMEDIATELY`](Self::IMMEDIATELY), are
    /// never returned: the first half nanosecond of an era gives the fraction 2.
    pub fn at(time: SystemTime) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "modulo the era")]
        let bits = fixed_point(time) as u64;
        Self(bits.max(2))
    }

    /// Returns the instant of this time tag, in the era nearest to `reference` (within half an era, 68 years,
    /// in each direction).
    ///
    /// [`IMMEDIATELY`](Self::IMMEDIATELY) is treated as an ordinary number: check
    /// [`is_immediately`](Self::is_immediately) first. If the platform's `SystemTime` cannot represent the result, it
    /// is the Unix epoch.
    ///
    /// ```
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// # use tokio_osc::TimeTag;
    /// let before_the_border = UNIX_EPOCH + Duration::from_secs(2_085_978_490);
    /// let one_second_after_it = TimeTag::new(1, 0);
    /// let due = one_second_after_it.near(before_the_border);
    /// assert_eq!(due, before_the_border + Duration::from_secs(7));
    /// ```
    pub fn near(self, reference: SystemTime) -> SystemTime {
        let reference = fixed_point(reference);
        #[expect(clippy::cast_possible_truncation, reason = "modulo the era")]
        let distance = self.signed_difference(Self(reference as u64));
        from_fixed_point(reference + i128::from(distance))
    }

    /// Returns `self - other` as a signed number of 2<sup>-32</sup> s, by the shorter way around the era. The time tags
    /// of inner and outer bundles are compared like this.
    ///
    /// ```
    /// # use tokio_osc::TimeTag;
    /// assert_eq!(TimeTag::new(0, 0).signed_difference(TimeTag::new(u32::MAX, 0)), 1 << 32);
    /// ```
    pub const fn signed_difference(self, other: Self) -> i64 {
        self.0.wrapping_sub(other.0) as i64
    }

    /// Creates a time tag from seconds since 1900-01-01, modulo the era. 0 if the number is not finite.
    ///
    /// An `f64` is exact only to about 0.5 µs at today's dates. In osc4py3: `float2timetag`.
    pub fn from_ntp_seconds(seconds: f64) -> Self {
        Self::from_split(seconds, 0)
    }

    /// Returns the seconds since 1900-01-01. In osc4py3: `timetag2float`.
    pub fn to_ntp_seconds(self) -> f64 {
        f64::from(self.seconds()) + f64::from(self.fraction()) / FRACTIONS
    }

    /// Creates a time tag from a Unix time in seconds, modulo the era. The Unix epoch if the number is not finite. In
    /// osc4py3: `unixtime2timetag`.
    ///
    /// ```
    /// # use tokio_osc::TimeTag;
    /// assert_eq!(TimeTag::from_unix_seconds(0.5), TimeTag::new(2_208_988_800, 1 << 31));
    /// ```
    pub fn from_unix_seconds(seconds: f64) -> Self {
        Self::from_split(seconds, UNIX_OFFSET)
    }

    /// Returns the seconds since 1970-01-01, in the era that began in 1900. In osc4py3: `timetag2unixtime`.
    #[expect(clippy::cast_precision_loss, reason = "33 bits fit a f64")]
    pub fn to_unix_seconds(self) -> f64 {
        let seconds = i64::from(self.seconds()) - UNIX_OFFSET as i64;
        seconds as f64 + f64::from(self.fraction()) / FRACTIONS
    }

    /// Whole and fractional seconds are kept apart, so that no bit of the input is lost.
    #[expect(clippy::cast_possible_truncation, reason = "in range by construction")]
    fn from_split(seconds: f64, offset: u64) -> Self {
        let whole = seconds.floor();
        let fraction = ((seconds - whole) * FRACTIONS).round() as u64;
        let whole = if whole.is_finite() { whole.rem_euclid(FRACTIONS) as u64 } else { 0 };
        Self((whole.wrapping_add(offset) << 32).wrapping_add(fraction))
    }
}

/// Units of 2^-32 s since 1900, the era included, rounded to the nearest.
fn fixed_point(time: SystemTime) -> i128 {
    let nanos = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(error) => -(error.duration().as_nanos() as i128),
    };
    let fraction = ((nanos.rem_euclid(NANOS) << 32) + NANOS / 2) / NANOS;
    ((nanos.div_euclid(NANOS) + i128::from(UNIX_OFFSET)) << 32) + fraction
}

fn from_fixed_point(units: i128) -> SystemTime {
    let units = units - (i128::from(UNIX_OFFSET) << 32);
    let nanos = (units * NANOS + (1 << 31)) >> 32;
    let distance = duration_of_nanos(nanos.unsigned_abs());
    let time = if nanos < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    time.unwrap_or(UNIX_EPOCH)
}

fn duration_of_nanos(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS as u128).unwrap_or(u64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "a remainder below 10^9")]
    let rest = (nanos % NANOS as u128) as u32;
    Duration::new(seconds, rest)
}

/// A duration in units of 2^-32 s, rounded to the nearest, modulo the era.
fn units(duration: Duration) -> u64 {
    let fraction = ((u64::from(duration.subsec_nanos()) << 32) + 500_000_000) / 1_000_000_000;
    (duration.as_secs() << 32).wrapping_add(fraction)
}

/// Later by a duration, modulo the era.
impl Add<Duration> for TimeTag {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.wrapping_add(units(duration)))
    }
}

impl AddAssign<Duration> for TimeTag {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Earlier by a duration, modulo the era.
impl Sub<Duration> for TimeTag {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.wrapping_sub(units(duration)))
    }
}

impl SubAssign<Duration> for TimeTag {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl From<SystemTime> for TimeTag {
    fn from(time: SystemTime) -> Self {
        Self::at(time)
    }
}

/// The canonical form: `0x` and 16 hexadecimal digits.
impl fmt::Display for TimeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

impl fmt::Debug for TimeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeTag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2036-02-07 06:28:16 UTC.
    const BORDER: u64 = (1 << 32) - UNIX_OFFSET;

    fn unix(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    #[test]
    fn the_border_of_2036_is_crossed_both_ways() {
        for second in BORDER - 10..=BORDER + 10 {
            let due = unix(second, 123_456_789);
            for reference in [unix(BORDER - 20, 5), unix(BORDER + 20, 5)] {
                assert_eq!(TimeTag::at(due).near(reference), due);
            }
        }
    }

    #[test]
    fn an_instant_never_becomes_a_special_value() {
        assert_eq!(TimeTag::at(unix(BORDER, 0)), TimeTag::from_bits(2));
        assert_eq!(TimeTag::at(unix(BORDER, 1)), TimeTag::from_bits(4));
    }

    #[test]
    fn floats_that_do_not_name_a_time_still_give_a_tag() {
        assert_eq!(TimeTag::from_ntp_seconds(f64::NAN).to_bits(), 0);
        assert_eq!(TimeTag::from_unix_seconds(f64::INFINITY), TimeTag::new(2_208_988_800, 0));
        assert_eq!(TimeTag::from_ntp_seconds(-1.0), TimeTag::new(u32::MAX, 0));
        assert_eq!(TimeTag::from_ntp_seconds(0.999_999_999_99), TimeTag::new(1, 0));
    }

    proptest! {
        #[test]
        fn nanoseconds_survive(seconds in 0..u64::from(u32::MAX), nanos in 0..1_000_000_000_u32) {
            let time = unix(seconds, nanos);
            prop_assert_eq!(TimeTag::at(time).near(time), time);
        }

        #[test]
        fn every_tag_is_an_instant_near_every_reference(bits: u64, seconds in 0..1_u64 << 40) {
            let reference = unix(seconds, 0);
            let time = TimeTag::from_bits(bits).near(reference);
            let distance = time.duration_since(reference).unwrap_or_else(|error| error.duration());
            prop_assert!(distance <= Duration::from_secs(1 << 31));
        }

        #[test]
        fn what_is_added_can_be_taken_away(bits: u64, seconds: u64, nanos in 0..1_000_000_000_u32) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(TimeTag::from_bits(bits) + duration - duration, TimeTag::from_bits(bits));
        }
    }
}
