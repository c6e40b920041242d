//! The queue against a slow model, a list that is searched and sorted for each call: random
//! pushes, cancels, pops, full limits, and steps of the wall clock.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::collections::HashSet;
use std::net::Ipv6Addr;

use super::super::clock::{Clock, ManualClock};
use super::super::limits::CapacityPolicy;
use super::*;
use crate::types::Network;

const OPERATIONS: usize = 4_000;
const MILLI: Duration = Duration::from_millis(1);
const HORIZON: Duration = Duration::from_secs(60);

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    due: SystemTime,
    arrival: u64,
    bytes: usize,
    peer: Option<IpAddr>,
    id: EntryId,
}

/// One of five addresses in three networks.
fn address(n: u64) -> IpAddr {
    Ipv6Addr::from_bits(u128::from(n / 2) << 64 | u128::from(n)).into()
}

fn network(peer: Option<IpAddr>) -> Option<Network> {
    peer.map(|peer| Network::of(peer, 64))
}

struct Model {
    items: Vec<Item>,
    limits: ScheduleLimits,
}

impl Model {
    /// Entries and bytes.
    fn load<'a>(items: impl Iterator<Item = &'a Item>) -> (usize, usize) {
        items.fold((0, 0), |(entries, bytes), item| (entries + 1, bytes + item.bytes))
    }

    /// The first limit that `items` exceed: of all peers for `None`, else of that peer.
    fn exceeded(&self, items: &[Item], peer: Option<IpAddr>) -> Option<Limit> {
        let (entries, bytes) = match peer {
            None => Self::load(items.iter()),
            Some(_) => Self::load(items.iter().filter(|item| network(item.peer) == network(peer))),
        };
        let share = |own: Option<usize>, all: usize| own.unwrap_or(all.div_ceil(4));
        match peer {
            None if entries > self.limits.entries => Some(Limit::Entries),
            None if bytes > self.limits.bytes => Some(Limit::Bytes),
            Some(_) if entries > share(self.limits.entries_per_peer, self.limits.entries) => {
                Some(Limit::PeerEntries)
            }
            Some(_) if bytes > share(self.limits.bytes_per_peer, self.limits.bytes) => Some(Limit::PeerBytes),
            _ => None,
        }
    }

    fn push(&mut self, new: &Item) -> Result<(), Limit> {
        let mut items = self.items.clone();
        items.push(new.clone());
        let exceeded = |items: &[Item]| {
            let of_peer = new.peer.and_then(|peer| self.exceeded(items, Some(peer)));
            self.exceeded(items, None).or(of_peer)
        };
        if let Some(limit) = exceeded(&items) {
            if self.limits.when_full == CapacityPolicy::DropNewest {
                return Err(limit);
            }
            items.sort_by_key(|item| (item.due, item.arrival));
            for peer in [new.peer, None] {
                while self.exceeded(&items, peer).is_some() {
                    let counts = |item: &Item| peer.is_none() || network(item.peer) == network(peer);
                    let farthest = items.iter().rposition(counts).ok_or(limit)?;
                    if items[farthest].due <= new.due {
                        return Err(limit);
                    }
                    items.remove(farthest);
                }
            }
        }
        self.items = items;
        Ok(())
    }

    fn pop(&mut self, wall: SystemTime) -> Option<Item> {
        let first = self.items.iter().min_by_key(|item| (item.due, item.arrival))?.clone();
        (first.due <= wall).then(|| self.items.retain(|item| item.id != first.id))?;
        Some(first)
    }

    fn step_back(&mut self, wall: SystemTime) {
        let beyond = |item: &Item| item.due > wall + self.limits.horizon;
        match self.limits.beyond_horizon {
            HorizonPolicy::Drop => self.items.retain(|item| !beyond(item)),
            HorizonPolicy::RunNow => {
                self.items.iter_mut().filter(|item| beyond(item)).for_each(|item| item.due = wall);
            }
        }
    }
}

struct Run {
    random: Random,
    clock: ManualClock,
    queue: Schedule<u64>,
    model: Model,
    known: Vec<EntryId>,
    arrivals: u64,
    /// The wall time as it would be had the clock not been set since the queue last looked.
    unstepped: SystemTime,
}

impl Run {
    fn new(seed: u64, limits: ScheduleLimits) -> Self {
        let clock = ManualClock::new();
        let queue = Schedule::new(limits, clock.now());
        let unstepped = clock.now().wall;
        let model = Model { items: Vec::new(), limits };
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        Self { random, clock, queue, model, known: Vec::new(), arrivals: 0, unstepped }
    }

    fn push(&mut self) {
        let now = self.clock.now();
        // Whole tens of milliseconds, so that many are equal; some are past.
        let ahead = MILLI * 10 * self.random.below(500) as u32;
        let due = if self.random.below(20) == 0 { now.wall - ahead } else { now.wall + ahead };
        let bytes = self.random.below(200) as usize;
        let peer = match self.random.below(6) {
            0 => None,
            n => Some(address(n)),
        };
        let item = self.arrivals;
        let pushed = self.queue.push(Entry { due, bytes, peer, item });
        let id = pushed.as_ref().map_or(EntryId::MAX, |id| *id);
        let expected = self.model.push(&Item { due, arrival: self.arrivals, bytes, peer, id });
        assert_eq!(pushed.map(|_| ()).map_err(|refused| refused.limit), expected);
        if expected.is_ok() {
            self.arrivals += 1;
            self.known.push(id);
        }
    }

    fn pop(&mut self, most: u64) {
        let now = self.clock.now();
        if self.unstepped > now.wall + STEP {
            self.model.step_back(now.wall);
        }
        self.unstepped = now.wall;
        for _ in 0..=most {
            let popped = self.queue.pop_due(now);
            let expected = self.model.pop(now.wall);
            assert_eq!(
                popped.as_ref().map(|popped| (popped.id, popped.entry.due, popped.entry.item, popped.late)),
                expected.map(|item| (
                    item.id,
                    item.due,
                    item.arrival,
                    now.wall.duration_since(item.due).unwrap()
                )),
            );
            if popped.is_none() {
                assert!(self.queue.next_wake().is_none_or(|wake| wake > now.monotonic), "it would spin");
                break;
            }
        }
    }

    fn cancel(&mut self) {
        let Some(index) = self.random.below(self.known.len() as u64 + 1).checked_sub(1) else { return };
        let id = self.known[index as usize];
        let expected = self.model.items.iter().position(|item| item.id == id);
        let expected = expected.map(|at| self.model.items.remove(at).arrival);
        assert_eq!(self.queue.cancel(id).map(|entry| entry.item), expected);
    }

    fn cancel_peer(&mut self) {
        let peer = Some(address(1 + self.random.below(5)));
        let before = self.model.items.len();
        self.model.items.retain(|item| item.peer != peer);
        let cancelled = self.queue.cancel_where(|pending| pending.peer == peer);
        assert_eq!(cancelled, before - self.model.items.len());
    }

    fn pass(&mut self) {
        let by = MILLI * self.random.below(100) as u32;
        self.clock.advance(by);
        self.unstepped += by;
    }

    fn step_wall(&mut self) {
        let by = [MILLI / 2, MILLI * 20, Duration::from_secs(1), Duration::from_secs(3_600)];
        let by = by[self.random.below(4) as usize];
        let now = self.clock.now().wall;
        self.clock.set_wall(if self.random.below(2) == 0 { now - by } else { now + by });
    }

    fn compare(&self) {
        let mut expected: Vec<_> = self.model.items.iter().collect();
        expected.sort_by_key(|item| (item.due, item.arrival));
        let shown: Vec<_> =
            self.queue.pending().map(|pending| (pending.id, pending.due, pending.peer)).collect();
        assert_eq!(shown, expected.iter().map(|item| (item.id, item.due, item.peer)).collect::<Vec<_>>());
    }

    fn check(&self) {
        let (entries, bytes) = Model::load(self.model.items.iter());
        let counters = self.queue.counters();
        assert_eq!((counters.pending, counters.bytes), (entries, bytes));
        let gone = counters.run + counters.evicted + counters.cancelled + counters.dropped_after_step;
        assert_eq!(counters.pushed, gone + entries as u64);
        assert!(self.queue.order.len() <= 2 * entries + GARBAGE);
        let peers: HashSet<_> = self.model.items.iter().filter_map(|item| network(item.peer)).collect();
        assert_eq!(counters.peers, peers.len());
        let head = self.model.items.iter().map(|item| item.due).min();
        let seen = self.queue.anchor;
        assert_eq!(self.queue.next_deadline(), head.map(|due| seen.deadline(due)));
    }

    fn run(mut self) -> ScheduleStats {
        for operation in 0..OPERATIONS {
            match self.random.below(1_000) {
                0..580 => self.push(),
                580..730 => self.pass(),
                730..880 => {
                    let most = self.random.below(20);
                    self.pop(most);
                }
                880..980 => self.cancel(),
                980..992 => self.step_wall(),
                _ => self.cancel_peer(),
            }
            self.check();
            if operation % 50 == 0 {
                self.compare();
            }
        }
        let drained: Vec<_> = self.queue.drain().into_iter().map(|(id, _)| id).collect();
        self.model.items.sort_by_key(|item| (item.due, item.arrival));
        assert_eq!(drained, self.model.items.iter().map(|item| item.id).collect::<Vec<_>>());
        self.queue.counters()
    }
}

/// Thirty runs, 120,000 operations, in all of which every path is taken.
#[test]
fn a_hundred_thousand_random_operations_agree_with_a_sorted_list() {
    let mut sum = ScheduleStats::default();
    for seed in 0..30 {
        let bytes = if seed % 2 == 0 { 4_500 } else { 30_000 };
        let limits = ScheduleLimits::default().entries(60).bytes(bytes).horizon(HORIZON);
        let limits = match seed % 3 {
            0 => limits.when_full(CapacityPolicy::DropNewest),
            1 => limits.when_full(CapacityPolicy::DropLatest).beyond_horizon(HorizonPolicy::Drop),
            _ => limits.when_full(CapacityPolicy::DropLatest).entries_per_peer(40).bytes_per_peer(4_000),
        };
        let counters = Run::new(seed + 1, limits).run();
        sum.run += counters.run;
        sum.evicted += counters.evicted;
        sum.cancelled += counters.cancelled;
        sum.clock_steps += counters.clock_steps;
        sum.beyond_horizon += counters.beyond_horizon;
        sum.dropped_after_step += counters.dropped_after_step;
        sum.dropped_entries += counters.dropped_entries;
        sum.dropped_bytes += counters.dropped_bytes;
        sum.dropped_peer_entries += counters.dropped_peer_entries;
        sum.dropped_peer_bytes += counters.dropped_peer_bytes;
    }
    for count in [
        sum.run,
        sum.evicted,
        sum.cancelled,
        sum.clock_steps,
        sum.beyond_horizon,
        sum.dropped_after_step,
        sum.dropped_entries,
        sum.dropped_bytes,
        sum.dropped_peer_entries,
        sum.dropped_peer_bytes,
    ] {
        assert!(count > 50, "a path hardly taken: {sum:?}");
    }
}
