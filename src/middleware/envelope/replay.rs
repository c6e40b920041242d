//! A replay window: the received packets, remembered in bounded memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::EnvelopeFault;
use super::stamp::Stamp;
use crate::lock::lock;
use crate::types::TimeTag;

/// Makes an [`Envelope`](crate::middleware::Envelope) refuse packets that were recorded and sent again. Each
/// packet carries a stamp: the id of the sender, a sequence number and the send time. The receiver remembers
/// the stamps that it received.
///
/// | limit | default |
/// |-------|---------|
/// | [`packets`](Self::packets) behind the newest of a sender | 1,024 |
/// | [`senders`](Self::senders) | 64 |
/// | [`tolerance`](Self::tolerance) of time | 30 s, both ways |
///
/// Each sender takes one bit per packet of the window and about 100 bytes in addition: 15 KiB in all by
/// default. Only packets that were signed or encrypted with a key create an entry. If its place is needed, a
/// sender is forgotten when all its packets are older than the tolerance.
///
/// Every envelope is a new sender when it is built: after a restart it starts at sequence number 0 with
/// another random id. It refuses the packets that it sent itself.
///
/// The clocks of both ends must agree within the tolerance. The receiver uses
/// [`Meta::received_at`](crate::Meta::received_at).
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::middleware::ReplayWindow;
///
/// let window = ReplayWindow::new().tolerance(Duration::from_secs(5)).senders(4);
/// ```
#[derive(Clone)]
pub struct ReplayWindow {
    packets: u64,
    senders: usize,
    tolerance: Duration,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayWindow {
    /// Creates a window with the default limits and the system clock.
    pub fn new() -> Self {
        Self {
            packets: 1_024,
            senders: 64,
            tolerance: Duration::from_secs(30),
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Sets how far a packet may be behind the newest packet of its sender. With 1, packets must arrive in
    /// order. Default 1,024; between 1 and 1,048,576.
    pub fn packets(mut self, packets: u32) -> Self {
        self.packets = u64::from(packets.clamp(1, 1 << 20));
        self
    }

    /// Sets how many senders are remembered. Further senders are refused. Default 64, at least 1.
    pub fn senders(mut self, senders: usize) -> Self {
        self.senders = senders.max(1);
        self
    }

    /// Sets how far the send time may be from the time of the receiver, in both directions. Default 30
    /// seconds. With 68 years or more, every time is accepted: time tags repeat after 136 years.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the clock for the stamps of outgoing packets. Default: the system clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl fmt::Debug for ReplayWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayWindow")
            .field("packets", &self.packets)
            .field("senders", &self.senders)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// Stamps outgoing packets, and checks the stamps of incoming packets.
#[derive(Debug)]
pub(super) struct Replay {
    window: ReplayWindow,
    sender: u64,
    next: AtomicU64,
    senders: Mutex<Senders>,
}

/// The known senders, and the time up to which a packet may come from a forgotten sender.
#[derive(Debug, Default)]
struct Senders {
    heard: HashMap<u64, Heard>,
    forgotten: Option<SystemTime>,
}

/// The packets of one sender: one bit each, in a ring of words with one spare word.
///
/// ```text
///                 highest - packets           highest
///                        |<------ window ------->|
///  sequence  … refused … | 1 1 0 1 1 1 … 1 1 0 1 1 | not heard yet …
///  word              | n | n + 1 |  …  | n + k |          word i lies at i % (k + 1) of the ring
/// ```
///
/// The window seldom begins at the border of a word, so `packets` bits can touch one word more than they
/// fill. That is the spare word. Without it, making room for the newest packet would clear bits that are
/// still in the window, and their packets would be accepted again.
#[derive(Debug)]
struct Heard {
    newest: SystemTime,
    highest: u64,
    ring: Box<[u64]>,
}

impl Replay {
    pub(super) fn new(window: ReplayWindow) -> Self {
        // The hasher has random keys, so the id is different each time. Uniqueness is all that an id needs.
        let sender = RandomState::new().hash_one(0_u8);
        Self { window, sender, next: AtomicU64::new(0), senders: Mutex::default() }
    }

    /// Creates the stamp of the next packet.
    pub(super) fn stamp(&self) -> Stamp {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        Stamp { sender: self.sender, sequence, time: TimeTag::at((self.window.clock)()) }
    }

    /// Records a packet with a genuine stamp, or refuses it.
    pub(super) fn admit(&self, stamp: Stamp, now: SystemTime) -> Result<(), EnvelopeFault> {
        if stamp.sender == self.sender {
            // Both ends may share one key. Without this, an attacker could send a packet back to its sender.
            return Err(EnvelopeFault::Reflected);
        }
        // Checked before anything is recorded: a packet outside of the tolerance must not create an entry, so
        // that the remembered senders are those of the last moments.
        // The time tag does not say its era; the nearest one to the clock is the only one that can be within
        // the tolerance.
        let sent = stamp.time.near(now);
        if distance(sent, now) > self.window.tolerance {
            return Err(EnvelopeFault::Untimely);
        }
        let mut senders = lock(&self.senders);
        if let Some(heard) = senders.heard.get_mut(&stamp.sender) {
            return heard.admit(stamp.sequence, sent, self.window.packets);
        }
        // A forgotten sender looks like a new one, and its window is gone. All its packets are outside of the
        // tolerance by now, unless the clock was set back: then they are refused here.
        if senders.forgotten.is_some_and(|forgotten| sent <= forgotten) {
            return Err(EnvelopeFault::Untimely);
        }
        if senders.heard.len() >= self.window.senders {
            // Swept only when the place is needed, so that the common packet costs one look-up.
            senders.forget_before(now.checked_sub(self.window.tolerance));
        }
        if senders.heard.len() >= self.window.senders {
            return Err(EnvelopeFault::TooManySenders);
        }
        senders.heard.insert(stamp.sender, Heard::first(stamp.sequence, sent, self.window.packets));
        Ok(())
    }
}

fn distance(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|error| error.duration())
}

impl Senders {
    fn forget_before(&mut self, time: Option<SystemTime>) {
        let Some(time) = time else { return };
        let forgotten = &mut self.forgotten;
        self.heard.retain(|_, heard| {
            let keep = heard.newest >= time;
            if !keep {
                // The newest packet of all forgotten senders: everything up to it is refused from unknown
                // senders.
                *forgotten = (*forgotten).max(Some(heard.newest));
            }
            keep
        });
    }
}

impl Heard {
    fn first(sequence: u64, sent: SystemTime, packets: u64) -> Self {
        // The spare word of the picture above.
        let words = packets.div_ceil(64) + 1;
        let mut heard = Self { newest: sent, highest: sequence, ring: (0..words).map(|_| 0).collect() };
        heard.mark(sequence);
        heard
    }

    fn admit(&mut self, sequence: u64, sent: SystemTime, packets: u64) -> Result<(), EnvelopeFault> {
        if sequence > self.highest {
            self.advance(sequence);
        // Compared by subtraction: a sum with `packets` would overflow at the last numbers.
        } else if self.highest - sequence >= packets {
            return Err(EnvelopeFault::Replayed);
        }
        if !self.mark(sequence) {
            return Err(EnvelopeFault::Replayed);
        }
        self.newest = self.newest.max(sent);
        Ok(())
    }

    /// Moves the window forward to this packet.
    fn advance(&mut self, highest: u64) {
        let (from, to) = (self.highest / 64, highest / 64);
        // A jump of more than the ring clears each word once, and not once per packet: the sender chooses the
        // number.
        let fresh = (to - from).min(self.ring.len() as u64);
        // Only words that the window enters are cleared. The word of the old highest packet keeps its bits.
        for word in to - fresh + 1..=to {
            *self.word(word) = 0;
        }
        self.highest = highest;
    }

    /// Sets the bit of a packet. Returns `false` if it was set before.
    fn mark(&mut self, sequence: u64) -> bool {
        let bit = 1 << (sequence % 64);
        let word = self.word(sequence / 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn word(&mut self, number: u64) -> &mut u64 {
        let at = number % self.ring.len() as u64;
        // In range: `at` is a remainder by the length.
        &mut self.ring[usize::try_from(at).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    fn is_admitted(replay: &Replay, sequence: u64) -> bool {
        let stamp = Stamp { sender: 7, sequence, time: TimeTag::at(UNIX_EPOCH) };
        replay.admit(stamp, UNIX_EPOCH).is_ok()
    }

    #[test]
    fn both_ends_of_the_numbers_fit() {
        let replay = Replay::new(ReplayWindow::new());
        for sequence in [0, u64::MAX, u64::MAX - 1_023] {
            assert!(is_admitted(&replay, sequence), "{sequence}");
            assert!(!is_admitted(&replay, sequence), "{sequence} again");
        }
        assert!(!is_admitted(&replay, u64::MAX - 1_024));
    }

    proptest! {
        /// The ring of bits decides as a set of all numbers does.
        #[test]
        fn the_ring_is_a_set_with_a_horizon(
            packets in 1_u32..300,
            steps in prop::collection::vec((0_u64..400, 0_u64..700), 1..300),
        ) {
            let replay = Replay::new(ReplayWindow::new().packets(packets));
            let mut seen = HashSet::new();
            let (mut base, mut highest) = (0, None);
            for (step, back) in steps {
                base += step;
                let sequence = 700 + base - back;
                let in_window = highest.is_none_or(|highest: u64| sequence + u64::from(packets) > highest);
                let expected = in_window && seen.insert(sequence);
                prop_assert_eq!(is_admitted(&replay, sequence), expected, "{}", sequence);
                highest = highest.max(Some(sequence));
            }
        }
    }
}
