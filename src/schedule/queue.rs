//! The queue of timed bundles: sans-IO, stepped by [`Reading`]s of a clock.
//!
//! Entries are kept by the *wall* time at which they are due, and by arrival among equals; an entry
//! is due when the wall clock shows its time. Deadlines, the monotonic instants to sleep until, are
//! derived from the head alone, through the offset between the two clocks. So entries with equal
//! tags are in order of arrival even while NTP slews the clock between their arrivals, and when the
//! clock is set, one offset changes and not every entry.
//!
//! The driver's rule, for the order of equal tags to hold for those that need not wait: run
//! whatever [`Queue::pop_due`] gives before judging the next packet at the same reading.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::types::TimeTag;

use super::clock::Reading;
use super::due::Due;
use super::entry::{Entry, EntryId, Popped};
use super::ledger::{Ledger, Limit};
use super::limits::{CapacityPolicy, HorizonPolicy, ScheduleCounters, ScheduleLimits};

/// The offset between the clocks may move by this much before deadlines are derived again.
pub(crate) const STEP: Duration = Duration::from_millis(1);
/// How often, at least, the offset is looked at while something waits.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Queue<T> {
    entries: BTreeMap<EntryId, Entry<T>>,
    ledger: Ledger,
    arrivals: u64,
    /// The reading from which deadlines are derived.
    anchor: Reading,
    next_check: Instant,
    limits: ScheduleLimits,
    counters: ScheduleCounters,
}

/// An entry that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused<T> {
    pub(crate) entry: Entry<T>,
    pub(crate) limit: Limit,
}

impl<T> Queue<T> {
    pub(crate) fn new(limits: ScheduleLimits, now: Reading) -> Self {
        Self {
            entries: BTreeMap::new(),
            ledger: Ledger::new(&limits),
            arrivals: 0,
            anchor: now,
            next_check: now.monotonic,
            limits,
            counters: ScheduleCounters::default(),
        }
    }

    /// What a tag means now, counted. What to do with [`Due::BeyondHorizon`] is for
    /// [`HorizonPolicy`] to say.
    pub(crate) fn judge(&mut self, tag: TimeTag, now: Reading) -> Due {
        let due = Due::of(tag, now.wall, self.limits.horizon);
        match due {
            Due::Unset => self.counters.unset += 1,
            Due::Now { late } if late > Duration::ZERO => self.counters.late += 1,
            Due::BeyondHorizon => {
                self.counters.beyond_horizon += 1;
                if self.limits.beyond_horizon == HorizonPolicy::Drop {
                    self.counters.dropped_beyond_horizon += 1;
                }
            }
            Due::Immediately | Due::Now { .. } | Due::Later { .. } => {}
        }
        due
    }

    /// Takes in an entry, whatever its due time, or gives it back with the limit that it exceeds.
    pub(crate) fn push(&mut self, mut entry: Entry<T>) -> Result<EntryId, Refused<T>> {
        entry.peer = entry.peer.map(|peer| peer.to_canonical());
        let id = EntryId { due: entry.due, sequence: self.arrivals };
        if let Err(limit) = self.enter(id, entry.peer, entry.bytes) {
            self.count_refusal(limit);
            return Err(Refused { entry, limit });
        }
        self.arrivals += 1;
        self.counters.pushed += 1;
        self.entries.insert(id, entry);
        Ok(id)
    }

    fn enter(&mut self, id: EntryId, peer: Option<IpAddr>, bytes: usize) -> Result<(), Limit> {
        let entered = self.ledger.enter(id, peer, bytes);
        if entered.is_ok() || self.limits.when_full == CapacityPolicy::DropNewest {
            return entered;
        }
        for victim in self.later_ones_to_evict(id, peer, bytes).unwrap_or_default() {
            self.remove(victim);
            self.counters.evicted += 1;
        }
        self.ledger.enter(id, peer, bytes)
    }

    /// The entries that have to go for `id` to fit, the farthest first: of its peer while the
    /// peer's share is exceeded, then of all. `None` if nearer ones would have to.
    fn later_ones_to_evict(&self, id: EntryId, peer: Option<IpAddr>, bytes: usize) -> Option<Vec<EntryId>> {
        let mut victims = Vec::new();
        let mut total = self.ledger.total().plus(bytes);
        if let Some((load, waiting)) = peer.and_then(|peer| self.ledger.account(peer)) {
            let mut load = load.plus(bytes);
            let mut farthest = waiting.range(id..).rev();
            while load.exceeds(self.ledger.share()) {
                let victim = farthest.next()?;
                let freed = self.entries.get(victim)?.bytes;
                (load, total) = (load.minus(freed), total.minus(freed));
                victims.push(*victim);
            }
        }
        let cut = victims.last().copied();
        let is_victim = |(other, entry): &(&EntryId, &Entry<T>)| {
            entry.peer == peer && cut.is_some_and(|cut| **other >= cut)
        };
        let mut farthest = self.entries.range(id..).rev().filter(|other| !is_victim(other));
        while total.exceeds(self.ledger.most()) {
            let (victim, entry) = farthest.next()?;
            total = total.minus(entry.bytes);
            victims.push(*victim);
        }
        Some(victims)
    }

    fn count_refusal(&mut self, limit: Limit) {
        let counter = match limit {
            Limit::Entries => &mut self.counters.dropped_entries,
            Limit::Bytes => &mut self.counters.dropped_bytes,
            Limit::PeerEntries => &mut self.counters.dropped_peer_entries,
            Limit::PeerBytes => &mut self.counters.dropped_peer_bytes,
        };
        *counter += 1;
    }

    /// The next entry whose time has come, in order. Give all of a wake-up the same reading, and
    /// take as many as one burst may run.
    pub(crate) fn pop_due(&mut self, now: Reading) -> Option<Popped<T>> {
        self.rebase(now);
        let head = *self.entries.first_key_value()?.0;
        if let Ok(late) = now.wall.duration_since(head.due) {
            return self.pop(head, late);
        }
        if self.anchor.deadline(head.due) <= now.monotonic {
            self.anchor = now; // The offset moved by less than a step, but enough to wake us early.
        }
        self.pop_beyond_horizon(now.wall)
    }

    fn pop(&mut self, id: EntryId, late: Duration) -> Option<Popped<T>> {
        let entry = self.remove(id)?;
        self.counters.run += 1;
        Some(Popped { id, entry, late })
    }

    /// An entry can only lie beyond the horizon after the wall clock was set back. It is treated as
    /// if it had arrived now.
    fn pop_beyond_horizon(&mut self, now: SystemTime) -> Option<Popped<T>> {
        let edge = EntryId { due: now.checked_add(self.limits.horizon)?, sequence: u64::MAX };
        while *self.entries.last_key_value()?.0 > edge {
            let beyond = (Bound::Excluded(edge), Bound::Unbounded);
            let first = *self.entries.range(beyond).next()?.0;
            self.counters.beyond_horizon += 1;
            match self.limits.beyond_horizon {
                HorizonPolicy::RunNow => return self.pop(first, Duration::ZERO),
                HorizonPolicy::Drop => {
                    self.remove(first);
                    self.counters.dropped_after_step += 1;
                }
            }
        }
        None
    }

    /// Derives deadlines again if the offset between the clocks moved by more than [`STEP`];
    /// whether it did. [`pop_due`](Self::pop_due) does this too.
    pub(crate) fn rebase(&mut self, now: Reading) -> bool {
        if now.monotonic >= self.next_check {
            self.next_check = now.monotonic.checked_add(CHECK_INTERVAL).unwrap_or(now.monotonic);
        }
        let expected = self.anchor.wall_at(now.monotonic);
        let moved = now.wall.duration_since(expected).unwrap_or_else(|behind| behind.duration());
        if moved <= STEP {
            return false;
        }
        self.anchor = now;
        self.counters.clock_steps += 1;
        true
    }

    /// The instant at which the head is due, if no clock is set meanwhile.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let (head, _) = self.entries.first_key_value()?;
        Some(self.anchor.deadline(head.due))
    }

    /// The instant at which to call [`pop_due`](Self::pop_due) next: the deadline of the head, or
    /// the next look at the offset between the clocks. `None` while nothing waits.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        Some(self.next_deadline()?.min(self.next_check))
    }

    /// Takes out one entry; `None` if it ran or was cancelled before.
    pub(crate) fn cancel(&mut self, id: EntryId) -> Option<Entry<T>> {
        let entry = self.remove(id)?;
        self.counters.cancelled += 1;
        Some(entry)
    }

    /// Takes out every entry for which `gone` holds; how many that were. Looks at all of them.
    pub(crate) fn cancel_where(&mut self, mut gone: impl FnMut(EntryId, &Entry<T>) -> bool) -> usize {
        let before = self.entries.len();
        let ledger = &mut self.ledger;
        self.entries.retain(|id, entry| {
            let stays = !gone(*id, entry);
            if !stays {
                ledger.strike(*id, entry.peer, entry.bytes);
            }
            stays
        });
        let cancelled = before - self.entries.len();
        self.counters.cancelled += cancelled as u64;
        cancelled
    }

    /// Takes out everything, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (EntryId, Entry<T>)> + use<T> {
        self.counters.cancelled += self.entries.len() as u64;
        self.ledger = Ledger::new(&self.limits);
        std::mem::take(&mut self.entries).into_iter()
    }

    /// What waits, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry<T>)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ledger.total().bytes
    }

    pub(crate) fn limits(&self) -> &ScheduleLimits {
        &self.limits
    }

    pub(crate) fn counters(&self) -> ScheduleCounters {
        ScheduleCounters { pending: self.len(), bytes: self.bytes(), ..self.counters }
    }

    fn remove(&mut self, id: EntryId) -> Option<Entry<T>> {
        let entry = self.entries.remove(&id)?;
        self.ledger.strike(id, entry.peer, entry.bytes);
        Some(entry)
    }
}
