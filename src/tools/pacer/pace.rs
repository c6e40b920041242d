//! When a pacer may send.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// A rate with bursts: when the line would be on time, if each packet took its whole share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The share of a packet.
    interval: Duration,
    pub(super) burst: u32,
    /// When the shares of all packets so far are used up.
    spent_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: NonZeroU32, burst: u32) -> Self {
        let nanos = 1_000_000_000_u64.div_ceil(u64::from(rate.get()));
        Self { interval: Duration::from_nanos(nanos), burst, spent_until: None }
    }

    /// When the next packet may go out.
    pub(super) fn next(&self) -> Instant {
        let ahead = self.interval * (self.burst - 1);
        let now = Instant::now();
        self.spent_until.and_then(|until| until.checked_sub(ahead)).map_or(now, |next| next.max(now))
    }

    pub(super) fn note(&mut self, now: Instant) {
        self.spent_until = Some(self.spent_until.map_or(now, |until| until.max(now)) + self.interval);
    }
}
