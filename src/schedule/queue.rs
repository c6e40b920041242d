//! The queue of timed bundles: sans-IO, driven by [`Reading`]s of a clock.
//!
//! ```text
//!  push ──► ledger: room? ──► slots: EntryId ─► due, arrival, bytes, peer, item
//!              │ no                 ▲                                  │
//!              ▼                    │ does the name still hold?        │ remove: pop, cancel,
//!        refuse, or evict           │                                  │ evict, step back
//!        the farthest         order: a heap of places (due, arrival, EntryId)
//!                             ├ head: always of an entry that waits ──► the next deadline
//!                             └ behind it also places of removed entries, at most n + GARBAGE
//! ```
//!
//! Removal is lazy: it takes an entry out of its slot and leaves its place in the heap, where only a search
//! could find it. [`tidy`](Schedule::tidy) restores the two rules of the picture.
//!
//! Entries are ordered by the *wall* time at which they are due, and by arrival among equals. An entry is due
//! when the wall clock shows its time. Deadlines, the monotonic instants to sleep until, are derived only for
//! the head, from the offset between the two clocks:
//!
//! | the wall clock, against the monotonic one | what happens at the next look |
//! | --- | --- |
//! | moved by [`STEP`] at most | nothing, unless the head would be woken for too early: then deadlines are derived again |
//! | was put forward | deadlines are derived again; all that is overdue runs, in order |
//! | was set back | deadlines are derived again; bundles that are now beyond the horizon are treated as if they had just arrived |
//!
//! Entries with equal tags are therefore in order of arrival even if NTP slews the clock between their
//! arrivals. If the clock is set, one offset changes, and not every entry.
//!
//! Rule for the driver, so that equal tags also run in order if some need not wait: run everything that
//! [`Schedule::pop_due`] returns before the next packet is evaluated at the same reading.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::types::TimeTag;

use super::clock::Reading;
use super::due::Due;
use super::entry::{Entry, EntryId, Limit, Place, Popped, Refused};
use super::ledger::Ledger;
use super::limits::{CapacityPolicy, HorizonPolicy, ScheduleLimits, ScheduleStats};
use super::slots::Slots;

/// The change of the offset between the clocks after which deadlines are derived again.
pub(crate) const STEP: Duration = Duration::from_millis(1);
/// The maximum interval between checks of the offset while entries wait.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of places of removed entries, in addition to one for each waiting entry.
const GARBAGE: usize = 64;

// With a path, because the benchmark compiles this file under another parent.
#[cfg(test)]
#[path = "queue/model.rs"]
mod model;
#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;

#[derive(Debug)]
pub(crate) struct Schedule<T> {
    /// Reversed, because the heap pops its greatest element first.
    order: BinaryHeap<Reverse<Place>>,
    slots: Slots<Held<T>>,
    ledger: Ledger,
    arrivals: u64,
    /// The wall time that is zero for places.
    epoch: SystemTime,
    /// The last reading, and its wall time as a place.
    now: Reading,
    today: i64,
    /// The reading from which deadlines are derived.
    anchor: Reading,
    next_check: Instant,
    limits: ScheduleLimits,
    counters: ScheduleStats,
}

/// A stored entry. Its slot completes the place.
#[derive(Debug)]
struct Held<T> {
    due: i64,
    arrival: u64,
    bytes: usize,
    /// Canonical: an IPv4 address is one, however it is written.
    peer: Option<IpAddr>,
    item: T,
}

impl<T> Held<T> {
    fn place(&self, id: EntryId) -> Place {
        Place { due: self.due, arrival: self.arrival, id }
    }
}

impl<T> Schedule<T> {
    pub(crate) fn new(limits: ScheduleLimits, now: Reading) -> Self {
        Self {
            order: BinaryHeap::new(),
            slots: Slots::new(),
            ledger: Ledger::new(&limits),
            arrivals: 0,
            epoch: now.wall,
            now,
            today: 0,
            anchor: now,
            next_check: now.monotonic.checked_add(CHECK_INTERVAL).unwrap_or(now.monotonic),
            limits,
            counters: ScheduleStats::default(),
        }
    }

    /// Evaluates and counts a time tag. [`HorizonPolicy`] decides about [`Due::BeyondHorizon`].
    pub(crate) fn judge(&mut self, tag: TimeTag, now: Reading) -> Due {
        let due = Due::of(tag, now.wall, self.limits.horizon);
        match due {
            Due::Unset => up(&mut self.counters.unset, 1),
            Due::Now { late } if late > Duration::ZERO => up(&mut self.counters.late, 1),
            Due::BeyondHorizon => {
                up(&mut self.counters.beyond_horizon, 1);
                if self.limits.beyond_horizon == HorizonPolicy::Drop {
                    up(&mut self.counters.dropped_beyond_horizon, 1);
                }
            }
            Due::Immediately | Due::Now { .. } | Due::Later { .. } => {}
        }
        due
    }

    /// Records the lateness of an entry that is next to run.
    pub(crate) fn record(&mut self, late: Duration) {
        self.counters.lateness.record(late);
    }

    /// Counts an entry that is cancelled on arrival.
    pub(crate) fn note_cancelled(&mut self) {
        up(&mut self.counters.pushed, 1);
        up(&mut self.counters.cancelled, 1);
    }

    /// Adds an entry with any due time, or returns it with the limit that it exceeds.
    pub(crate) fn push(&mut self, entry: Entry<T>) -> Result<EntryId, Refused<T>> {
        let due = self.nanos(entry.due);
        let peer = entry.peer.map(|peer| peer.to_canonical());
        if let Err(limit) = self.enter(due, peer, entry.bytes) {
            return Err(self.refuse(entry, limit));
        }
        let (arrival, bytes) = (self.arrivals, entry.bytes);
        let id = self.slots.insert(Held { due, arrival, bytes, peer, item: entry.item });
        let place = Place { due, arrival, id };
        self.ledger.list(place, peer, bytes);
        self.order.push(Reverse(place));
        up(&mut self.arrivals, 1);
        up(&mut self.counters.pushed, 1);
        Ok(id)
    }

    fn refuse(&mut self, entry: Entry<T>, limit: Limit) -> Refused<T> {
        let counter = match limit {
            Limit::Entries => &mut self.counters.dropped_entries,
            Limit::Bytes => &mut self.counters.dropped_bytes,
            Limit::PeerEntries => &mut self.counters.dropped_peer_entries,
            Limit::PeerBytes => &mut self.counters.dropped_peer_bytes,
        };
        up(counter, 1);
        Refused { entry, limit }
    }

    /// Adds a new entry to the accounts, after eviction if necessary.
    fn enter(&mut self, due: i64, peer: Option<IpAddr>, bytes: usize) -> Result<(), Limit> {
        self.ledger.enter(peer, bytes).or_else(|limit| {
            if self.limits.when_full == CapacityPolicy::DropNewest {
                return Err(limit);
            }
            self.list_all();
            let victims = self.ledger.victims(due, peer, bytes).ok_or(limit)?;
            up(&mut self.counters.evicted, victims.len() as u64);
            for victim in victims {
                self.remove(victim);
            }
            self.tidy();
            self.ledger.enter(peer, bytes)
        })
    }

    fn list_all(&mut self) {
        if !self.ledger.begin_lists() {
            return;
        }
        // In order: a sorted list is filled several times as fast.
        for place in self.places() {
            if let Some(held) = self.slots.get(place.id) {
                self.ledger.list(place, held.peer, held.bytes);
            }
        }
    }

    /// Pops the next due entry, in order. Pass the same reading to all calls of one wake-up, and pop as many
    /// entries as one burst may run.
    pub(crate) fn pop_due(&mut self, now: Reading) -> Option<Popped<T>> {
        if now != self.now || now.monotonic >= self.next_check {
            self.rebase(now);
        }
        let head = self.head()?;
        // By the wall clock alone: the deadline is only an estimate of when it shows this time.
        if head.due > self.today {
            if self.next_deadline()? <= now.monotonic {
                self.anchor = now; // The offset moved by less than a step, but enough to wake early.
            }
            return None;
        }
        self.order.pop();
        let entry = self.remove(head.id)?;
        // The new head may be the place of a removed entry: a deadline taken from it would be wrong.
        self.tidy();
        up(&mut self.counters.run, 1);
        let late = Duration::from_nanos(self.today.abs_diff(head.due));
        Some(Popped { id: head.id, entry, late })
    }

    /// Records the time, and derives the deadlines again if the offset between the clocks moved by more than
    /// [`STEP`]. Returns whether it did. [`pop_due`](Self::pop_due) does this too.
    pub(crate) fn rebase(&mut self, now: Reading) -> bool {
        self.now = now;
        self.today = self.nanos(now.wall);
        if now.monotonic >= self.next_check {
            self.next_check = now.monotonic.checked_add(CHECK_INTERVAL).unwrap_or(now.monotonic);
        }
        let moved = self.today.saturating_sub(self.nanos(self.anchor.wall_at(now.monotonic)));
        if Duration::from_nanos(moved.unsigned_abs()) <= STEP {
            return false;
        }
        self.anchor = now;
        up(&mut self.counters.clock_steps, 1);
        // If the clock was put forward, no bundle is newly beyond the horizon.
        if moved < 0 {
            self.judge_anew();
        }
        true
    }

    /// After the wall clock was set back, an entry may be beyond the horizon. It is treated like an arriving
    /// entry.
    fn judge_anew(&mut self) {
        let Some(horizon) = self.now.wall.checked_add(self.limits.horizon) else { return };
        let horizon = self.nanos(horizon);
        let beyond: Vec<_> =
            self.slots.iter().filter(|(_, held)| held.due > horizon).map(|(id, _)| id).collect();
        up(&mut self.counters.beyond_horizon, beyond.len() as u64);
        for id in beyond {
            if self.limits.beyond_horizon == HorizonPolicy::RunNow {
                self.make_due(id);
            } else {
                self.remove(id);
                up(&mut self.counters.dropped_after_step, 1);
            }
        }
        // Rebuilt, not only tidied: the old place of an entry that was made due still refers to a waiting
        // entry.
        self.sort_anew();
    }

    fn make_due(&mut self, id: EntryId) {
        let Some(held) = self.slots.get_mut(id) else { return };
        let before = held.place(id);
        held.due = self.today;
        self.ledger.relist(before, held.place(id), held.peer);
    }

    /// Returns the instant at which the head is due, if no clock is set meanwhile.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.anchor.deadline(self.wall(self.head()?.due)))
    }

    /// Returns the instant of the next call of [`pop_due`](Self::pop_due): the deadline of the head, or the
    /// next check of the offset between the clocks. `None` while nothing waits.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        Some(self.next_deadline()?.min(self.next_check))
    }

    /// Removes one entry. `None` if it ran or was cancelled before.
    pub(crate) fn cancel(&mut self, id: EntryId) -> Option<Entry<T>> {
        let entry = self.remove(id)?;
        up(&mut self.counters.cancelled, 1);
        self.tidy();
        Some(entry)
    }

    /// Removes every entry for which `gone` returns `true`, and returns their number. Checks all entries.
    pub(crate) fn cancel_where(&mut self, mut gone: impl FnMut(Pending<'_, T>) -> bool) -> usize {
        let leaves = |(id, held)| gone(self.show(id, held)).then_some(id);
        let leaving: Vec<_> = self.slots.iter().filter_map(leaves).collect();
        for id in &leaving {
            self.remove(*id);
        }
        up(&mut self.counters.cancelled, leaving.len() as u64);
        self.tidy();
        leaving.len()
    }

    /// Removes all entries, in order.
    pub(crate) fn drain(&mut self) -> Vec<(EntryId, Entry<T>)> {
        self.places().into_iter().filter_map(|place| Some((place.id, self.cancel(place.id)?))).collect()
    }

    /// Returns the waiting entries in order, in O(n log n).
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending<'_, T>> {
        self.places().into_iter().filter_map(|place| Some(self.show(place.id, self.slots.get(place.id)?)))
    }

    fn places(&self) -> Vec<Place> {
        let mut places: Vec<_> = self.slots.iter().map(|(id, held)| held.place(id)).collect();
        places.sort_unstable();
        places
    }

    fn show<'a>(&self, id: EntryId, held: &'a Held<T>) -> Pending<'a, T> {
        Pending { id, due: self.wall(held.due), peer: held.peer, item: &held.item }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ledger.bytes()
    }

    pub(crate) fn limits(&self) -> &ScheduleLimits {
        &self.limits
    }

    pub(crate) fn counters(&self) -> ScheduleStats {
        ScheduleStats {
            pending: self.len(),
            bytes: self.bytes(),
            peers: self.ledger.peers(),
            ..self.counters
        }
    }

    fn head(&self) -> Option<Place> {
        self.order.peek().map(|Reverse(place)| *place)
    }

    /// Removes an entry from everything except the order. Call [`tidy`](Self::tidy) afterwards.
    fn remove(&mut self, id: EntryId) -> Option<Entry<T>> {
        let held = self.slots.remove(id)?;
        self.ledger.strike(held.place(id), held.peer, held.bytes);
        Some(Entry { due: self.wall(held.due), bytes: held.bytes, peer: held.peer, item: held.item })
    }

    /// Removes places of removed entries from the head, and from the whole order if there are too many: each
    /// cancelled entry leaves one, so a sender that causes evictions could fill the memory. The earlier
    /// removals pay for the sort.
    fn tidy(&mut self) {
        // There are as many places as entries, so none belongs to a removed entry, and no slot need be read.
        while self.order.len() > self.slots.len() && self.head_is_removed() {
            self.order.pop();
        }
        if self.order.len() > self.slots.len().saturating_mul(2).saturating_add(GARBAGE) {
            self.sort_anew();
        }
    }

    fn head_is_removed(&self) -> bool {
        self.head().is_some_and(|head| self.slots.get(head.id).is_none())
    }

    fn sort_anew(&mut self) {
        self.order = self.slots.iter().map(|(id, held)| Reverse(held.place(id))).collect();
    }

    /// Converts a wall time to a place, to the nearest that can be represented.
    fn nanos(&self, wall: SystemTime) -> i64 {
        match wall.duration_since(self.epoch) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, i64::wrapping_neg),
        }
    }

    /// Converts a place to a wall time, to the nearest that the platform can represent.
    fn wall(&self, nanos: i64) -> SystemTime {
        let distance = Duration::from_nanos(nanos.unsigned_abs());
        let wall =
            if nanos < 0 { self.epoch.checked_sub(distance) } else { self.epoch.checked_add(distance) };
        wall.unwrap_or(self.epoch)
    }
}

/// Counts. 64 bits hold the bundles of centuries.
fn up(counter: &mut u64, by: u64) {
    *counter = counter.saturating_add(by);
}

/// A waiting entry, as it is listed.
#[derive(Debug)]
pub(crate) struct Pending<'a, T> {
    pub(crate) id: EntryId,
    pub(crate) due: SystemTime,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) item: &'a T,
}

impl<T> Clone for Pending<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pending<'_, T> {}
