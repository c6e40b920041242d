//! What a server may do in one turn, before other tasks of the runtime get theirs.

use std::time::{Duration, Instant};

/// Packets taken in, and packets run.
const BURST: usize = 64;
/// The time after which no other packet is begun; it is looked at after 1, 2, 4, … packets.
const SLICE: Duration = Duration::from_micros(100);

#[derive(Debug)]
pub(super) struct Share {
    /// Packets that may still be taken in.
    pub(super) intakes: usize,
    run: usize,
    next_look: usize,
    begin: Instant,
}

impl Share {
    pub(super) fn new() -> Self {
        Self { intakes: BURST, run: 0, next_look: 1, begin: Instant::now() }
    }

    /// Counts a packet that runs.
    pub(super) fn runs_one(&mut self) {
        self.run += 1;
    }

    pub(super) fn is_spent(&mut self) -> bool {
        if self.run >= self.next_look {
            self.next_look = self.run * 2;
            if self.begin.elapsed() >= SLICE {
                return true;
            }
        }
        self.intakes == 0 || self.run >= BURST
    }
}
