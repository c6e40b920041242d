//! One packet after the other: a message to its handlers, a bundle as one unit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures::task::AtomicWaker;

use super::admission::Admission;
use super::ground::Ground;
use super::times::Times;
use crate::dispatch::{Cached, Dispatch, Found, Lookup, Pushed, ReplyBudget, Routes};
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
    max_calls: usize,
}

/// What the last message leaves for the next: memory, and the routes if they did not change.
#[derive(Default)]
struct Scratch {
    found: Found,
    routes: Cached,
}

/// What one packet may cause.
struct Allowance {
    calls: usize,
    replies: ReplyBudget,
}

impl Shared {
    pub(super) fn new(
        dispatch: Arc<dyn Dispatch>,
        ground: Arc<Ground>,
        clock: Arc<dyn Clock>,
        times: Times,
        schedule: Queue<Arrival>,
        max_calls: usize,
    ) -> Self {
        let (schedule, scratch) = (Mutex::new(schedule), Mutex::default());
        Self { dispatch, ground, clock, times, schedule, changed: AtomicWaker::new(), scratch, max_calls }
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Queue<Arrival>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a packet to its end: every handler of every message, in order.
    pub(super) async fn run(&self, arrival: Arrival) {
        let Some(Arrival { packet, mut meta, source, .. }) = self.on_time(arrival) else { return };
        let mut scratch = std::mem::take(&mut *self.scratch());
        let routes = scratch.routes.get(&*self.dispatch);
        let mut allowance = Allowance { calls: self.max_calls, replies: ReplyBudget::default() };
        match packet {
            Packet::Message(message) => {
                self.message(&*routes, &mut scratch.found, &message, &meta, source, &mut allowance).await;
            }
            Packet::Bundle(bundle) => {
                let mut open = vec![(bundle.time_tag(), meta.lateness, bundle.into_elements())];
                while let Some((time_tag, lateness, elements)) = open.last_mut() {
                    let (outer, outer_lateness) = (*time_tag, *lateness);
                    meta.time_tag = Some(outer);
                    meta.lateness = outer_lateness;
                    match elements.next() {
                        Some(Packet::Message(message)) => {
                            self.message(
                                &*routes,
                                &mut scratch.found,
                                &message,
                                &meta,
                                source,
                                &mut allowance,
                            )
                            .await;
                        }
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

    async fn message(
        &self,
        routes: &dyn Routes,
        found: &mut Found,
        message: &Message,
        meta: &Meta,
        source: usize,
        allowance: &mut Allowance,
    ) {
        let counters = &self.ground.counters;
        match routes.find(message, found) {
            Lookup::Matched => counters.matched.up(),
            Lookup::Unmatched => counters.unmatched.up(),
            Lookup::Illegal => counters.illegal.up(),
        }
        for &route in found.ids() {
            if allowance.calls == 0 {
                counters.over_budget.up();
                continue;
            }
            allowance.calls -= 1;
            if let Some(lane) = routes.lane(route) {
                let job = self.ground.job(routes.prepare(route), message, meta, source);
                if lane.push(job).await != Pushed::Kept {
                    counters.overflowed.up();
                }
                continue;
            }
            let call = || routes.call(route, message, meta, self.ground.way_back(source));
            self.ground.finish(call, message, meta, source, &allowance.replies).await;
        }
    }

    fn scratch(&self) -> MutexGuard<'_, Scratch> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
