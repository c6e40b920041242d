//! The queue of timed bundles: sans-IO, stepped by [`Reading`]s of a clock.
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
//! Removal is lazy: it takes an entry out of its slot and leaves its place in the heap, where it
//! could only be found by a search. [`tidy`](Schedule::tidy) restores the two rules of the picture.
//!
//! Entries are ordered by the *wall* time at which they are due, and by arrival among equals; an
//! entry is due when the wall clock shows its time. Deadlines, the monotonic instants to sleep
//! until, are derived for the head alone, through the offset between the two clocks:
//!
//! | the wall clock, against the monotonic one | what happens at the next look |
//! | --- | --- |
//! | moved by [`STEP`] at most | nothing, unless the head would be woken for too early: then deadlines are derived anew |
//! | was put forward | deadlines are derived anew; all that is overdue runs, in order |
//! | was set back | deadlines are derived anew; what now lies beyond the horizon is judged as if it had just arrived |
//!
//! So entries with equal tags are in order of arrival even while NTP slews the clock between their
//! arrivals, and when the clock is set, one offset changes and not every entry.
//!
//! The driver's rule, for the order of equal tags to hold for those that need not wait: run
//! whatever [`Schedule::pop_due`] gives before judging the next packet at the same reading.

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

/// The offset between the clocks may move by this much before deadlines are derived again.
pub(crate) const STEP: Duration = Duration::from_millis(1);
/// How often, at least, the offset is looked at while something waits.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Places of removed entries that the order may hold beside one for every entry that waits.
const GARBAGE: usize = 64;

// By path, because the benchmark compiles this file under another parent.
#[cfg(test)]
#[path = "queue/model.rs"]
mod model;
#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;

#[derive(Debug)]
pub(crate) struct Schedule<T> {
    /// Reversed, because the heap gives its greatest element first.
    order: BinaryHeap<Reverse<Place>>,
    slots: Slots<Held<T>>,
    ledger: Ledger,
    arrivals: u64,
    /// The wall time from which places are counted.
    epoch: SystemTime,
    /// The last reading seen, and its wall time as places count it.
    now: Reading,
    today: i64,
    /// The reading from which deadlines are derived.
    anchor: Reading,
    next_check: Instant,
    limits: ScheduleLimits,
    counters: ScheduleStats,
}

/// An entry in its slot, whose name completes the place.
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

    /// What a tag means now, counted. What to do with [`Due::BeyondHorizon`] is for
    /// [`HorizonPolicy`] to say.
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

    /// Counts how late an entry was when its turn came, or one that did not wait.
    pub(crate) fn record(&mut self, late: Duration) {
        self.counters.lateness.record(late);
    }

    /// Counts an entry that is cancelled as it comes.
    pub(crate) fn note_cancelled(&mut self) {
        up(&mut self.counters.pushed, 1);
        up(&mut self.counters.cancelled, 1);
    }

    /// Takes in an entry, whatever its due time, or gives it back with the limit that it exceeds.
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

    /// Enters a new entry in the accounts, if need be after eviction.
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

    /// The next entry whose time has come, in order. Give all of a wake-up the same reading, and
    /// take as many as one burst may run.
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

    /// Takes note of the time, and derives deadlines again if the offset between the clocks moved
    /// by more than [`STEP`]; whether it did. [`pop_due`](Self::pop_due) does this too.
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
        // Put forward, nothing comes to lie beyond the horizon.
        if moved < 0 {
            self.judge_anew();
        }
        true
    }

    /// After the wall clock was set back, an entry may lie beyond the horizon. It is treated as if
    /// it had arrived now.
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
        // Not only tidied: the old place of an entry that was made due still names a waiting entry.
        self.sort_anew();
    }

    fn make_due(&mut self, id: EntryId) {
        let Some(held) = self.slots.get_mut(id) else { return };
        let before = held.place(id);
        held.due = self.today;
        self.ledger.relist(before, held.place(id), held.peer);
    }

    /// The instant at which the head is due, if no clock is set meanwhile.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.anchor.deadline(self.wall(self.head()?.due)))
    }

    /// The instant at which to call [`pop_due`](Self::pop_due) next: the deadline of the head, or
    /// the next look at the offset between the clocks. `None` while nothing waits.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        Some(self.next_deadline()?.min(self.next_check))
    }

    /// Takes out one entry; `None` if it ran or was cancelled before.
    pub(crate) fn cancel(&mut self, id: EntryId) -> Option<Entry<T>> {
        let entry = self.remove(id)?;
        up(&mut self.counters.cancelled, 1);
        self.tidy();
        Some(entry)
    }

    /// Takes out every entry for which `gone` holds; how many that were. Looks at all of them.
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

    /// Takes out everything, in order.
    pub(crate) fn drain(&mut self) -> Vec<(EntryId, Entry<T>)> {
        self.places().into_iter().filter_map(|place| Some((place.id, self.cancel(place.id)?))).collect()
    }

    /// What waits, in order. Sorts it, and so takes O(n log n).
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

    /// Takes an entry out of everything but the order: [`tidy`](Self::tidy) afterwards.
    fn remove(&mut self, id: EntryId) -> Option<Entry<T>> {
        let held = self.slots.remove(id)?;
        self.ledger.strike(held.place(id), held.peer, held.bytes);
        Some(Entry { due: self.wall(held.due), bytes: held.bytes, peer: held.peer, item: held.item })
    }

    /// Clears the head of the places of removed entries, and the whole order when too many of its
    /// places are such: each cancelled entry leaves one, so a sender that makes others be evicted
    /// would fill the memory. The sort is paid for by the removals before it.
    fn tidy(&mut self) {
        // As many places as entries: none is of a removed one, and no slot need be read.
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

    /// A wall time as places count it, to the nearest that they can hold.
    fn nanos(&self, wall: SystemTime) -> i64 {
        match wall.duration_since(self.epoch) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, i64::wrapping_neg),
        }
    }

    /// The wall time that a place counts, to the nearest that the platform can hold.
    fn wall(&self, nanos: i64) -> SystemTime {
        let distance = Duration::from_nanos(nanos.unsigned_abs());
        let wall =
            if nanos < 0 { self.epoch.checked_sub(distance) } else { self.epoch.checked_add(distance) };
        wall.unwrap_or(self.epoch)
    }
}

/// Counts. 64 bits hold what a schedule takes in over centuries.
fn up(counter: &mut u64, by: u64) {
    *counter = counter.saturating_add(by);
}

/// An entry that waits, as it is shown.
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
