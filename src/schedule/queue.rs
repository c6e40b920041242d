//! The queue of timed bundles: sans-IO, stepped by [`Reading`]s of a clock.
//!
//! Entries are ordered by the *wall* time at which they are due, and by arrival among equals; an
//! entry is due when the wall clock shows its time. Deadlines, the monotonic instants to sleep
//! until, are derived for the head alone, through the offset between the two clocks. So entries
//! with equal tags are in order of arrival even while NTP slews the clock between their arrivals,
//! and when the clock is set, one offset changes and not every entry.
//!
//! The driver's rule, for the order of equal tags to hold for those that need not wait: run
//! whatever [`Queue::pop_due`] gives before judging the next packet at the same reading.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::types::TimeTag;

use super::clock::Reading;
use super::due::Due;
use super::entry::{Entry, EntryId, Limit, Popped, Refused};
use super::farthest::Farthest;
use super::ledger::Ledger;
use super::limits::{CapacityPolicy, HorizonPolicy, ScheduleCounters, ScheduleLimits};
use super::order::{Order, Place};
use super::slots::{SlotId, Slots};

/// The offset between the clocks may move by this much before deadlines are derived again.
pub(crate) const STEP: Duration = Duration::from_millis(1);
/// How often, at least, the offset is looked at while something waits.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Places of removed entries that the order may hold beside two for every entry that waits.
const GARBAGE: usize = 64;

// By path, because the benchmark compiles this file under another parent.
#[cfg(test)]
#[path = "queue/model.rs"]
mod model;
#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;

#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// The head is always an entry that waits. Behind it may be places of removed ones.
    order: Order,
    slots: Slots<Held<T>>,
    ledger: Ledger,
    farthest: Option<Farthest>,
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
    counters: ScheduleCounters,
}

/// An entry in its slot, whose name completes the place.
#[derive(Debug)]
struct Held<T> {
    due: i64,
    arrival: u64,
    bytes: usize,
    account: Option<SlotId>,
    item: T,
}

impl<T> Held<T> {
    fn place(&self, id: EntryId) -> Place {
        Place { due: self.due, arrival: self.arrival, id }
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(limits: ScheduleLimits, now: Reading) -> Self {
        Self {
            order: Order::starting_at(0),
            slots: Slots::new(),
            ledger: Ledger::new(&limits),
            farthest: (limits.when_full == CapacityPolicy::DropLatest).then(Farthest::default),
            arrivals: 0,
            epoch: now.wall,
            now,
            today: 0,
            anchor: now,
            next_check: now.monotonic.checked_add(CHECK_INTERVAL).unwrap_or(now.monotonic),
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

    /// Counts how late an entry was when its turn came, or one that did not wait.
    pub(crate) fn record(&mut self, late: Duration) {
        self.counters.lateness.record(late);
    }

    /// Counts an entry that is cancelled as it comes.
    pub(crate) fn note_cancelled(&mut self) {
        self.counters.pushed += 1;
        self.counters.cancelled += 1;
    }

    /// Takes in an entry, whatever its due time, or gives it back with the limit that it exceeds.
    pub(crate) fn push(&mut self, entry: Entry<T>) -> Result<EntryId, Refused<T>> {
        let due = self.nanos(entry.due);
        let account = match self.enter(due, entry.peer, entry.bytes) {
            Ok(account) => account,
            Err(limit) => return Err(self.refuse(entry, limit)),
        };
        let arrival = self.arrivals;
        let id = self.slots.insert(Held { due, arrival, bytes: entry.bytes, account, item: entry.item });
        let place = Place { due, arrival, id };
        if let Some(farthest) = &mut self.farthest {
            farthest.insert(place, account);
        }
        self.order.push(place);
        self.arrivals += 1;
        self.counters.pushed += 1;
        Ok(id)
    }

    fn refuse(&mut self, entry: Entry<T>, limit: Limit) -> Refused<T> {
        let counter = match limit {
            Limit::Entries => &mut self.counters.dropped_entries,
            Limit::Bytes => &mut self.counters.dropped_bytes,
            Limit::PeerEntries => &mut self.counters.dropped_peer_entries,
            Limit::PeerBytes => &mut self.counters.dropped_peer_bytes,
        };
        *counter += 1;
        Refused { entry, limit }
    }

    /// Enters a new entry in the accounts, if need be after eviction.
    fn enter(&mut self, due: i64, peer: Option<IpAddr>, bytes: usize) -> Result<Option<SlotId>, Limit> {
        self.ledger.enter(peer, bytes).or_else(|limit| {
            let victims = self.later_ones(due, peer, bytes).ok_or(limit)?;
            self.counters.evicted += victims.len() as u64;
            for victim in victims {
                self.remove(victim);
            }
            self.tidy();
            self.ledger.enter(peer, bytes)
        })
    }

    /// The entries to evict for a new one to fit, the farthest first: of its peer while the peer's
    /// share is exceeded, then of all. `None` if those due later than the new one do not suffice,
    /// or are not to be evicted.
    fn later_ones(&self, due: i64, peer: Option<IpAddr>, bytes: usize) -> Option<Vec<EntryId>> {
        let farthest = self.farthest.as_ref()?;
        let account = peer.and_then(|peer| self.ledger.account(peer));
        let mut victims = Vec::new();
        let mut nearest = None;
        let mut total = self.ledger.total().plus(bytes);
        if peer.is_some() {
            let mut load = account.map(|account| self.ledger.load(account)).unwrap_or_default().plus(bytes);
            let mut later = account.into_iter().flat_map(|account| farthest.of_account_after(account, due));
            while load.exceeds(self.ledger.share()) {
                let victim = later.next()?;
                let held = self.slots.get(victim)?;
                load = load.minus(held.bytes);
                total = total.minus(held.bytes);
                nearest = Some(held.place(victim));
                victims.push(victim);
            }
        }
        let mut later = farthest.after(due);
        while total.exceeds(self.ledger.most()) {
            let victim = later.next()?;
            let held = self.slots.get(victim)?;
            let counted =
                held.account == account && nearest.is_some_and(|nearest| held.place(victim) >= nearest);
            if !counted {
                total = total.minus(held.bytes);
                victims.push(victim);
            }
        }
        Some(victims)
    }

    /// The next entry whose time has come, in order. Give all of a wake-up the same reading, and
    /// take as many as one burst may run.
    pub(crate) fn pop_due(&mut self, now: Reading) -> Option<Popped<T>> {
        if now != self.now || now.monotonic >= self.next_check {
            self.rebase(now);
        }
        let head = self.order.peek()?;
        if head.due > self.today {
            if self.next_deadline()? <= now.monotonic {
                self.anchor = now; // The offset moved by less than a step, but enough to wake early.
            }
            return None;
        }
        self.order.pop();
        self.order.sweep(|id| self.slots.get(id).is_some());
        let entry = self.remove(head.id)?;
        self.tidy();
        self.counters.run += 1;
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
        self.counters.clock_steps += 1;
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
        let runs = self.limits.beyond_horizon == HorizonPolicy::RunNow;
        let beyond: Vec<_> =
            self.slots.iter().filter(|(_, held)| held.due > horizon).map(|(id, _)| id).collect();
        if beyond.is_empty() {
            return;
        }
        self.counters.beyond_horizon += beyond.len() as u64;
        for id in beyond {
            if runs {
                self.make_due(id);
            } else {
                self.remove(id);
                self.counters.dropped_after_step += 1;
            }
        }
        self.sort_anew();
    }

    fn make_due(&mut self, id: EntryId) {
        let Some(held) = self.slots.get_mut(id) else { return };
        let before = held.place(id);
        held.due = self.today;
        if let Some(farthest) = &mut self.farthest {
            farthest.remove(before, held.account);
            farthest.insert(held.place(id), held.account);
        }
    }

    /// The instant at which the head is due, if no clock is set meanwhile.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.anchor.deadline(self.wall(self.order.peek()?.due)))
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
    pub(crate) fn cancel_where(&mut self, mut gone: impl FnMut(Pending<'_, T>) -> bool) -> usize {
        let leaving: Vec<_> =
            self.each().filter(|pending| gone(*pending)).map(|pending| pending.id).collect();
        for id in &leaving {
            self.remove(*id);
        }
        self.counters.cancelled += leaving.len() as u64;
        self.tidy();
        leaving.len()
    }

    /// Takes out everything, in order.
    pub(crate) fn drain(&mut self) -> Vec<(EntryId, Entry<T>)> {
        let order = std::mem::replace(&mut self.order, Order::starting_at(self.today));
        let places = order.into_sorted().into_iter();
        places.filter_map(|place| Some((place.id, self.cancel(place.id)?))).collect()
    }

    /// What waits, in order. Sorts it, and so takes O(n log n).
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending<'_, T>> {
        let mut all: Vec<_> = self.slots.iter().map(|(id, held)| held.place(id)).collect();
        all.sort_unstable();
        all.into_iter().filter_map(|place| Some(self.show(place.id, self.slots.get(place.id)?)))
    }

    fn each(&self) -> impl Iterator<Item = Pending<'_, T>> {
        self.slots.iter().map(|(id, held)| self.show(id, held))
    }

    fn show<'a>(&self, id: EntryId, held: &'a Held<T>) -> Pending<'a, T> {
        let peer = held.account.and_then(|account| self.ledger.peer(account));
        Pending { id, due: self.wall(held.due), peer, item: &held.item }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ledger.total().bytes
    }

    pub(crate) fn limits(&self) -> &ScheduleLimits {
        &self.limits
    }

    pub(crate) fn counters(&self) -> ScheduleCounters {
        ScheduleCounters {
            pending: self.len(),
            bytes: self.bytes(),
            peers: self.ledger.accounts(),
            ..self.counters
        }
    }

    /// Takes an entry out of everything but the order: [`tidy`](Self::tidy) afterwards.
    fn remove(&mut self, id: EntryId) -> Option<Entry<T>> {
        let held = self.slots.remove(id)?;
        let place = held.place(id);
        let peer = held.account.and_then(|account| self.ledger.peer(account));
        self.ledger.strike(held.account, held.bytes);
        if let Some(farthest) = &mut self.farthest {
            farthest.remove(place, held.account);
        }
        Some(Entry { due: self.wall(held.due), bytes: held.bytes, peer, item: held.item })
    }

    /// Clears the head of removed entries, and all of the order when too much of it is of them.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.slots.len() + GARBAGE {
            self.sort_anew();
        }
        while self.order.len() > self.slots.len() && self.head_is_removed() {
            self.order.pop();
        }
    }

    fn head_is_removed(&self) -> bool {
        self.order.peek().is_some_and(|head| self.slots.get(head.id).is_none())
    }

    fn sort_anew(&mut self) {
        let mut places: Vec<_> = self.slots.iter().map(|(id, held)| held.place(id)).collect();
        places.sort_unstable();
        self.order = Order::starting_at(self.today);
        for place in places {
            self.order.push(place);
        }
    }

    /// A wall time as places count it, to the nearest that they can hold.
    fn nanos(&self, wall: SystemTime) -> i64 {
        match wall.duration_since(self.epoch) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
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
