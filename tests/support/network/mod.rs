//! Simulated networks: proxies over loopback, one for datagrams and one for connections, with faults that are set while
//! they run. What happens to a packet is drawn from a seed, in the order of arrival.

pub mod datagrams;
pub mod streams;

use std::time::Duration;

/// Repeatable numbers.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        // Spread over all bits, and never zero, which would give zeros only.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).unwrap()
    }

    /// True in this share of the calls.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    /// A random part of a time, in whole microseconds.
    pub fn part_of(&mut self, time: Duration) -> Duration {
        let most = usize::try_from(time.as_micros()).unwrap();
        Duration::from_micros(self.roll(most + 1) as u64)
    }
}
