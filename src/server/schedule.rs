//! When a bundle runs: now, at its time, or never.
//!
//! | the time tag                       | when it arrives, or its parent runs | when it runs                    |
//! |------------------------------------|-------------------------------------|---------------------------------|
//! | immediately, or not honored        | now                                 |                                 |
//! | not after the parent's             | now, with the parent                |                                 |
//! | past                               | now                                 | unless too late: dropped, handed |
//! | ahead, within the horizon          | waits in the queue                  | unless too late, as above       |
//! | beyond the horizon                 | now or never, as its policy says    |                                 |

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::channels::{ChannelGuard, ChannelRecord};
use super::clock_watch::ClockWatch;
use super::guarded_clock::GuardedClock;
use crate::lock::lock;
use crate::packet::{Bundle, BundleRef, Meta, Packet, PacketRef, PacketStep, ScheduleId};
use crate::schedule::{Clock, Due, Entry, EntryId, HorizonPolicy, LatePolicy, Schedule, ScheduleLimits};
use crate::throttle::Throttle;
use crate::types::TimeTag;
use crate::user_function::UserFunction;

/// A received packet and its channel.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) packet: Packet,
    pub(super) meta: Meta,
    pub(super) guard: Arc<ChannelGuard>,
    /// When it was due, if it has its own time.
    pub(super) due: Option<SystemTime>,
}

/// The decision about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It runs now. A bundle with its own time, and not that of its parent, was due then and is this late.
    Runs { late: Option<Duration>, due: Option<SystemTime> },
    /// It waits, or was dropped or refused, and counted.
    Away,
}

impl Admission {
    const AT_ONCE: Self = Self::Runs { late: None, due: None };
}

/// No wake-up.
const NEVER: u64 = u64::MAX;

/// The bundles that wait for their time, and the clock.
pub(super) struct SharedSchedule {
    queue: Mutex<Schedule<Arrival>>,
    /// The next check of the queue, in nanoseconds after `begin`. Read for each packet, without the lock.
    /// Only the loop adds bundles, so for the loop the value is never too late.
    wake: AtomicU64,
    begin: Instant,
    pub(super) clock: GuardedClock,
    clocks: ClockWatch,
    refused: Throttle,
    far_off: Throttle,
    for_late: UserFunction,
}

impl SharedSchedule {
    pub(super) fn new(limits: ScheduleLimits, clock: Box<dyn Clock>) -> Self {
        let clock = GuardedClock::new(clock);
        let now = clock.now();
        Self {
            queue: Mutex::new(Schedule::new(limits, now)),
            wake: AtomicU64::new(NEVER),
            begin: now.monotonic,
            clock,
            clocks: ClockWatch::default(),
            refused: Throttle::default(),
            far_off: Throttle::default(),
            for_late: UserFunction::new("LatePolicy::Hand"),
        }
    }

    /// Accesses the queue.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Schedule<Arrival>) -> R) -> R {
        let mut queue = lock(&self.queue);
        let done = work(&mut queue);
        let after = |wake: Instant| u64::try_from(wake.duration_since(self.begin).as_nanos());
        let wake = queue.next_wake().map_or(NEVER, |wake| after(wake).unwrap_or(NEVER - 1));
        self.wake.store(wake, Ordering::Relaxed);
        done
    }

    /// Returns the time of the next check of the queue. `None` while nothing waits.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let wake = Some(self.wake.load(Ordering::Relaxed)).filter(|&wake| wake != NEVER)?;
        self.begin.checked_add(Duration::from_nanos(wake))
    }

    /// Accepts a packet from a channel.
    #[expect(clippy::inline_always, reason = "a call would cost each message more than the look")]
    #[inline(always)]
    pub(super) fn accept(&self, packet: &Packet, meta: &Meta, guard: &Arc<ChannelGuard>) -> Admission {
        match packet {
            Packet::Message(_) => Admission::AT_ONCE,
            Packet::Bundle(bundle) => self.accept_bundle(bundle, meta, guard),
        }
    }

    fn accept_bundle(&self, bundle: &Bundle, meta: &Meta, guard: &Arc<ChannelGuard>) -> Admission {
        let checked = meta.time().check_inner_time_tags;
        if checked.unwrap_or(guard.record.time.check_inner_time_tags) && !is_in_order(bundle.as_ref()) {
            guard.record.counters.refused_time_tags.up();
            if let Some(suppressed) = self.refused.pass() {
                tracing::debug!(
                    target: "tokio_osc::server",
                    channel = %meta.channel(), peer = %meta.peer, suppressed,
                    "an inner bundle is due before the outer one"
                );
            }
            return Admission::Away;
        }
        match self.admit(bundle, None, meta, guard) {
            Admission::Runs { late: Some(late), .. } if drops_on_arrival(meta, guard, late) => {
                self.with(|queue| queue.record(late));
                guard.record.counters.late_dropped.up();
                Admission::Away
            }
            admission => admission,
        }
    }

    /// Decides about a bundle. `outer` is the time tag of the running bundle around it.
    #[inline]
    pub(super) fn admit(
        &self,
        bundle: &Bundle,
        outer: Option<TimeTag>,
        meta: &Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Admission {
        // The common case, without a call.
        if bundle.time_tag().is_immediately() {
            return Admission::AT_ONCE;
        }
        self.admit_timed(bundle, outer, meta, guard)
    }

    fn admit_timed(
        &self,
        bundle: &Bundle,
        outer: Option<TimeTag>,
        meta: &Meta,
        guard: &Arc<ChannelGuard>,
    ) -> Admission {
        let ChannelRecord { time, offset, counters, .. } = &*guard.record;
        let own = meta.time();
        if !own.honor_time_tags.unwrap_or(time.honor_time_tags) {
            return Admission::AT_ONCE;
        }
        let offset = own.clock_offset.unwrap_or_else(|| offset.get());
        let local = |tag| {
            let tag = offset.to_local(tag);
            if is_instant(tag) { (tag + time.delay).max(FIRST_INSTANT) } else { tag }
        };
        let tag = local(bundle.time_tag());
        if outer.is_some_and(|outer| is_not_after(tag, local(outer))) {
            return Admission::AT_ONCE;
        }
        let now = self.clock.now();
        let mut judged = Due::Unset;
        let admission = self.with(|queue| {
            judged = queue.judge(tag, now);
            match judged {
                Due::Immediately | Due::Unset => Admission::AT_ONCE,
                Due::Now { late } => Admission::Runs { late: Some(late), due: now.wall.checked_sub(late) },
                Due::BeyondHorizon if queue.limits().beyond_horizon == HorizonPolicy::RunNow => {
                    Admission::AT_ONCE
                }
                Due::BeyondHorizon => {
                    counters.split_off.add(u64::from(outer.is_some()));
                    Admission::Away
                }
                Due::Later { due } => {
                    counters.split_off.add(u64::from(outer.is_some()));
                    // Bundles of a closing channel are not scheduled.
                    if guard.record.is_leaving() {
                        queue.note_cancelled();
                        counters.discarded.up();
                        return Admission::Away;
                    }
                    // A copy of exactly its size: a waiting bundle must not keep a larger buffer alive.
                    let packet = Packet::Bundle(bundle.as_ref().to_owned());
                    let bytes = packet.as_bytes().len();
                    let mut meta = meta.clone();
                    // Of the outer bundle; this one gets its own when it runs.
                    meta.set_schedule_id(None);
                    meta.lateness = Duration::ZERO;
                    let item = Arrival { packet, meta, guard: Arc::clone(guard), due: None };
                    // The schedule counts the refusal.
                    let _ = queue.push(Entry { due, bytes, peer: item.meta.peer.ip(), item });
                    Admission::Away
                }
            }
        });
        // Without the lock, because a `tracing` subscriber may be slow.
        self.watch_clock(judged, now.wall, meta);
        admission
    }

    /// Warns about a peer whose time tags are all far ahead or far behind.
    fn watch_clock(&self, judged: Due, now: SystemTime, meta: &Meta) {
        let (apart, side) = match judged {
            Due::Immediately | Due::Unset => return,
            Due::Now { late } => (late, "behind"),
            Due::Later { due } => (due.duration_since(now).unwrap_or_default(), "ahead"),
            Due::BeyondHorizon => (Duration::MAX, "ahead, beyond the horizon"),
        };
        if !self.clocks.is_off(meta.peer.ip(), apart) {
            return;
        }
        if let Some(suppressed) = self.far_off.pass() {
            tracing::warn!(
                target: "tokio_osc::server",
                channel = %meta.channel(), peer = %meta.peer, ?apart, side, suppressed,
                "the time tags of a peer stay far from now: check its clock, or set `TimeOptions::clock_offset`"
            );
        }
    }

    /// A due bundle.
    #[inline]
    pub(super) fn next_due(&self) -> Option<Arrival> {
        let wake = self.next_wake()?;
        let now = self.clock.now();
        if now.monotonic < wake {
            return None;
        }
        // `None` where it was cancelled from outside since the wake-up was set.
        let popped = self.with(|queue| queue.pop_due(now))?;
        let mut arrival = popped.entry.item;
        arrival.due = Some(popped.entry.due);
        arrival.meta.set_schedule_id(Some(schedule_id(popped.id)));
        Some(arrival)
    }

    /// Returns whether a bundle still runs, and notes how late it is: the policy for late bundles may drop it.
    #[inline]
    pub(super) fn is_on_time(
        &self,
        due: Option<SystemTime>,
        bundle: &Bundle,
        meta: &mut Meta,
        guard: &ChannelGuard,
    ) -> bool {
        due.is_none_or(|due| self.note_lateness(due, bundle, meta, guard))
    }

    fn note_lateness(&self, due: SystemTime, bundle: &Bundle, meta: &mut Meta, guard: &ChannelGuard) -> bool {
        let late = self.clock.now().wall.duration_since(due).unwrap_or_default();
        self.with(|queue| queue.record(late));
        meta.lateness = late;
        let ChannelRecord { time, counters, .. } = &*guard.record;
        match (meta.time().drop_later_than, &time.late) {
            (Some(tolerance), _) | (None, &LatePolicy::DropAfter(tolerance)) if late > tolerance => {
                counters.late_dropped.up();
                false
            }
            (None, LatePolicy::Hand(handler)) if late > handler.tolerance() => {
                counters.late_handed.up();
                if self.for_late.call(|| handler.call(bundle.clone(), meta)).is_err() {
                    counters.hooks_panicked.up();
                }
                false
            }
            _ => true,
        }
    }

    /// Drops the waiting bundles, and counts them.
    pub(super) fn discard_all(&self) {
        // Dropped outside of the lock, because the last packet of a channel closes the channel.
        let left = self.with(Schedule::drain);
        for (_, entry) in left {
            entry.item.guard.record.counters.discarded.up();
        }
    }

    /// Drops and counts the waiting bundles of one channel.
    pub(super) fn discard_of(&self, record: &Arc<ChannelRecord>) {
        let of_it = |arrival: &Arrival| Arc::ptr_eq(&arrival.guard.record, record);
        let gone = self.with(|queue| queue.cancel_where(|pending| of_it(pending.item)));
        record.counters.discarded.add(gone as u64);
    }
}

/// Returns `true` if a bundle that arrives this late is dropped. Options set by middleware replace the
/// policy.
fn drops_on_arrival(meta: &Meta, guard: &ChannelGuard, late: Duration) -> bool {
    let policy = &guard.record.time.late;
    meta.time().drop_later_than.is_none()
        && matches!(policy, &LatePolicy::DropLateArrivals(tolerance) if late > tolerance)
}

pub(super) fn schedule_id(id: EntryId) -> ScheduleId {
    ScheduleId::from_bits(id.into())
}

const FIRST_INSTANT: TimeTag = TimeTag::from_bits(2);

fn is_instant(tag: TimeTag) -> bool {
    tag >= FIRST_INSTANT
}

/// Returns `true` if an inner time tag is not before the outer one. `false` if one of them is not an instant.
fn is_not_after(inner: TimeTag, outer: TimeTag) -> bool {
    is_instant(inner) && is_instant(outer) && inner.signed_difference(outer) <= 0
}

/// Returns `true` if no inner bundle is due before the bundle around it.
fn is_in_order(bundle: BundleRef<'_>) -> bool {
    let mut open: Vec<TimeTag> = Vec::new();
    PacketRef::Bundle(bundle).walk().all(|step| match step {
        PacketStep::Begin(tag) => {
            let early = |&outer: &TimeTag| tag != outer && is_not_after(tag, outer);
            let in_order = !open.last().is_some_and(early);
            open.push(tag);
            in_order
        }
        PacketStep::End => open.pop().is_some(),
        PacketStep::Message(_) => true,
    })
}
