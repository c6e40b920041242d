//! Clocks: the wall time of time tags, and the monotonic time of Tokio's timers.
//!
//! Both are read together, because a deadline is derived from both: it is as far after the monotonic instant
//! as the time tag is after the wall time.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::lock::lock;
use crate::types::TimeTag;

/// A source of wall time and monotonic time: [`SystemClock`], [`TokioClock`], [`ManualClock`] or your own,
/// such as a PTP clock or the sample counter of an audio device.
///
/// A bundle runs when the *wall* time reaches its time tag. The monotonic time only determines how long to
/// sleep. If the offset between the two moves by more than 1 ms (the clock was set, or NTP slews it), the
/// deadlines of all waiting bundles are derived again. This is checked at each wake-up, and once a second
/// while bundles wait.
///
/// `now` is called for every timed bundle and every wake-up, from any thread, and must not block.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{Clock, Reading, SystemClock};
///
/// /// A clock whose wall time is ahead by a quarter of a second.
/// #[derive(Debug)]
/// struct Ahead;
///
/// impl Clock for Ahead {
///     fn now(&self) -> Reading {
///         let Reading { wall, monotonic } = SystemClock.now();
///         Reading { wall: wall + Duration::from_millis(250), monotonic }
///     }
/// }
/// assert!(Ahead.tag() > SystemClock.tag());
/// ```
pub trait Clock: Debug + Send + Sync + 'static {
    /// Returns both times of the same moment. The monotonic time must never go back; the wall time may.
    fn now(&self) -> Reading;

    /// Returns the time tag of the present wall time. Never 0 and never [`TimeTag::IMMEDIATELY`].
    ///
    /// ```
    /// use tokio_osc::schedule::{Clock, ManualClock};
    /// use tokio_osc::TimeTag;
    ///
    /// let clock = ManualClock::new();
    /// assert_eq!(clock.tag(), TimeTag::at(clock.now().wall));
    /// ```
    fn tag(&self) -> TimeTag {
        TimeTag::at(self.now().wall)
    }

    /// Returns the time tag `delay` after the present wall time, modulo the era. Never 0 and never
    /// [`TimeTag::IMMEDIATELY`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{Clock, ManualClock};
    ///
    /// let clock = ManualClock::new();
    /// let tag = clock.after(Duration::from_millis(200));
    /// clock.advance(Duration::from_millis(200));
    /// assert_eq!(tag, clock.tag());
    /// ```
    fn after(&self, delay: Duration) -> TimeTag {
        (self.tag() + delay).max(FIRST_INSTANT)
    }
}

/// The smallest time tag that is an instant: 0 and 1 have special meanings.
const FIRST_INSTANT: TimeTag = TimeTag::from_bits(2);

/// A shared clock is a clock.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Reading {
        (**self).now()
    }
}

/// Wall time and monotonic time of the same moment. Converts between the two.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{Clock, SystemClock};
///
/// let reading = SystemClock.now();
/// let second = Duration::from_secs(1);
/// assert_eq!(reading.deadline(reading.wall + second), reading.monotonic + second);
/// assert_eq!(reading.wall_at(reading.monotonic + second), reading.wall + second);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall time. It may be set forwards and backwards.
    pub wall: SystemTime,
    /// The monotonic time, as used by [`tokio::time::sleep_until`].
    pub monotonic: Instant,
}

impl Reading {
    /// Returns the monotonic instant at which the wall time will be `due`, if no clock is set meanwhile.
    /// Returns this reading's own instant if `due` is in the past.
    ///
    /// Never fails: returns this reading's own instant if the platform cannot represent the result.
    pub fn deadline(&self, due: SystemTime) -> Instant {
        let ahead = due.duration_since(self.wall).unwrap_or_default();
        self.monotonic.checked_add(ahead).unwrap_or(self.monotonic)
    }

    /// Returns the wall time at a monotonic instant, before or after this reading, if no clock is set
    /// meanwhile.
    ///
    /// Never fails: returns this reading's own time if the platform cannot represent the result.
    pub fn wall_at(&self, instant: Instant) -> SystemTime {
        let ahead = instant.saturating_duration_since(self.monotonic);
        let behind = self.monotonic.saturating_duration_since(instant);
        self.wall.checked_add(ahead).and_then(|wall| wall.checked_sub(behind)).unwrap_or(self.wall)
    }
}

/// The clock of the operating system. The default.
///
/// Its monotonic time is Tokio's: in a test with `start_paused` it does not advance, but its wall time does.
/// Use [`TokioClock`] in tests.
///
/// ```
/// use tokio_osc::schedule::{Clock, SystemClock};
///
/// let (first, second) = (SystemClock.now(), SystemClock.now());
/// assert!(first.monotonic <= second.monotonic);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Reads the wall time between two monotonic times. If the thread was interrupted in between, reads
    /// again, up to three times: a gap would look like a step of the wall clock.
    fn now(&self) -> Reading {
        let (mut gap, mut reading) = bracketed();
        for _ in 0..3 {
            if gap <= TOGETHER {
                break;
            }
            let again = bracketed();
            if again.0 < gap {
                (gap, reading) = again;
            }
        }
        reading
    }
}

/// The longest gap between two monotonic times that counts as one moment.
const TOGETHER: Duration = Duration::from_micros(20);

/// A reading, and the maximum distance between its two times. It uses the later monotonic time, so that a
/// deadline derived from it is never early.
fn bracketed() -> (Duration, Reading) {
    let before = Instant::now();
    let wall = SystemTime::now();
    let monotonic = Instant::now();
    (monotonic.saturating_duration_since(before), Reading { wall, monotonic })
}

/// A clock that follows Tokio's time from a fixed epoch. Its wall time never steps.
///
/// With `#[tokio::test(start_paused = true)]` this clock advances only when the runtime is idle or the test
/// advances it, so timed bundles can be tested to the nanosecond. Outside of tests,
/// `TokioClock::starting_at(SystemTime::now())` is a system clock that ignores later steps.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{Clock, TokioClock};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let clock = TokioClock::new();
/// let start = clock.now();
/// tokio::time::sleep(Duration::from_millis(3)).await;
/// assert_eq!(clock.now().wall, start.wall + Duration::from_millis(3));
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokioClock {
    start: Reading,
}

impl TokioClock {
    /// Creates a clock whose present wall time is 2026-01-01 00:00:00 UTC, time tag `0xed00378000000000`.
    pub fn new() -> Self {
        Self::starting_at(epoch())
    }

    /// Creates a clock whose present wall time is `wall`.
    pub fn starting_at(wall: SystemTime) -> Self {
        Self { start: Reading { wall, monotonic: Instant::now() } }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Reading {
        let monotonic = Instant::now();
        Reading { wall: self.start.wall_at(monotonic), monotonic }
    }
}

/// A clock that only advances by hand. Wall time and monotonic time can be moved separately.
///
/// Clones share one time. A server with this clock reads it when something else wakes the server, or when the
/// missing time has passed on Tokio's timer. Advance Tokio's time in the same test, or use [`TokioClock`].
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let start = clock.now();
///
/// clock.advance(Duration::from_secs(1));           // time passes
/// clock.advance_wall(Duration::from_secs(3_600));  // the clock is put forward, or a suspend
/// assert_eq!(clock.now().wall, start.wall + Duration::from_secs(3_601));
/// assert_eq!(clock.now().monotonic, start.monotonic + Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    reading: Arc<Mutex<Reading>>,
}

impl ManualClock {
    /// Creates a clock whose wall time is 2026-01-01 00:00:00 UTC, as [`TokioClock::new`].
    pub fn new() -> Self {
        Self::starting_at(epoch())
    }

    /// Creates a clock whose wall time is `wall`.
    pub fn starting_at(wall: SystemTime) -> Self {
        Self { reading: Arc::new(Mutex::new(Reading { wall, monotonic: Instant::now() })) }
    }

    /// Advances both times. If the platform cannot represent the result, nothing changes; this also applies
    /// to the other methods.
    pub fn advance(&self, by: Duration) {
        self.advance_wall(by);
        self.advance_monotonic(by);
    }

    /// Advances the wall time only, as if the clock was set forward or the machine was suspended.
    pub fn advance_wall(&self, by: Duration) {
        let mut reading = self.lock();
        reading.wall = reading.wall.checked_add(by).unwrap_or(reading.wall);
    }

    /// Advances the monotonic time only.
    pub fn advance_monotonic(&self, by: Duration) {
        let mut reading = self.lock();
        reading.monotonic = reading.monotonic.checked_add(by).unwrap_or(reading.monotonic);
    }

    /// Sets the wall time, forwards or backwards.
    pub fn set_wall(&self, wall: SystemTime) {
        self.lock().wall = wall;
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        lock(&self.reading)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        *self.lock()
    }
}

/// 2026-01-01 00:00:00 UTC.
#[expect(clippy::arithmetic_side_effects, reason = "a constant that every platform holds")]
fn epoch() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: Duration = Duration::from_nanos(1);
    /// 2036-02-07 06:28:16 UTC.
    const BORDER: Duration = Duration::from_secs(2_085_978_496);

    #[test]
    fn a_tag_is_never_a_special_value() {
        let clock = ManualClock::starting_at(UNIX_EPOCH + BORDER);
        assert_eq!(clock.tag(), FIRST_INSTANT);
        assert_eq!(clock.after(Duration::ZERO), FIRST_INSTANT);
        clock.set_wall(UNIX_EPOCH + BORDER - Duration::from_secs(1));
        for nanos in 999_999_990..1_000_000_010 {
            assert!(clock.after(Duration::from_nanos(nanos)).to_bits() > 1);
        }
        assert!(clock.after(Duration::MAX).to_bits() > 1);
    }

    #[test]
    fn a_tag_ahead_is_exact_to_the_nanosecond() {
        let clock = ManualClock::new();
        clock.advance(Duration::from_nanos(123_456_789));
        let now = clock.now().wall;
        for nanos in [1, 999, 1_000_003, 999_999_999, 86_400_000_000_001] {
            let delay = Duration::from_nanos(nanos);
            assert_eq!(clock.after(delay).near(now), now + delay);
        }
    }

    #[test]
    fn readings_convert_both_ways_and_are_total() {
        let now = SystemClock.now();
        let second = Duration::from_secs(1);
        assert_eq!(now.wall_at(now.deadline(now.wall + second)), now.wall + second);
        assert_eq!(now.deadline(now.wall - second), now.monotonic);
        assert_eq!(now.wall_at(now.monotonic - NANO), now.wall - NANO);
        let extreme = Reading { wall: UNIX_EPOCH - Duration::from_secs(1 << 62), ..now };
        let last = (0..63)
            .rev()
            .fold(now.wall, |wall, bit| wall.checked_add(Duration::from_secs(1 << bit)).unwrap_or(wall));
        assert_eq!(extreme.deadline(last), now.monotonic, "no instant holds it");
        assert_eq!(Reading { wall: last, ..now }.wall_at(now.monotonic + second), last);
    }

    #[test]
    fn the_halves_of_a_system_reading_belong_together() {
        let first = SystemClock.now();
        for _ in 0..1_000 {
            let now = SystemClock.now();
            assert!(now.monotonic >= first.monotonic);
            let expected = first.wall_at(now.monotonic);
            let moved = now.wall.duration_since(expected).unwrap_or_else(|behind| behind.duration());
            assert!(moved < Duration::from_millis(50), "{moved:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokio_s_clock_moves_with_tokio_s_time_only() {
        let clock = TokioClock::starting_at(UNIX_EPOCH + BORDER);
        assert_eq!(clock.now(), clock.now());
        tokio::time::advance(NANO).await;
        assert_eq!(clock.now().wall, UNIX_EPOCH + BORDER + NANO);
        assert_eq!(TokioClock::default().tag().to_string(), "0xed00378000000000");
    }

    #[test]
    fn clones_of_a_manual_clock_and_shared_clocks_show_one_time() {
        let clock = ManualClock::default();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        clock.advance_wall(Duration::from_secs(9));
        assert_eq!(shared.now(), clock.now());
        clock.set_wall(UNIX_EPOCH);
        assert_eq!(shared.tag(), TimeTag::new(2_208_988_800, 0));
    }

    #[test]
    fn a_manual_clock_stands_still_where_the_platform_ends() {
        let clock = ManualClock::new();
        let start = clock.now();
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), start);
    }
}
