//! When a bundle runs: now, at its time, or never; and what becomes of it when that time has passed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::inlet::Inlet;
use super::unit::{Arrival, Shared};
use crate::packet::{Bundle, Meta, Packet, PacketRef, ScheduleId};
use crate::schedule::{Due, Entry, EntryId, HorizonPolicy, LatePolicy, Reading};
use crate::types::TimeTag;

/// What is decided about a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It runs now. If it has a time of its own, and not its parent's, it is this late.
    Runs { late: Option<Duration> },
    /// It waits, or was dropped and counted.
    Away,
}

impl Shared {
    /// Takes in a packet from a channel; `None` if it waits now, or was refused.
    pub(super) fn receive(&self, packet: Packet, meta: Meta, inlet: Arc<Inlet>) -> Option<Arrival> {
        let mut due = None;
        if let Packet::Bundle(bundle) = &packet {
            if inlet.record.times(&meta).check_inner_time_tags && !is_in_order(bundle) {
                inlet.record.counters.refused_time_tags.up();
                if let Some(suppressed) = self.ground.faults.refused_time_tags.pass() {
                    tracing::debug!(
                        target: "tokio_osc::server",
                        channel = %meta.channel(), peer = %meta.peer, suppressed,
                        "an inner bundle is due before the outer one"
                    );
                }
                return None;
            }
            let now = self.clock.now();
            match self.admit(bundle, None, now, &meta, &inlet) {
                Admission::Runs { late } => due = late.and_then(|late| now.wall.checked_sub(late)),
                Admission::Away => return None,
            }
        }
        Some(Arrival { packet, meta, inlet, due })
    }

    /// Decides about a bundle in another one, which runs and has the tag `outer`.
    pub(super) fn admit_inner(
        &self,
        bundle: &Bundle,
        outer: TimeTag,
        meta: &Meta,
        inlet: &Arc<Inlet>,
    ) -> Admission {
        self.admit(bundle, Some(outer), self.clock.now(), meta, inlet)
    }

    fn admit(
        &self,
        bundle: &Bundle,
        outer: Option<TimeTag>,
        now: Reading,
        meta: &Meta,
        inlet: &Arc<Inlet>,
    ) -> Admission {
        let at_once = Admission::Runs { late: None };
        let times = inlet.record.times(meta);
        if bundle.time_tag().is_immediately() || !times.honor_time_tags {
            return at_once;
        }
        let local = |tag| {
            let tag = times.clock_offset.to_local(tag);
            if is_instant(tag) { (tag + times.delay).max(FIRST_INSTANT) } else { tag }
        };
        let tag = local(bundle.time_tag());
        let mut schedule = self.schedule();
        let due = match outer {
            Some(outer) if is_not_after(tag, local(outer)) => return at_once,
            _ => schedule.judge(tag, now),
        };
        match due {
            Due::Immediately | Due::Unset => at_once,
            Due::Now { late } => Admission::Runs { late: Some(late) },
            Due::BeyondHorizon if schedule.limits().beyond_horizon == HorizonPolicy::RunNow => at_once,
            Due::BeyondHorizon => {
                inlet.record.counters.split_off.add(u64::from(outer.is_some()));
                Admission::Away
            }
            Due::Later { due } => {
                inlet.record.counters.split_off.add(u64::from(outer.is_some()));
                // Nothing of a channel that is being closed is kept for later.
                if inlet.record.is_leaving() {
                    schedule.note_cancelled();
                    inlet.record.counters.discarded.up();
                    return Admission::Away;
                }
                // A copy of exactly its size: what waits must not keep a larger buffer alive.
                let packet = Packet::Bundle(bundle.as_ref().to_owned());
                let bytes = packet.as_bytes().len();
                let mut meta = meta.clone();
                meta.set_schedule_id(None);
                meta.lateness = Duration::ZERO;
                let item = Arrival { packet, meta, inlet: Arc::clone(inlet), due: None };
                // A refusal is counted by the schedule.
                let _ = schedule.push(Entry { due, bytes, peer: item.meta.peer.ip(), item });
                Admission::Away
            }
        }
    }

    /// A bundle whose time has come. Give all of a wake-up the same reading.
    pub(super) fn next_due(&self) -> Option<Arrival> {
        let mut schedule = self.schedule();
        if schedule.len() == 0 {
            return None;
        }
        let popped = schedule.pop_due(self.clock.now())?;
        let mut arrival = popped.entry.item;
        arrival.due = Some(popped.entry.due);
        arrival.meta.set_schedule_id(Some(schedule_id(popped.id)));
        Some(arrival)
    }

    /// The packet, if it is to run although it may be late.
    pub(super) fn on_time(&self, mut arrival: Arrival) -> Option<Arrival> {
        let (Some(due), Packet::Bundle(bundle)) = (arrival.due, &arrival.packet) else {
            return Some(arrival);
        };
        let late = self.clock.now().wall.duration_since(due).unwrap_or_default();
        self.schedule().record(late);
        arrival.meta.lateness = late;
        let record = &arrival.inlet.record;
        let counters = &record.counters;
        match (arrival.meta.time().drop_later_than, &record.time.late) {
            (Some(tolerance), _) | (None, &LatePolicy::DropAfter(tolerance)) if late > tolerance => {
                counters.late_dropped.up();
                None
            }
            (None, LatePolicy::Hand(handler)) if late > handler.tolerance() => {
                counters.late_handed.up();
                let call = || handler.call(bundle.clone(), &arrival.meta);
                if catch_unwind(AssertUnwindSafe(call)).is_err() {
                    counters.hooks_panicked.up();
                    if let Some(suppressed) = self.ground.faults.late.pass() {
                        tracing::error!(
                            target: "tokio_osc::server",
                            suppressed, "the function for late bundles panicked"
                        );
                    }
                }
                None
            }
            _ => Some(arrival),
        }
    }
}

pub(super) fn schedule_id(id: EntryId) -> ScheduleId {
    ScheduleId::from_bits(id.into())
}

const FIRST_INSTANT: TimeTag = TimeTag::from_bits(2);

fn is_instant(tag: TimeTag) -> bool {
    tag >= FIRST_INSTANT
}

/// Whether an inner tag is due with the outer one: `false` if one of them is no instant.
fn is_not_after(inner: TimeTag, outer: TimeTag) -> bool {
    is_instant(inner) && is_instant(outer) && inner.signed_difference(outer) <= 0
}

/// Whether no bundle in this one is due before the bundle around it.
fn is_in_order(bundle: &Bundle) -> bool {
    let mut open = vec![bundle.as_ref()];
    while let Some(outer) = open.pop() {
        for element in outer.elements() {
            let PacketRef::Bundle(inner) = element else { continue };
            let (before, after) = (outer.time_tag(), inner.time_tag());
            if before != after && is_not_after(after, before) {
                return false;
            }
            open.push(inner);
        }
    }
    true
}
