//! Wakes a task at an instant, with Tokio's sleep or a timer of the operating system.

#[cfg(all(feature = "fine", any(test, not(target_os = "linux"))))]
mod thread;
#[cfg(all(feature = "fine", target_os = "linux"))]
mod timerfd;

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

use super::precision::Precision;

#[cfg(all(feature = "fine", not(target_os = "linux")))]
use thread::ThreadAlarm as FineAlarm;
#[cfg(all(feature = "fine", target_os = "linux"))]
use timerfd::TimerFd as FineAlarm;

#[derive(Debug)]
pub(super) enum Alarm {
    Sleep(Pin<Box<Sleep>>),
    #[cfg(feature = "fine")]
    Fine(FineAlarm),
}

impl Alarm {
    /// Creates an alarm that is not set.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a Tokio runtime with time enabled, or, for a fine timer, with I/O enabled.
    pub(super) fn new(precision: Precision) -> Self {
        match precision {
            Precision::Tokio => Self::sleep(Instant::now()),
            #[cfg(feature = "fine")]
            Precision::Fine | Precision::Spin(_) => {
                FineAlarm::new().map_or_else(|error| Self::instead(&error, Instant::now()), Self::Fine)
            }
        }
    }

    fn sleep(until: Instant) -> Self {
        Self::Sleep(Box::pin(sleep_until(until)))
    }

    #[cfg(feature = "fine")]
    fn instead(error: &std::io::Error, until: Instant) -> Self {
        tracing::error!(target: "tokio_osc::schedule", %error, "no fine timer: Tokio's takes its place");
        Self::sleep(until)
    }

    /// Sets the instant, replacing the previous one.
    pub(super) fn set(&mut self, at: Instant) {
        match self {
            Self::Sleep(sleep) => sleep.as_mut().reset(at),
            #[cfg(feature = "fine")]
            Self::Fine(fine) => {
                if let Err(error) = fine.set(at.saturating_duration_since(Instant::now())) {
                    *self = Self::instead(&error, at);
                }
            }
        }
    }

    /// Ready once, at the instant or slightly before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Sleep(sleep) => sleep.as_mut().poll(cx),
            #[cfg(feature = "fine")]
            Self::Fine(fine) => fine.poll(cx),
        }
    }
}
