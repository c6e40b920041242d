//! The alarm of a schedule, which is set only when its instant changes.
//!
//! A round of [`Timer::poll_due`], until the clock shows `wake`:
//!
//! | the alarm | the clock lacks | what happens |
//! | --- | --- | --- |
//! | is set for `wake`, and has not rung | | pending |
//! | has rung, or is set for another instant | nothing | due |
//! | as above | no more than the spin, for the first time | spins, and looks again |
//! | as above | more | is set; pending until it rings |
//!
//! The alarm may ring early, and the clock may run behind Tokio's. So the clock decides, and the alarm
//! only sets the time of the next reading.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::alarm::Alarm;
use super::clock::{Clock, Reading};
use super::precision::Precision;

/// The maximum interval between readings of a clock that is behind Tokio's.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The maximum time to spin.
#[cfg(feature = "fine")]
const LONGEST_SPIN: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Timer {
    alarm: Alarm,
    /// The instant of the alarm.
    armed: Option<Instant>,
    /// The time by which the alarm rings early.
    spin: Duration,
}

impl Timer {
    /// Creates a timer that is not set.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a Tokio runtime with time enabled and, unless the precision is Tokio's,
    /// with I/O enabled. So the driver creates its timer at its start, and not when the first timed bundle
    /// arrives: no peer can cause the panic.
    pub(crate) fn new(precision: Precision) -> Self {
        let spin = match precision {
            #[cfg(feature = "fine")]
            Precision::Spin(spin) => spin.min(LONGEST_SPIN),
            _ => Duration::ZERO,
        };
        Self { alarm: Alarm::new(precision), armed: None, spin }
    }

    /// Ready, with a reading of `clock`, when its monotonic time has reached `wake`, never before. Without a
    /// `wake` it stays pending, and nothing wakes the task.
    ///
    /// A clock that is behind Tokio's is read again when the missing time has passed.
    pub(crate) fn poll_due(
        &mut self,
        cx: &mut Context<'_>,
        clock: &(impl Clock + ?Sized),
        wake: Option<Instant>,
    ) -> Poll<Reading> {
        let Some(wake) = wake else {
            self.armed = None;
            return Poll::Pending;
        };
        let mut spun = false;
        loop {
            // Polled, and not set, while `wake` stays the same: setting a timer again for each packet
            // would cost more than the packet.
            if self.armed == Some(wake) {
                ready!(self.alarm.poll(cx));
                // It rings once. Left armed, the next round would wait for a ring that never comes.
                self.armed = None;
            }
            let now = clock.now();
            if now.monotonic >= wake {
                return Poll::Ready(now);
            }
            let lacking = wake.saturating_duration_since(now.monotonic);
            // Once in a poll: by a clock that stands still, spinning would never end.
            if lacking <= self.spin && !spun {
                spin(lacking);
                spun = true;
                continue;
            }
            // Where Tokio's time has passed `wake` already, only this clock is behind: an alarm at `wake`
            // would ring at once, and the task would spin.
            let tokio = Instant::now();
            let later = tokio.checked_add(lacking.min(LONGEST)).unwrap_or(tokio);
            let at = if tokio < wake { wake } else { later };
            let early = if spun { Duration::ZERO } else { self.spin };
            self.alarm.set(at.checked_sub(early).unwrap_or(at));
            // Not returned: only a poll of the alarm registers the waker.
            self.armed = Some(wake);
        }
    }
}

/// Measured with the clock of the operating system, because Tokio's may be paused.
fn spin(time: Duration) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::SystemTime;

    use crate::schedule::clock::{ManualClock, SystemClock, TokioClock};
    use crate::schedule::entry::Entry;
    use crate::schedule::limits::ScheduleLimits;
    use crate::schedule::queue::{CHECK_INTERVAL, Schedule};

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn deadline(timer: &Timer) -> Instant {
        match &timer.alarm {
            Alarm::Sleep(sleep) => sleep.deadline(),
            #[cfg(feature = "fine")]
            Alarm::Fine(_) => unreachable!("the precision is Tokio's"),
        }
    }

    async fn due(timer: &mut Timer, clock: &impl Clock, wake: Instant) -> Reading {
        poll_fn(|cx| timer.poll_due(cx, clock, Some(wake))).await
    }

    #[tokio::test(start_paused = true)]
    async fn between_milliseconds_it_is_late_by_less_than_one_and_never_early() {
        let clock = TokioClock::new();
        let mut timer = Timer::new(Precision::Tokio);
        for nanos in [1, 999_999, 1_000_001, 1_234_567, 86_400_000_000_001] {
            let wake = Instant::now() + Duration::from_nanos(nanos);
            let late = due(&mut timer, &clock, wake).await.monotonic.checked_duration_since(wake);
            assert!(late.is_some_and(|late| late < MILLI), "{late:?} after {nanos} ns");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whole_milliseconds_are_exact() {
        let clock = TokioClock::new();
        let start = clock.now();
        let mut timer = Timer::new(Precision::Tokio);
        for millis in [1, 2, 10, 1_000, 3_600_000] {
            let wake = start.monotonic + MILLI * millis;
            assert_eq!(due(&mut timer, &clock, wake).await.wall, start.wall + MILLI * millis);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_past_is_due_at_once() {
        let clock = TokioClock::new();
        let start = Instant::now();
        let mut timer = Timer::new(Precision::Tokio);
        for _ in 0..3 {
            assert_eq!(due(&mut timer, &clock, start).await.monotonic, start);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_armed_again_only_when_the_head_changes() {
        let clock = TokioClock::new();
        let mut timer = Timer::new(Precision::Tokio);
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        let cx = &mut Context::from_waker(&waker);
        let start = Instant::now();
        let (near, far) = (Some(start + SECOND), Some(start + 3 * SECOND));

        assert!(timer.poll_due(cx, &clock, near).is_pending());
        tokio::time::advance(SECOND / 2).await;
        for _ in 0..100 {
            assert!(timer.poll_due(cx, &clock, near).is_pending());
        }
        assert_eq!((timer.armed, deadline(&timer)), (near, start + SECOND));

        assert!(timer.poll_due(cx, &clock, far).is_pending());
        assert_eq!(deadline(&timer), start + 3 * SECOND);
        tokio::time::advance(SECOND).await;
        assert_eq!(woken.0.load(Ordering::Relaxed), 0, "the old head is forgotten");

        let nearer = Some(start + 2 * SECOND);
        assert!(timer.poll_due(cx, &clock, nearer).is_pending());
        tokio::time::advance(SECOND / 2).await;
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(timer.poll_due(cx, &clock, nearer).is_ready());

        assert!(timer.poll_due(cx, &clock, None).is_pending());
        tokio::time::advance(3_600 * SECOND).await;
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "without a head nothing wakes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_behind_tokio_s_is_waited_for() {
        let clock = ManualClock::new();
        let wake = clock.now().monotonic + SECOND;
        let mut timer = Timer::new(Precision::Tokio);
        let mut looks = 0;
        let reading = poll_fn(|cx| {
            looks += 1;
            if looks == 4 {
                clock.advance(SECOND);
            }
            timer.poll_due(cx, &clock, Some(wake))
        });
        assert_eq!(reading.await.monotonic, wake);
        assert_eq!(looks, 4, "one look per second that it lacked");
    }

    #[tokio::test]
    async fn the_system_clock_is_never_early_in_any_mode() {
        let modes = [
            Precision::Tokio,
            #[cfg(feature = "fine")]
            Precision::Fine,
            #[cfg(feature = "fine")]
            Precision::Spin(Duration::from_micros(200)),
            #[cfg(feature = "fine")]
            Precision::Spin(Duration::MAX),
        ];
        for mode in modes {
            let mut timer = Timer::new(mode);
            for micros in [0, 1, 300, 1_500, 5_000] {
                let wake = SystemClock.now().monotonic + Duration::from_micros(micros);
                assert!(due(&mut timer, &SystemClock, wake).await.monotonic >= wake);
                assert!(Instant::now() >= wake);
            }
        }
    }

    #[cfg(feature = "fine")]
    #[tokio::test]
    async fn a_stopped_clock_does_not_make_the_timer_spin_forever() {
        let clock = ManualClock::new();
        let wake = clock.now().monotonic + Duration::from_micros(300);
        let mut timer = Timer::new(Precision::Spin(MILLI));
        let mut looks = 0;
        let reading = poll_fn(|cx| {
            looks += 1;
            if looks == 4 {
                clock.advance(MILLI);
            }
            timer.poll_due(cx, &clock, Some(wake))
        });
        assert_eq!(reading.await.monotonic, wake + MILLI - Duration::from_micros(300));
    }

    #[cfg(feature = "fine")]
    #[tokio::test]
    async fn a_fine_timer_is_set_again_when_the_head_changes() {
        let mut timer = Timer::new(Precision::Fine);
        let start = SystemClock.now().monotonic;
        for millis in [50, 20, 3] {
            let wake = Some(start + MILLI * millis);
            assert!(poll_fn(|cx| Poll::Ready(timer.poll_due(cx, &SystemClock, wake))).await.is_pending());
        }
        let woken = due(&mut timer, &SystemClock, start + 3 * MILLI).await.monotonic;
        assert!(woken < start + 20 * MILLI, "by the nearest: {:?}", woken - start);
    }

    /// Tokio's time, and a wall clock that is put forward or back at some moment.
    #[derive(Debug)]
    struct Stepping {
        clock: TokioClock,
        at: Instant,
        step: fn(SystemTime) -> SystemTime,
    }

    impl Clock for Stepping {
        fn now(&self) -> Reading {
            let now = self.clock.now();
            if now.monotonic < self.at { now } else { Reading { wall: (self.step)(now.wall), ..now } }
        }
    }

    /// Holds a hundred entries, 100 ms apart from 10 s on, steps the clock after 5 s, and returns
    /// the reading at which each ran.
    async fn run_through_a_step(step: fn(SystemTime) -> SystemTime) -> Vec<(SystemTime, Reading)> {
        let clock = TokioClock::new();
        let start = clock.now();
        let clock = Stepping { clock, at: start.monotonic + 5 * SECOND, step };
        let mut queue = Schedule::new(ScheduleLimits::default(), start);
        for item in 0..100 {
            let due = start.wall + 10 * SECOND + 100 * MILLI * item;
            assert!(queue.push(Entry { due, bytes: 1, peer: None, item }).is_ok());
        }
        let mut timer = Timer::new(Precision::Tokio);
        let mut ran = Vec::new();
        while queue.len() > 0 {
            let now = poll_fn(|cx| timer.poll_due(cx, &clock, queue.next_wake())).await;
            let due = std::iter::from_fn(|| queue.pop_due(now));
            ran.extend(due.map(|popped| (popped.entry.due, now)));
        }
        ran
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_entries_run_by_the_rule_through_every_step() {
        let steps: [fn(SystemTime) -> SystemTime; 5] = [
            |wall| wall,
            |wall| wall + SECOND,
            |wall| wall - SECOND,
            |wall| wall + 3_600 * SECOND,
            |wall| wall - 3_600 * SECOND,
        ];
        for (number, step) in (0..).zip(steps) {
            let stepped = TokioClock::new().now().monotonic + 5 * SECOND;
            let ran = run_through_a_step(step).await;
            assert!(ran.is_sorted_by_key(|(due, _)| *due) && ran.len() == 100);
            for (due, now) in ran {
                if number == 3 {
                    assert!(
                        now.monotonic - stepped <= CHECK_INTERVAL,
                        "all are overdue, and run when noticed"
                    );
                } else {
                    assert_eq!(now.wall, due, "exactly at its wall time");
                }
            }
        }
    }
}
