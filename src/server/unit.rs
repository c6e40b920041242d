//! One packet after the other: a message to its handlers, a bundle as one unit.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use super::admission::Admission;
use super::ground::Ground;
use super::inlet::{Inlet, Record};
use super::orders::Orders;
use super::roster::Roster;
use super::stats::Stats;
use crate::dispatch::{Cached, Dispatch, Found, Lookup, ReplyRate, Routes, WayBack};
use crate::lock::lock;
use crate::packet::{Message, Meta, Packet};
use crate::schedule::{Clock, Schedule, TimeOptions};

/// A packet that has arrived, and the channel it came from.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) packet: Packet,
    pub(super) meta: Meta,
    pub(super) inlet: Arc<Inlet>,
    /// When it was to run, if it has a time of its own.
    pub(super) due: Option<SystemTime>,
}

/// What the loop and the handle share.
pub(super) struct Shared {
    pub(super) dispatch: Arc<dyn Dispatch>,
    pub(super) ground: Arc<Ground>,
    pub(super) clock: Arc<dyn Clock>,
    /// What becomes of time tags on channels that have no options of their own.
    pub(super) time: TimeOptions,
    pub(super) roster: Arc<Roster>,
    pub(super) orders: Orders,
    schedule: Mutex<Schedule<Arrival>>,
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
    inlet: &'a Arc<Inlet>,
    calls: usize,
    back: WayBack<'a>,
}

impl Shared {
    pub(super) fn new(
        dispatch: Arc<dyn Dispatch>,
        clock: Arc<dyn Clock>,
        time: TimeOptions,
        roster: Arc<Roster>,
        schedule: Schedule<Arrival>,
        limits: Limits,
    ) -> Self {
        Self {
            dispatch,
            ground: Arc::default(),
            clock,
            time,
            roster,
            orders: Orders::new(),
            schedule: Mutex::new(schedule),
            scratch: Mutex::default(),
            limits,
        }
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule<Arrival>> {
        lock(&self.schedule)
    }

    pub(super) fn stats(&self) -> Stats {
        let schedule = self.schedule().counters();
        let inbox = self.ground.waiting.load(Ordering::Relaxed);
        Stats { inbox, schedule, ..self.roster.stats() }
    }

    pub(super) fn trace_stats(&self) {
        let stats = self.stats();
        tracing::info!(
            target: "tokio_osc::stats",
            received = stats.received,
            malformed = stats.malformed,
            ran = stats.ran,
            dropped = stats.dropped(),
            unmatched = stats.unmatched,
            handled = stats.handled,
            rejected = stats.rejected,
            panicked = stats.panicked,
            overflowed = stats.overflowed,
            replies = stats.replies,
            replies_dropped = stats.replies_dropped,
            inbox = stats.inbox,
            pending = stats.schedule.pending,
            connections = stats.connected.saturating_sub(stats.disconnected),
        );
    }

    /// Drops what waits for its time, and counts it.
    pub(super) fn discard_all(&self) {
        let left = self.schedule().drain();
        for (_, entry) in left {
            entry.item.inlet.record.counters.discarded.up();
        }
    }

    /// The same for what came by one channel.
    pub(super) fn discard_of(&self, record: &Arc<Record>) {
        let of_it = |arrival: &Arrival| Arc::ptr_eq(&arrival.inlet.record, record);
        let gone = self.schedule().cancel_where(|pending| of_it(pending.item));
        record.counters.discarded.add(gone as u64);
    }

    /// Runs a packet to its end: every handler of every message, in order.
    pub(super) async fn run(&self, arrival: Arrival) {
        let Some(Arrival { packet, mut meta, inlet, .. }) = self.on_time(arrival) else { return };
        inlet.record.counters.ran.up();
        let mut scratch = std::mem::take(&mut *self.scratch());
        let routes = scratch.routes.get(&*self.dispatch);
        scratch.found.allow(self.limits.steps);
        let mut turn = Turn {
            routes: &*routes,
            found: &mut scratch.found,
            inlet: &inlet,
            calls: self.limits.calls,
            back: WayBack::new(inlet.socket(), self.limits.reply_rate.as_ref()),
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
                            if let Admission::Runs { late } = self.admit_inner(&inner, outer, &meta, &inlet) {
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
        let counters = &turn.inlet.record.counters;
        if turn.calls == 0 {
            return counters.over_budget.up();
        }
        let lookup = turn.routes.find(message, turn.found);
        let panicked = turn.found.take_panicked();
        if panicked > 0 {
            counters.hooks_panicked.add(panicked as u64);
        }
        match lookup {
            Lookup::Matched => counters.matched.up(),
            Lookup::Unmatched => counters.unmatched.up(),
            Lookup::Illegal => counters.illegal.up(),
            Lookup::TooMuch => counters.over_budget.up(),
        }
        for &route in turn.found.ids() {
            if turn.calls == 0 {
                return counters.cut_short.up();
            }
            turn.calls -= 1;
            if let Some(lane) = turn.routes.lane(route) {
                let budget = Arc::clone(turn.back.budget());
                let job = self.ground.job(turn.routes.prepare(route), message, meta, turn.inlet, budget);
                lane.push(job).await;
                continue;
            }
            let call = || turn.routes.call(route, message, meta, &turn.back);
            self.ground.finish(call, message, meta, turn.inlet, &turn.back).await;
        }
    }

    fn scratch(&self) -> MutexGuard<'_, Scratch> {
        lock(&self.scratch)
    }
}
