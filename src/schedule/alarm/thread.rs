//! A thread that waits for an instant and wakes a task, for systems without timerfd. It starts when the alarm
//! is first set and ends when the alarm is dropped.
//!
//! | state | the thread | `poll` |
//! | --- | --- | --- |
//! | `at` none, `rang` false: not set | sleeps until notified | pending |
//! | `at` some, `rang` false: set | sleeps until then, or until notified | pending |
//! | `at` none, `rang` true: rang | has woken the task; sleeps until notified | ready, and then not set |
//! | `dropped` | ends | |

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::lock::lock;

#[derive(Debug)]
pub(crate) struct ThreadAlarm {
    shared: Arc<AlarmThread>,
    started: bool,
}

/// The state shared by the thread and its alarm.
#[derive(Debug, Default)]
struct AlarmThread {
    state: Mutex<AlarmState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct AlarmState {
    at: Option<Instant>,
    rang: bool,
    waker: Option<Waker>,
    dropped: bool,
}

impl ThreadAlarm {
    /// Creates an alarm that is not set. No thread runs yet.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as the timerfd's")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { shared: Arc::default(), started: false })
    }

    /// Sets the time after which it rings, replacing the previous one.
    pub(super) fn set(&mut self, after: Duration) -> io::Result<()> {
        if !self.started {
            let shared = Arc::clone(&self.shared);
            thread::Builder::new().name("osc-timer".to_owned()).spawn(move || shared.wait())?;
            self.started = true;
        }
        let mut state = self.shared.lock();
        // A ring of the instant before must not count for this one.
        state.rang = false;
        state.at = Instant::now().checked_add(after);
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Ready once, when it rings.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.lock();
        if std::mem::take(&mut state.rang) {
            return Poll::Ready(());
        }
        // Under the lock under which the thread rings: no ring falls between the question and this.
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for ThreadAlarm {
    fn drop(&mut self) {
        self.shared.lock().dropped = true;
        self.shared.changed.notify_one();
    }
}

impl AlarmThread {
    fn lock(&self) -> MutexGuard<'_, AlarmState> {
        lock(&self.state)
    }

    /// Runs the thread.
    fn wait(&self) {
        let mut state = self.lock();
        while !state.dropped {
            let Some(at) = state.at else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Asked in each round: a wait may end early, or because another instant was set.
            let left = at.saturating_duration_since(Instant::now());
            if left > Duration::ZERO {
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            (state.at, state.rang) = (None, true);
            let waker = state.waker.take();
            drop(state); // The task that is woken will want the lock.
            if let Some(waker) = waker {
                waker.wake();
            }
            state = self.lock();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn it_rings_once_after_its_time_and_again_when_set_again() {
        let mut alarm = ThreadAlarm::new().unwrap();
        for micros in [0, 1, 700, 3_000] {
            let begin = Instant::now();
            alarm.set(Duration::from_micros(micros)).unwrap();
            poll_fn(|cx| alarm.poll(cx)).await;
            assert!(begin.elapsed() >= Duration::from_micros(micros));
            assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx))).await.is_pending());
        }
    }

    #[tokio::test]
    async fn setting_it_forgets_what_was_set_before() {
        let mut alarm = ThreadAlarm::new().unwrap();
        alarm.set(Duration::MAX).unwrap();
        alarm.set(Duration::from_secs(3_600)).unwrap();
        let begin = Instant::now();
        alarm.set(Duration::from_millis(2)).unwrap();
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!((Duration::from_millis(2)..Duration::from_secs(60)).contains(&begin.elapsed()));
    }

    #[test]
    fn its_thread_begins_with_the_first_use_and_ends_with_it() {
        let mut alarm = ThreadAlarm::new().unwrap();
        let shared = Arc::downgrade(&alarm.shared);
        assert_eq!(shared.strong_count(), 1, "no thread yet");
        alarm.set(Duration::from_secs(3_600)).unwrap();
        assert_eq!(shared.strong_count(), 2);
        drop(alarm);
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
