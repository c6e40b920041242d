//! One packet after the other: a message to its handlers, a bundle as one unit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures::task::AtomicWaker;

use super::admission::Admission;
use super::ground::Ground;
use super::times::Times;
use crate::dispatch::{Cached, Dispatch, Found, Lookup, Pushed, ReplyRate, Routes, WayBack};
use crate::packet::{Message, Meta, Packet};
use crate::schedule::{Clock, Queue};

/// A packet that has arrived, and the channel it came from.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) packet: Packet,
    pub(super) meta: Meta,
    pub(super) source: usize,
    /// When it was to run, if it has a time of its own.
    pub(super) due: Option<SystemTime>,
}

/// What the loop and the handle share.
pub(super) struct Shared {
    pub(super) dispatch: Arc<dyn Dispatch>,
    pub(super) ground: Arc<Ground>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) times: Times,
    schedule: Mutex<Queue<Arrival>>,
    /// Wakes the loop when the schedule was changed from outside.
    pub(super) changed: AtomicWaker,
    scratch: Mutex<Scratch>,
    limits: Limits,
}

/// What one packet may cause, and what all of a source.
#[derive(Debug)]
pub(super) struct Limits {
    /// Handler calls.
    pub(super) calls: usize,
    /// Steps of matching.
    pub(super) steps: usize,
    /// Replies.
    pub(super) reply_rate: Option<Arc<ReplyRate>>,
}

/// What the last message leaves for the next: memory, and the routes if they did not change.
#[derive(Default)]
struct Scratch {
    found: Found,
    routes: Cached,
}

/// The packet whose turn it is: what is the same for all its messages, and what it may still cause.
struct Turn<'a> {
    routes: &'a dyn Routes,
    found: &'a mut Found,
    source: usize,
    calls: usize,
    back: WayBack<'a>,
}

impl Shared {
    pub(super) fn new(
        dispatch: Arc<dyn Dispatch>,
        ground: Arc<Ground>,
        clock: Arc<dyn Clock>,
        times: Times,
        schedule: Queue<Arrival>,
        limits: Limits,
    ) -> Self {
        let (schedule, scratch) = (Mutex::new(schedule), Mutex::default());
        Self { dispatch, ground, clock, times, schedule, changed: AtomicWaker::new(), scratch, limits }
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Queue<Arrival>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a packet to its end: every handler of every message, in order.
    pub(super) async fn run(&self, arrival: Arrival) {
        let Some(Arrival { packet, mut meta, source, .. }) = self.on_time(arrival) else { return };
        let mut scratch = std::mem::take(&mut *self.scratch());
        let routes = scratch.routes.get(&*self.dispatch);
        scratch.found.allow(self.limits.steps);
        let mut turn = Turn {
            routes: &*routes,
            found: &mut scratch.found,
            source,
            calls: self.limits.calls,
            back: WayBack::new(self.ground.socket(source), self.limits.reply_rate.as_ref()),
        };
        match packet {
            Packet::Message(message) => self.message(&mut turn, &message, &meta).await,
            Packet::Bundle(bundle) => {
                let mut open = vec![(bundle.time_tag(), meta.lateness, bundle.into_elements())];
                while let Some((time_tag, lateness, elements)) = open.last_mut() {
                    let (outer, outer_lateness) = (*time_tag, *lateness);
                    meta.time_tag = Some(outer);
                    meta.lateness = outer_lateness;
                    match elements.next() {
                        Some(Packet::Message(message)) => self.message(&mut turn, &message, &meta).await,
                        // Judged now that its parent runs: if due, here and at this place.
                        Some(Packet::Bundle(inner)) => {
                            if let Admission::Runs { late } = self.admit_inner(&inner, outer, &meta, source) {
                                let late = late.unwrap_or(outer_lateness);
                                open.push((inner.time_tag(), late, inner.into_elements()));
                            }
                        }
                        None => {
                            open.pop();
                        }
                    }
                }
            }
        }
        *self.scratch() = scratch;
    }

    async fn message(&self, turn: &mut Turn<'_>, message: &Message, meta: &Meta) {
        let counters = &self.ground.counters;
        if turn.calls == 0 {
            return counters.over_budget.up();
        }
        let lookup = turn.routes.find(message, turn.found);
        counters.panicked.add(turn.found.take_panicked() as u64);
        match lookup {
            Lookup::Matched => counters.matched.up(),
            Lookup::Unmatched => counters.unmatched.up(),
            Lookup::Illegal => counters.illegal.up(),
            Lookup::TooMuch => counters.over_budget.up(),
        }
        for &route in turn.found.ids() {
            if turn.calls == 0 {
                return counters.over_budget.up();
            }
            turn.calls -= 1;
            if let Some(lane) = turn.routes.lane(route) {
                let budget = Arc::clone(turn.back.budget());
                let job = self.ground.job(turn.routes.prepare(route), message, meta, turn.source, budget);
                if lane.push(job).await != Pushed::Kept {
                    counters.overflowed.up();
                }
                continue;
            }
            let call = || turn.routes.call(route, message, meta, &turn.back);
            self.ground.finish(call, message, meta, &turn.back).await;
        }
    }

    fn scratch(&self) -> MutexGuard<'_, Scratch> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
