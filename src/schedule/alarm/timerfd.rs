//! A timerfd, polled by Tokio's reactor. It is ten times as precise as Tokio's own timer.
//!
//! Tokio's pipe type accepts any descriptor that can be polled and read, such as a timerfd.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe;

#[derive(Debug)]
pub(crate) struct TimerFd {
    descriptor: pipe::Receiver,
}

impl TimerFd {
    /// Creates an alarm that is not set.
    ///
    /// # Errors
    /// Returns an error if the process has no file descriptors left.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { descriptor: pipe::Receiver::from_owned_fd_unchecked(descriptor)? })
    }

    /// Sets the time after which it rings, replacing the previous one.
    pub(super) fn set(&mut self, after: Duration) -> io::Result<()> {
        // A zero duration would disarm the timer.
        let after = after.max(Duration::from_nanos(1));
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: after.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: after.subsec_nanos().into(),
        };
        let once = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    /// Ready once, when it rings.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut expirations = [0; 8];
        let read = Pin::new(&mut self.descriptor).poll_read(cx, &mut ReadBuf::new(&mut expirations));
        if let Err(error) = ready!(read) {
            tracing::error!(target: "tokio_osc::schedule", %error, "the timer cannot be read");
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future::poll_fn;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn it_rings_once_after_its_time_and_again_when_set_again() {
        let mut timer = TimerFd::new().unwrap();
        for micros in [0, 1, 700, 3_000] {
            let begin = Instant::now();
            timer.set(Duration::from_micros(micros)).unwrap();
            poll_fn(|cx| timer.poll(cx)).await;
            assert!(begin.elapsed() >= Duration::from_micros(micros));
            assert!(poll_fn(|cx| Poll::Ready(timer.poll(cx))).await.is_pending());
        }
    }

    #[tokio::test]
    async fn setting_it_forgets_what_was_set_before() {
        let mut timer = TimerFd::new().unwrap();
        timer.set(Duration::from_nanos(1)).unwrap();
        tokio::task::yield_now().await;
        let begin = Instant::now();
        timer.set(Duration::from_millis(5)).unwrap();
        poll_fn(|cx| timer.poll(cx)).await;
        assert!(begin.elapsed() >= Duration::from_millis(5));
        timer.set(Duration::MAX).unwrap();
        timer.set(Duration::from_millis(1)).unwrap();
        poll_fn(|cx| timer.poll(cx)).await;
    }
}
