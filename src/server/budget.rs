//! The work of one pass of the loop, before other tasks of the runtime run.

use std::time::Duration;

// Tokio's, so that a test that pauses the clock counts packets alone.
use tokio::time::Instant;

/// Packets received, and packets run.
const BURST: usize = 64;
/// The time after which no further packet is started. Checked after 1, 2, 4, … packets.
const SLICE: Duration = Duration::from_micros(100);

pub(super) struct PassBudget {
    taken: usize,
    run: usize,
    next_look: usize,
    begin: Instant,
}

impl PassBudget {
    pub(super) fn new() -> Self {
        Self { taken: 0, run: 0, next_look: 1, begin: Instant::now() }
    }

    /// Counts a packet read from a channel.
    pub(super) fn takes_one(&mut self) {
        self.taken += 1;
    }

    /// Counts a packet that runs.
    pub(super) fn runs_one(&mut self) {
        self.run += 1;
    }

    #[inline]
    pub(super) fn is_spent(&mut self) -> bool {
        if self.run >= self.next_look {
            self.next_look = self.run * 2;
            if self.begin.elapsed() >= SLICE {
                // It stays spent, however often it is asked.
                self.run = BURST;
            }
        }
        self.taken >= BURST || self.run >= BURST
    }
}
