//! One packet to its routes: a message to each in turn, a bundle as one unit.
//!
//! A packet runs as plain calls until something has to be waited for: a handler, or room in a lane. Then its
//! place is kept as a [`Paused`], and a future continues from there. Messages whose handlers are plain functions
//! never get a future.
//!
//! ```text
//!           message ──► look up its routes ──► call one after the other ──► over
//! begin ──►    ▲                                     │        ▲
//!           bundle ──► its elements, in order,       ▼        │
//!                      or as a unit                  │        │
//!                                                  Paused ──► finish (waits)
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::call::{CallSite, Calls, Unfinished};
use super::channels::ChannelGuard;
use super::events::Events;
use super::schedule::{Admission, SharedSchedule};
use super::throttles::Throttles;
use crate::dispatch::{
    Cached, DetachedCall, Dispatch, Found, Lookup, PacketBudget, ReplyLimits, ReplyPath, RouteId, Routes,
    SourceRate,
};
use crate::packet::{Bundle, IntoElements, Message, Meta, Packet};
use crate::types::TimeTag;
use crate::user_function::Panicked;

/// Steps of a look-up that are not counted for its source: the work of some microseconds.
const FREE_STEPS: usize = 4_096;

/// Limits of the work for one packet, and for all packets of a source.
#[derive(Debug)]
pub(super) struct PacketLimits {
    /// Handler calls.
    pub(super) calls: usize,
    /// Steps of matching.
    pub(super) steps: usize,
    /// Steps of matching for one source and second.
    pub(super) source_steps: u32,
    pub(super) replies: ReplyLimits,
}

pub(super) struct Dispatcher {
    pub(super) router: Arc<dyn Dispatch>,
    pub(super) calls: Arc<Calls>,
    pub(super) schedule: Arc<SharedSchedule>,
    pub(super) calls_per_packet: usize,
    pub(super) steps_per_packet: usize,
    pub(super) source_steps: SourceRate,
    pub(super) replies: Arc<ReplyLimits>,
    /// The prefix of the addresses of the server's own events, if its router receives them.
    pub(super) events: Option<Box<[u8]>>,
    /// Lines about messages without a route.
    pub(super) unmatched: Throttles,
}

/// The packet that runs, and where in it the next call is. Kept from one packet to the next for its memory, and for
/// the routes while they do not change.
#[derive(Default)]
pub(super) struct Turn {
    running: Running,
    /// The bundles that are not at their end, the outermost first.
    bundles: Vec<OpenBundle>,
}

/// The message that runs, and what its packet may still cause.
#[derive(Default)]
struct Running {
    routes: Cached,
    found: Found,
    /// How many of the routes that were found have been called.
    called: usize,
    /// The route whose call waits.
    waiting: Option<RouteId>,
    /// Calls that are left.
    calls: usize,
    budget: PacketBudget,
}

struct OpenBundle {
    time_tag: TimeTag,
    lateness: Duration,
    elements: Elements,
}

/// The rest of a bundle.
enum Elements {
    Each(IntoElements),
    /// Routes take it as a unit. Behind a pointer, as it is rare.
    Unit(Box<Unit>),
}

/// A bundle that routes take as a unit: its first message, which represents it, and the calls that are left.
struct Unit {
    first: Message,
    calls: VecDeque<DetachedCall>,
}

/// A packet that waits, and the call that it waits for.
pub(super) struct Paused {
    pub(super) message: Message,
    pub(super) meta: Meta,
    pub(super) guard: Arc<ChannelGuard>,
    pub(super) unfinished: Unfinished,
}

impl Dispatcher {
    /// Runs a packet up to the first call that must be awaited. Returns the message of that call.
    #[expect(clippy::inline_always, reason = "the way of each message is one function: see `call`")]
    #[inline(always)]
    pub(super) fn begin(
        &self,
        turn: &mut Turn,
        packet: &Packet,
        due: Option<SystemTime>,
        meta: &mut Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Option<(Message, Unfinished)> {
        match packet {
            Packet::Message(message) => {
                self.start(turn, message.as_bytes().len(), guard);
                let unfinished = self.message(&mut turn.running, message, meta, guard)?;
                Some((message.clone(), unfinished))
            }
            Packet::Bundle(bundle) => {
                if !self.schedule.is_on_time(due, bundle, meta, guard) {
                    return None;
                }
                self.start(turn, bundle.as_bytes().len(), guard);
                turn.open(bundle.clone(), meta.lateness, guard);
                self.elements(turn, meta, guard)
            }
        }
    }

    /// Runs a packet from where it waits to its end, and returns the turn.
    pub(super) async fn finish(&self, mut turn: Box<Turn>, paused: Paused) -> Box<Turn> {
        let Paused { mut message, mut meta, guard, mut unfinished } = paused;
        loop {
            let running = &mut turn.running;
            let site = self.site(&running.budget, &message, &meta, &guard);
            let waiting = running.routes.routes().zip(running.waiting);
            let route = || waiting.map_or("", |(routes, id)| routes.name(id));
            self.calls.finish(unfinished, &site, route).await;
            if let Some(next) = self.rest_of_message(running, &message, &meta, &guard) {
                unfinished = next;
                continue;
            }
            match self.elements(&mut turn, &mut meta, &guard) {
                Some(next) => (message, unfinished) = next,
                None => return turn,
            }
        }
    }

    #[expect(clippy::inline_always, reason = "each packet begins with it: a call costs as much again")]
    #[inline(always)]
    fn start(&self, turn: &mut Turn, received: usize, guard: &ChannelGuard) {
        guard.record.counters.ran.up_in_loop();
        let running = &mut turn.running;
        running.routes.refresh(&*self.router);
        running.found.allow(self.steps_per_packet);
        running.calls = self.calls_per_packet;
        running.budget.renew(received);
        // A packet whose future was dropped has left its bundles open.
        turn.bundles.clear();
    }

    /// Runs the rest of the open bundles.
    fn elements(
        &self,
        turn: &mut Turn,
        meta: &mut Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Option<(Message, Unfinished)> {
        while let Some(open) = turn.bundles.last_mut() {
            let (outer, lateness) = (open.time_tag, open.lateness);
            meta.time_tag = Some(outer);
            meta.lateness = lateness;
            let inner = match &mut open.elements {
                Elements::Unit(unit) => {
                    let (message, call) = (unit.first.clone(), unit.calls.pop_front());
                    match call.map(|call| self.unit(turn, call, &message, meta, guard)) {
                        Some(Some(unfinished)) => return Some((message, unfinished)),
                        Some(None) => {}
                        None => drop(turn.bundles.pop()),
                    }
                    continue;
                }
                Elements::Each(elements) => loop {
                    match elements.next() {
                        Some(Packet::Message(message)) => {
                            if let Some(unfinished) = self.message(&mut turn.running, &message, meta, guard) {
                                return Some((message, unfinished));
                            }
                        }
                        Some(Packet::Bundle(inner)) => break Some(inner),
                        None => break None,
                    }
                },
            };
            let Some(inner) = inner else {
                turn.bundles.pop();
                continue;
            };
            // Checked now that its parent runs. If it is due, it runs here, before the elements behind it.
            if let Admission::Runs { late, .. } = self.schedule.admit(&inner, Some(outer), meta, guard) {
                turn.open(inner, late.unwrap_or(lateness), guard);
            }
        }
        None
    }

    /// Calls a route that takes a bundle as a unit.
    fn unit(
        &self,
        turn: &mut Turn,
        call: DetachedCall,
        first: &Message,
        meta: &Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Option<Unfinished> {
        let running = &mut turn.running;
        let Some(left) = running.calls.checked_sub(1) else {
            guard.record.counters.cut_short.up();
            turn.bundles.pop();
            return None;
        };
        running.calls = left;
        running.waiting = Some(call.route);
        // Otherwise `rest_of_message` would call the routes of an earlier message.
        running.found.set(None);
        running.called = 0;
        self.calls.begin_detached(call, &self.site(&running.budget, first, meta, guard))
    }

    /// Finds the routes of a message, and calls them.
    #[expect(clippy::inline_always, reason = "the way of each message is one function: see `call`")]
    #[inline(always)]
    fn message(
        &self,
        running: &mut Running,
        message: &Message,
        meta: &Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Option<Unfinished> {
        let counters = &guard.record.counters;
        let Running { routes, found, called, waiting, calls, budget } = running;
        let routes = routes.routes()?;
        if *calls == 0 {
            // Not even looked up: matching is what the limit is to save.
            counters.over_budget.up();
            return None;
        }
        // The hash knows nothing of who sent it.
        let reserved = self.reserved(guard).filter(|events| message.name().starts_with(events));
        let known = if reserved.is_some() { None } else { routes.known(message.name()) };
        let ids = if let Some(ids) = known {
            counters.matched.up_in_loop();
            ids
        } else {
            self.look_up(routes, message, meta, found, guard);
            found.ids()
        };
        let site = self.site(budget, message, meta, guard);
        let (at, unfinished) = self.call(routes, ids, calls, &site)?;
        *waiting = ids.get(at).copied();
        // Kept for the rest of the message: borrowed ones go with the routes' borrow.
        if let Some(ids) = known {
            found.set(ids.iter().copied());
        }
        *called = at + 1;
        Some(unfinished)
    }

    /// Calls the routes of the message that are left.
    fn rest_of_message(
        &self,
        running: &mut Running,
        message: &Message,
        meta: &Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Option<Unfinished> {
        let Running { routes, found, called, waiting, calls, budget } = running;
        let site = self.site(budget, message, meta, guard);
        let ids = found.ids().get(*called..)?;
        let (at, unfinished) = self.call(routes.routes()?, ids, calls, &site)?;
        *waiting = ids.get(at).copied();
        *called += at + 1;
        Some(unfinished)
    }

    /// Calls routes, up to the first whose call has to be waited for; which of them that is.
    #[expect(
        clippy::inline_always,
        reason = "the way of each message is one function: what it takes and gives would go by memory, 30 instructions each"
    )]
    #[inline(always)]
    fn call(
        &self,
        routes: &dyn Routes,
        ids: &[RouteId],
        calls: &mut usize,
        site: &CallSite<'_>,
    ) -> Option<(usize, Unfinished)> {
        for (at, &route) in ids.iter().enumerate() {
            if *calls == 0 {
                site.guard.record.counters.cut_short.up();
                return None;
            }
            // Before the call: one that panics counts, too.
            *calls -= 1;
            if let Some(unfinished) = self.calls.begin(routes, route, site) {
                return Some((at, unfinished));
            }
        }
        None
    }

    fn look_up(
        &self,
        routes: &dyn Routes,
        message: &Message,
        meta: &Meta,
        found: &mut Found,
        guard: &ChannelGuard,
    ) {
        let counters = &guard.record.counters;
        let mut lookup = self.find(routes, message, meta, found);
        if let Some(events) = self.reserved(guard) {
            // Handlers of events can trust that they are: what a peer sends is not one, however it is written.
            let may_hear = |id| Ok::<_, Panicked>(!routes.name(id).as_bytes().starts_with(events));
            found.retain(may_hear);
            if found.ids().is_empty() && lookup == Lookup::Matched {
                lookup = Lookup::Unmatched;
            }
        }
        let panicked = found.take_panicked();
        if panicked > 0 {
            counters.hooks_panicked.add(panicked as u64);
        }
        let reason = match lookup {
            Lookup::Matched => return counters.matched.up_in_loop(),
            Lookup::Unmatched => {
                counters.unmatched.up_in_loop();
                "no route matches"
            }
            Lookup::Illegal => {
                counters.illegal.up_in_loop();
                "the address is not a legal pattern"
            }
            Lookup::TooMuch => {
                counters.over_budget.up();
                "matching takes more steps than one packet, or its source in a second, may cause"
            }
        };
        // What the fallback takes is heard.
        if found.ids().is_empty() && tracing::enabled!(target: "tokio_osc::dispatch", tracing::Level::DEBUG) {
            self.note_unmatched(message, meta, reason);
        }
    }

    /// Finds the routes of a message, within the limits of its packet and its source.
    ///
    /// Most look-ups take few steps. Those are free, and the limit of the source is not checked.
    fn find(&self, routes: &dyn Routes, message: &Message, meta: &Meta, found: &mut Found) -> Lookup {
        let (lookup, _) = found.within(FREE_STEPS, |found| routes.find(message, found));
        if lookup != Lookup::TooMuch {
            return lookup;
        }
        let mut find = |left| found.within(left, |found| routes.find(message, found));
        match meta.peer.ip() {
            Some(source) => self.source_steps.spend(source, find),
            None => find(usize::MAX).0,
        }
    }

    /// The prefix of the addresses of events, for a channel that no events come from.
    #[inline]
    fn reserved(&self, guard: &ChannelGuard) -> Option<&[u8]> {
        self.events.as_deref().filter(|_| !Events::is_source(&guard.record.name))
    }

    #[cold]
    fn note_unmatched(&self, message: &Message, meta: &Meta, reason: &str) {
        let (address, peer, channel) = (message.address(), meta.peer, meta.channel());
        if let Some(suppressed) = self.unmatched.pass_address(address.as_bytes()) {
            let tags = message.type_tags();
            tracing::debug!(
                target: "tokio_osc::dispatch", %address, tags, %peer, channel, reason, suppressed, "unmatched"
            );
        }
    }

    fn site<'a>(
        &'a self,
        budget: &'a PacketBudget,
        message: &'a Message,
        meta: &'a Meta,
        guard: &'a Arc<ChannelGuard>,
    ) -> CallSite<'a> {
        let replies = ReplyPath { channel: guard.replies.as_ref(), limits: &self.replies, budget };
        CallSite { message, meta, guard, replies }
    }
}

impl Turn {
    /// Begins with a bundle: with its routes, if it has some that take it as a unit, else with its elements.
    fn open(&mut self, bundle: Bundle, lateness: Duration, guard: &ChannelGuard) {
        let time_tag = bundle.time_tag();
        let Running { routes, found, .. } = &mut self.running;
        let unit = routes.routes().and_then(|routes| unit(routes, &bundle, found));
        let elements = if let Some(unit) = unit {
            guard.record.counters.matched.up_in_loop();
            Elements::Unit(Box::new(unit))
        } else {
            Elements::Each(bundle.into_elements())
        };
        self.bundles.push(OpenBundle { time_tag, lateness, elements });
    }
}

/// A bundle as a unit, if routes take it as one.
fn unit(routes: &dyn Routes, bundle: &Bundle, found: &mut Found) -> Option<Unit> {
    let first = routes.find_bundle(bundle, found)?;
    let calls = found.ids().iter().filter_map(|&id| routes.detached(id, Some(bundle))).collect();
    Some(Unit { first, calls })
}
