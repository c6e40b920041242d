//! The one sleep of a schedule, armed again only when what it waits for changes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::clock::{Clock, Reading};

/// A clock that is behind Tokio's is looked at this often at least.
const LONGEST: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// What the sleep was armed for.
    armed: Option<Instant>,
}

impl Timer {
    /// Not armed yet.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with time enabled. Hence a driver makes its timer when it starts,
    /// and not when the first timed bundle comes in: no peer can cause this.
    pub(crate) fn new() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())), armed: None }
    }

    /// Ready, with a reading of `clock`, as soon as its monotonic time has reached `wake`, never
    /// before. Without a `wake`, pending, and nothing will wake the task.
    ///
    /// A clock that is behind Tokio's is looked at again when the time that it lacks has passed.
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
        loop {
            if self.armed == Some(wake) {
                ready!(self.sleep.as_mut().poll(cx));
                self.armed = None;
            }
            let now = clock.now();
            if now.monotonic >= wake {
                return Poll::Ready(now);
            }
            let lacking = wake.saturating_duration_since(now.monotonic);
            let tokio = Instant::now();
            self.sleep.as_mut().reset(if tokio < wake { wake } else { tokio + lacking.min(LONGEST) });
            self.armed = Some(wake);
        }
    }
}
