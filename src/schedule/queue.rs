//! The queue of timed bundles: sans-IO, stepped by [`Reading`]s of a clock.
//!
//! A heap, by the *wall* time at which an entry is due and by arrival among equals; an entry is due
//! when the wall clock shows its time. Deadlines, the monotonic instants to sleep until, are
//! derived for the head alone, through the offset between the two clocks. So entries with equal
//! tags are in order of arrival even while NTP slews the clock between their arrivals, and when the
//! clock is set, one offset changes and not every entry.
//!
//! The driver's rule, for the order of equal tags to hold for those that need not wait: run
//! whatever [`Queue::pop_due`] gives before judging the next packet at the same reading.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::types::TimeTag;

use super::clock::Reading;
use super::due::Due;
use super::entry::{Entry, EntryId, Place, Popped};
use super::farthest::Farthest;
use super::ledger::{Ledger, Limit};
use super::limits::{CapacityPolicy, HorizonPolicy, ScheduleCounters, ScheduleLimits};
use super::slots::Slots;

/// The offset between the clocks may move by this much before deadlines are derived again.
pub(crate) const STEP: Duration = Duration::from_millis(1);
/// How often, at least, the offset is looked at while something waits.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Places of removed entries that the heap may hold beside one for every entry that waits.
const GARBAGE: usize = 64;

#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// The head is always an entry that waits. Behind it may be places of removed ones, at most
    /// [`GARBAGE`] more than there are entries.
    order: BinaryHeap<Reverse<Place>>,
    slots: Slots<Held<T>>,
    ledger: Ledger,
    farthest: Option<Farthest>,
    arrivals: u64,
    /// The wall time from which places are counted.
    epoch: SystemTime,
    /// The reading from which deadlines are derived.
    anchor: Reading,
    next_check: Instant,
    limits: ScheduleLimits,
    counters: ScheduleCounters,
}

#[derive(Debug)]
struct Held<T> {
    place: Place,
    entry: Entry<T>,
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
            order: BinaryHeap::new(),
            slots: Slots::new(),
            ledger: Ledger::new(&limits),
            farthest: (limits.when_full == CapacityPolicy::DropLatest).then(Farthest::default),
            arrivals: 0,
            epoch: now.wall,
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
        match self.admit(&entry) {
            Ok(place) => {
                self.arrivals += 1;
                self.counters.pushed += 1;
                self.order.push(Reverse(place));
                self.slots.insert(Held { place, entry });
                Ok(place.id)
            }
            Err(limit) => {
                *self.refusals(limit) += 1;
                Err(Refused { entry, limit })
            }
        }
    }

    /// Enters an entry in the accounts and gives it a place.
    fn admit(&mut self, entry: &Entry<T>) -> Result<Place, Limit> {
        let due = self.due(entry.due);
        if let Err(limit) = self.ledger.enter(entry.peer, entry.bytes) {
            self.evict(&self.later_ones(entry, due).ok_or(limit)?);
            self.ledger.enter(entry.peer, entry.bytes)?;
        }
        let place = Place { due, arrival: self.arrivals, id: self.slots.next_id() };
        if let Some(farthest) = &mut self.farthest {
            farthest.insert(place, entry.peer);
        }
        Ok(place)
    }

    /// The entries to evict for a new one to fit, the farthest first: of its peer while the peer's
    /// share is exceeded, then of all. `None` if those due later than the new one do not suffice,
    /// or are not to be evicted.
    fn later_ones(&self, entry: &Entry<T>, due: i64) -> Option<Vec<EntryId>> {
        let farthest = self.farthest.as_ref()?;
        let mut victims = Vec::new();
        let mut total = self.ledger.total().plus(entry.bytes);
        if let Some(peer) = entry.peer {
            let mut account = self.ledger.account(peer).plus(entry.bytes);
            let mut later = farthest.of_peer_after(peer, due);
            while account.exceeds(self.ledger.share()) {
                let victim = self.slots.get(later.next()?)?;
                account = account.minus(victim.entry.bytes);
                total = total.minus(victim.entry.bytes);
                victims.push(victim);
            }
        }
        let nearest = victims.last().map(|victim| victim.place);
        let already = |other: &Held<T>| {
            other.entry.peer == entry.peer && nearest.is_some_and(|nearest| other.place >= nearest)
        };
        let mut later =
            farthest.after(due).filter_map(|id| self.slots.get(id)).filter(|other| !already(other));
        while total.exceeds(self.ledger.most()) {
            let victim = later.next()?;
            total = total.minus(victim.entry.bytes);
            victims.push(victim);
        }
        Some(victims.iter().map(|victim| victim.place.id).collect())
    }

    fn evict(&mut self, victims: &[EntryId]) {
        for victim in victims {
            self.remove(*victim);
        }
        self.counters.evicted += victims.len() as u64;
        self.tidy();
    }

    fn refusals(&mut self, limit: Limit) -> &mut u64 {
        match limit {
            Limit::Entries => &mut self.counters.dropped_entries,
            Limit::Bytes => &mut self.counters.dropped_bytes,
            Limit::PeerEntries => &mut self.counters.dropped_peer_entries,
            Limit::PeerBytes => &mut self.counters.dropped_peer_bytes,
        }
    }

    /// The next entry whose time has come, in order. Give all of a wake-up the same reading, and
    /// take as many as one burst may run.
    pub(crate) fn pop_due(&mut self, now: Reading) -> Option<Popped<T>> {
        self.rebase(now);
        let Reverse(head) = *self.order.peek()?;
        if head.due > self.due(now.wall) {
            if self.next_deadline()? <= now.monotonic {
                self.anchor = now; // The offset moved by less than a step, but enough to wake early.
            }
            return None;
        }
        let entry = self.remove(head.id)?;
        self.order.pop();
        self.tidy();
        self.counters.run += 1;
        let late = now.wall.duration_since(entry.due).unwrap_or_default();
        Some(Popped { id: head.id, entry, late })
    }

    /// Derives deadlines again if the offset between the clocks moved by more than [`STEP`];
    /// whether it did. [`pop_due`](Self::pop_due) does this too.
    pub(crate) fn rebase(&mut self, now: Reading) -> bool {
        if now.monotonic >= self.next_check {
            self.next_check = now.monotonic.checked_add(CHECK_INTERVAL).unwrap_or(now.monotonic);
        }
        let expected = self.anchor.wall_at(now.monotonic);
        let moved = now.wall.duration_since(expected);
        if moved.as_ref().map_or_else(|behind| behind.duration(), |ahead| *ahead) <= STEP {
            return false;
        }
        self.anchor = now;
        self.counters.clock_steps += 1;
        if moved.is_err() {
            self.judge_anew(now.wall);
        }
        true
    }

    /// After the wall clock was set back, an entry may lie beyond the horizon. It is treated as if
    /// it had arrived now.
    fn judge_anew(&mut self, now: SystemTime) {
        let Some(edge) = now.checked_add(self.limits.horizon) else { return };
        let (edge, due) = (self.due(edge), self.due(now));
        let mut places = std::mem::take(&mut self.order).into_vec();
        for Reverse(place) in places.iter_mut().filter(|place| place.0.due > edge) {
            let Some(held) = self.slots.get_mut(place.id) else { continue };
            self.counters.beyond_horizon += 1;
            if self.limits.beyond_horizon == HorizonPolicy::Drop {
                self.remove(place.id);
                self.counters.dropped_after_step += 1;
                continue;
            }
            let before = std::mem::replace(&mut held.place, Place { due, ..*place });
            held.entry.due = now;
            *place = held.place;
            if let Some(farthest) = &mut self.farthest {
                farthest.remove(before, held.entry.peer);
                farthest.insert(*place, held.entry.peer);
            }
        }
        self.order = places.into();
        self.tidy();
    }

    /// The instant at which the head is due, if no clock is set meanwhile.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let Reverse(head) = self.order.peek()?;
        Some(self.anchor.deadline(self.slots.get(head.id)?.entry.due))
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
        self.tidy();
        Some(entry)
    }

    /// Takes out every entry for which `gone` holds; how many that were. Looks at all of them.
    pub(crate) fn cancel_where(&mut self, mut gone: impl FnMut(EntryId, &Entry<T>) -> bool) -> usize {
        let leaving = self.slots.iter().filter(|held| gone(held.place.id, &held.entry));
        let leaving: Vec<_> = leaving.map(|held| held.place.id).collect();
        for id in &leaving {
            self.remove(*id);
        }
        self.counters.cancelled += leaving.len() as u64;
        self.tidy();
        leaving.len()
    }

    /// Takes out everything, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (EntryId, Entry<T>)> {
        let mut places = std::mem::take(&mut self.order).into_vec();
        places.sort_unstable_by_key(|Reverse(place)| *place);
        places.into_iter().filter_map(|Reverse(place)| Some((place.id, self.cancel(place.id)?)))
    }

    /// What waits, in order. Sorts it, and so takes O(n log n).
    pub(crate) fn pending(&self) -> impl Iterator<Item = (EntryId, &Entry<T>)> {
        let mut held: Vec<_> = self.slots.iter().collect();
        held.sort_unstable_by_key(|held| held.place);
        held.into_iter().map(|held| (held.place.id, &held.entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ledger.total().bytes
    }

    /// How many peers have something waiting.
    pub(crate) fn peers(&self) -> usize {
        self.ledger.accounts()
    }

    pub(crate) fn limits(&self) -> &ScheduleLimits {
        &self.limits
    }

    pub(crate) fn counters(&self) -> ScheduleCounters {
        ScheduleCounters { pending: self.len(), bytes: self.bytes(), ..self.counters }
    }

    /// Takes an entry out of everything but the heap: [`tidy`](Self::tidy) afterwards.
    fn remove(&mut self, id: EntryId) -> Option<Entry<T>> {
        let Held { place, entry } = self.slots.remove(id)?;
        self.ledger.strike(entry.peer, entry.bytes);
        if let Some(farthest) = &mut self.farthest {
            farthest.remove(place, entry.peer);
        }
        Some(entry)
    }

    /// Clears the head of removed entries, and all of the heap when too much of it is of them.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.slots.len() + GARBAGE {
            self.order.retain(|Reverse(place)| self.slots.get(place.id).is_some());
        }
        while self.order.len() > self.slots.len() && self.head_is_removed() {
            self.order.pop();
        }
    }

    fn head_is_removed(&self) -> bool {
        self.order.peek().is_some_and(|Reverse(head)| self.slots.get(head.id).is_none())
    }

    /// A wall time as places count it, to the nearest that they can hold.
    fn due(&self, wall: SystemTime) -> i64 {
        match wall.duration_since(self.epoch) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        }
    }
}
