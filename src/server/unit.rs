//! One packet after the other: a message to its handlers, a bundle as one unit.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;

use super::stats::Counters;
use crate::channel::Outlet;
use crate::dispatch::{Dispatch, Lookup, Outcome, Reply, Routes};
use crate::packet::{Bundle, Message, Meta, Packet};
use crate::schedule::{Clock, Due, Entry, HorizonPolicy, Queue};

/// Replies per packet.
const MAX_REPLIES: usize = 64;
/// Bytes of replies per packet.
const MAX_REPLY_BYTES: usize = 64 * 1_024;

/// A packet that has arrived, and the channel it came from.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) packet: Packet,
    pub(super) meta: Meta,
    pub(super) source: usize,
}

/// What the loop, the handlers and the handle share.
pub(super) struct Shared {
    pub(super) dispatcher: Box<dyn Dispatch>,
    pub(super) outlets: Vec<Option<Outlet>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Counters,
    schedule: Mutex<Queue<Arrival>>,
    /// The routes of the last message: their memory is used again.
    routes: Mutex<Routes>,
}

impl Shared {
    pub(super) fn new(
        dispatcher: Box<dyn Dispatch>,
        outlets: Vec<Option<Outlet>>,
        clock: Arc<dyn Clock>,
        schedule: Queue<Arrival>,
    ) -> Self {
        Self {
            dispatcher,
            outlets,
            clock,
            counters: Counters::default(),
            schedule: Mutex::new(schedule),
            routes: Mutex::default(),
        }
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Queue<Arrival>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides when a bundle that has arrived runs: now, and how late, or not now, because it waits
    /// or was dropped.
    pub(super) fn admit(&self, bundle: &Bundle, meta: &Meta, source: usize) -> Option<Duration> {
        if bundle.time_tag().is_immediately() {
            return Some(Duration::ZERO);
        }
        let now = self.clock.now();
        let mut schedule = self.schedule();
        match schedule.judge(bundle.time_tag(), now) {
            Due::Immediately | Due::Unset => Some(Duration::ZERO),
            Due::Now { late } => Some(late),
            Due::BeyondHorizon => {
                (schedule.limits().beyond_horizon == HorizonPolicy::RunNow).then_some(Duration::ZERO)
            }
            Due::Later { due } => {
                // A copy of exactly its size: what waits must not keep a larger buffer alive.
                let packet = Packet::Bundle(bundle.as_ref().to_owned());
                let bytes = packet.as_bytes().len();
                let item = Arrival { packet, meta: meta.clone(), source };
                // A refusal is counted by the schedule.
                let _ = schedule.push(Entry { due, bytes, peer: meta.peer.ip(), item });
                None
            }
        }
    }

    /// Runs a packet to its end: every handler of every message, in order.
    pub(super) async fn run(&self, arrival: Arrival) {
        let Arrival { packet, mut meta, source } = arrival;
        let mut budget = Budget::default();
        match packet {
            Packet::Message(message) => self.message(&message, &meta, source, &mut budget).await,
            Packet::Bundle(bundle) => {
                let mut open = vec![(bundle.time_tag(), bundle.into_elements())];
                while let Some((time_tag, elements)) = open.last_mut() {
                    meta.time_tag = Some(*time_tag);
                    match elements.next() {
                        Some(Packet::Message(message)) => {
                            self.message(&message, &meta, source, &mut budget).await;
                        }
                        // Judged now that its parent runs: if due, here and at this place.
                        Some(Packet::Bundle(inner)) => {
                            if self.admit(&inner, &meta, source).is_some() {
                                open.push((inner.time_tag(), inner.into_elements()));
                            }
                        }
                        None => {
                            open.pop();
                        }
                    }
                }
            }
        }
    }

    async fn message(&self, message: &Message, meta: &Meta, source: usize, budget: &mut Budget) {
        let mut routes = std::mem::take(&mut *self.routes());
        match self.dispatcher.find(message, &mut routes) {
            Lookup::Matched => self.counters.matched.up(),
            Lookup::Unmatched => self.counters.unmatched.up(),
            Lookup::Illegal => self.counters.illegal.up(),
        }
        for &route in routes.ids() {
            let call = || self.dispatcher.call(route, message, meta);
            let reply = match std::panic::catch_unwind(AssertUnwindSafe(call)) {
                Ok(Some(Ok(Outcome::Now(reply)))) => reply,
                Ok(Some(Ok(Outcome::Later(future)))) => match AssertUnwindSafe(future).catch_unwind().await {
                    Ok(reply) => reply,
                    Err(_) => {
                        self.panicked(message, meta);
                        continue;
                    }
                },
                Ok(Some(Err(rejection))) => {
                    self.counters.rejected.up();
                    tracing::debug!(
                        target: "tokio_osc::dispatch",
                        address = %message.address(), peer = %meta.peer, %rejection, "rejected"
                    );
                    continue;
                }
                Ok(None) => continue,
                Err(_) => {
                    self.panicked(message, meta);
                    continue;
                }
            };
            self.counters.handled.up();
            self.reply(reply, meta, source, budget).await;
        }
        *self.routes() = routes;
    }

    async fn reply(&self, reply: Reply, meta: &Meta, source: usize, budget: &mut Budget) {
        if let Some(error) = reply.failed {
            self.counters.failed.up();
            tracing::debug!(target: "tokio_osc::dispatch", peer = %meta.peer, error, "handler failed");
        }
        for packet in reply.packets {
            let outlet = self.outlets.get(source).and_then(Option::as_ref);
            let sent = match outlet {
                Some(outlet) if budget.take(packet.as_bytes().len()) => {
                    outlet.reply(&packet, meta.peer).await
                }
                _ => {
                    self.counters.replies_dropped.up();
                    continue;
                }
            };
            match sent {
                Ok(()) => self.counters.replies.up(),
                Err(error) => {
                    self.counters.replies_dropped.up();
                    tracing::debug!(target: "tokio_osc::dispatch", peer = %meta.peer, %error, "reply not sent");
                }
            }
        }
    }

    fn panicked(&self, message: &Message, meta: &Meta) {
        self.counters.panicked.up();
        tracing::error!(
            target: "tokio_osc::dispatch",
            address = %message.address(), peer = %meta.peer, "handler panicked"
        );
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a packet may still cause in replies: its sender can be forged.
struct Budget {
    replies: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { replies: MAX_REPLIES, bytes: MAX_REPLY_BYTES }
    }
}

impl Budget {
    /// Takes a reply of this size out of it, if it is still there.
    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.replies > 0 && self.bytes >= bytes;
        if fits {
            self.replies -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}
