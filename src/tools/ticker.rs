//! A metronome that yields its ticks early, so that there is time to send them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::nanos::{nanos, nanos_between};
use crate::TimeTag;
use crate::schedule::{Clock, Reading, SystemClock};

/// Default lookahead.
const LOOKAHEAD: Duration = Duration::from_millis(100);

/// A metronome that yields each tick before it is due. A bundle with the time tag of the tick arrives in time
/// and runs exactly at the tick, even if the network or this task is delayed.
///
/// Ticks do not drift: tick n is due n periods after the first, by the monotonic clock, whenever it was
/// requested. If the wall clock is set, the beat goes on, and the time tags follow the wall clock.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::TokioClock;
/// use tokio_osc::tools::Ticker;
/// use tokio_osc::Bundle;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let quarter = Duration::from_millis(500); // 120 beats per minute
/// let lookahead = Duration::from_millis(50);
/// let mut ticker = Ticker::new(quarter).lookahead(lookahead).clock(TokioClock::new());
/// let (first, second) = (ticker.tick().await, ticker.tick().await);
/// assert_eq!(second.due, first.due + quarter);
///
/// let bundle = Bundle::at(second.tag).with(("/click", second.number as i32));
/// # });
/// ```
#[derive(Debug)]
pub struct Ticker {
    clock: Arc<dyn Clock>,
    period: Duration,
    lookahead: Duration,
    start: Option<SystemTime>,
    beat: Option<Beat>,
}

/// The times of the ticks: nanoseconds of the monotonic clock after `origin`.
#[derive(Clone, Copy, Debug)]
struct Beat {
    origin: Instant,
    first: i128,
    next: u64,
}

/// One tick of a [`Ticker`].
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::tools::Ticker;
/// use tokio_osc::TimeTag;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ticker = Ticker::new(Duration::from_millis(20)).lookahead(Duration::from_millis(10));
/// let tick = ticker.tick().await;
/// assert_eq!(tick.number, 0);
/// assert_eq!(tick.tag, TimeTag::from(tick.due));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of periods since the first tick.
    pub number: u64,
    /// The due time, by the clock of the ticker.
    pub due: SystemTime,
    /// The due time as a time tag.
    pub tag: TimeTag,
}

impl Ticker {
    /// Creates a ticker with this period. The first tick is due one lookahead after the first call of
    /// [`tick`](Ticker::tick).
    ///
    /// # Panics
    /// Panics if `period` is zero.
    #[track_caller]
    pub fn new(period: Duration) -> Self {
        assert!(!period.is_zero(), "a ticker needs a period");
        Self { clock: Arc::new(SystemClock), period, lookahead: LOOKAHEAD, start: None, beat: None }
    }

    /// Sets how long before its due time each tick is yielded. Default 100 ms: more than a packet needs.
    pub fn lookahead(mut self, lookahead: Duration) -> Self {
        self.lookahead = lookahead;
        self
    }

    /// Sets the clock. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the due time of tick 0, so that several machines tick together. If it is in the past, the first
    /// tick yielded is the next one in the future, with its number.
    pub fn starting_at(mut self, wall: SystemTime) -> Self {
        self.start = Some(wall);
        self
    }

    /// Waits until the next tick is due within the lookahead, and returns it. Ticks whose time has passed,
    /// because this method was not called in time, are skipped: their numbers are missing.
    ///
    /// # Cancel safety
    /// If the future is dropped, no tick is lost.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub async fn tick(&mut self) -> Tick {
        let lookahead = nanos(self.lookahead);
        loop {
            let now = self.clock.now();
            // On a copy: the tick counts as taken only when it is returned, so that a dropped future takes
            // none.
            let mut beat = self.beat(now);
            let passed = nanos(now.monotonic.saturating_duration_since(beat.origin));
            let period = nanos(self.period);
            let first_to_come = (passed - beat.first + period - 1).div_euclid(period);
            beat.next = beat.next.max(u64::try_from(first_to_come).unwrap_or_default());
            let ahead = beat.first + i128::from(beat.next) * period - passed;
            if ahead > lookahead {
                // Checked again after the sleep: the clock may run at another rate than Tokio's timer.
                tokio::time::sleep(duration(ahead - lookahead)).await;
                continue;
            }
            let due = now.wall.checked_add(duration(ahead)).unwrap_or(now.wall);
            let tick = Tick { number: beat.next, due, tag: TimeTag::at(due) };
            beat.next += 1;
            self.beat = Some(beat);
            return tick;
        }
    }

    /// The beat, which starts with the first reading of the clock.
    fn beat(&mut self, now: Reading) -> Beat {
        let first = self.start.map_or(nanos(self.lookahead), |start| nanos_between(start, now.wall));
        *self.beat.get_or_insert(Beat { origin: now.monotonic, first, next: 0 })
    }
}

/// Converts to a duration, limited to some centuries.
fn duration(nanos: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use crate::schedule::{ManualClock, TokioClock};

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_ticks_do_not_drift_and_come_a_lookahead_before_they_are_due() {
        let clock = TokioClock::new();
        let start = clock.now();
        let period = Duration::from_nanos(16_666_667);
        let mut ticker = Ticker::new(period).lookahead(50 * MILLI).clock(clock);
        for number in 0..10_000_u32 {
            let tick = ticker.tick().await;
            let due = start.wall + 50 * MILLI + period * number;
            assert_eq!((tick.number, tick.due, tick.tag), (number.into(), due, TimeTag::at(due)));
            let ahead = due.duration_since(clock.now().wall).unwrap_or_default();
            assert!(ahead <= 50 * MILLI && ahead > 49 * MILLI, "{ahead:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_that_were_not_polled_in_time_are_skipped_and_the_beat_goes_on() {
        let clock = TokioClock::new();
        let mut ticker = Ticker::new(10 * MILLI).lookahead(5 * MILLI).clock(clock);
        let first = ticker.tick().await;
        tokio::time::sleep(37 * MILLI).await; // 2 ms after the fourth was due
        let next = ticker.tick().await;
        assert_eq!((next.number, next.due), (4, first.due + 40 * MILLI));
        let at_its_time = ticker.tick().await;
        assert_eq!(at_its_time.number, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn machines_that_start_from_one_time_tick_together() {
        let clock = TokioClock::new();
        let wall = clock.now().wall;
        let ticker = |start| Ticker::new(10 * MILLI).lookahead(MILLI).clock(clock).starting_at(start);
        let past = ticker(wall - Duration::from_secs(1) - 3 * MILLI).tick().await;
        assert_eq!((past.number, past.due), (101, wall + 7 * MILLI));
        let exactly_now = ticker(clock.now().wall).tick().await;
        assert_eq!((exactly_now.number, exactly_now.due), (0, clock.now().wall));
        let begin = Instant::now();
        let future = ticker(clock.now().wall + 20 * MILLI).tick().await;
        assert_eq!((future.number, begin.elapsed()), (0, 19 * MILLI));
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_wall_clock_is_set_the_beat_goes_on_and_tags_follow() {
        let clock = ManualClock::new();
        let mut ticker = Ticker::new(10 * MILLI).lookahead(10 * MILLI).clock(clock.clone());
        let first = ticker.tick().await;
        clock.advance(10 * MILLI);
        clock.advance_wall(Duration::from_secs(3_600));
        let second = ticker.tick().await;
        assert_eq!((second.number, second.due), (1, first.due + 10 * MILLI + Duration::from_secs(3_600)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_future_takes_no_tick() {
        let mut ticker = Ticker::new(10 * MILLI).lookahead(Duration::ZERO).clock(TokioClock::new());
        assert_eq!(ticker.tick().await.number, 0);
        for _ in 0..3 {
            assert!(tokio::time::timeout(MILLI, ticker.tick()).await.is_err());
        }
        assert_eq!(ticker.tick().await.number, 1);
    }
}
