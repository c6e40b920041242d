//! A bounded queue between the senders of packets and the task that sends them to a destination.
//!
//! ```text
//! put ──► newest … oldest ──► filled, then pop ──► in flight ──► note ──► sent or failed
//!  │        │        │
//!  │        │        └─ full, DropOldest: dropped
//!  │        └─ a newer value of the same address: superseded
//!  └─ full, DropNewest: refused, dropped      full, Wait: `put` waits for a `pop`
//! ```
//!
//! A value replaces the older value of its address, so the address is sent when the older value would have
//! been sent. A packet without an address is a barrier: a value pushed after it never replaces a value before
//! it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::node::SendOutcome;
use crate::packet::{Overflow, SendError, SendErrorKind};
use crate::{Bytes, Packet};

/// The limits of the queue.
#[derive(Clone, Copy)]
pub(super) struct QueueLimits {
    pub(super) packets: usize,
    pub(super) bytes: usize,
    /// The cost of each packet in addition to its bytes.
    pub(super) overhead: usize,
    pub(super) overflow: Overflow,
}

/// The counts of packets: `offered = sent + failed + superseded + dropped + waiting`.
#[derive(Clone, Copy, Default)]
pub(super) struct QueueStats {
    pub(super) offered: u64,
    pub(super) sent: u64,
    pub(super) failed: u64,
    pub(super) superseded: u64,
    pub(super) dropped: u64,
    /// Packets in the queue or being sent.
    pub(super) waiting: u64,
}

/// A queue of packets, each with its origin. One task takes packets out; with [`Overflow::Wait`], one
/// task puts them in.
pub(super) struct PacketQueue<O> {
    limits: QueueLimits,
    state: Mutex<QueueState<O>>,
    /// Wakes all waiters after every change.
    changed: Notify,
}

impl<O: Copy> PacketQueue<O> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { limits, state: Mutex::new(QueueState::new()), changed: Notify::new() }
    }

    /// Pushes a packet according to the policy, without waiting.
    pub(super) fn try_put(&self, packet: Packet, origin: O, address: Option<&[u8]>) -> Result<(), SendError> {
        let mut state = self.state();
        if state.closed {
            return Err(SendErrorKind::Closed.into());
        }
        state.stats.offered += 1;
        if !state.put(&self.limits, packet, origin, address) {
            state.stats.dropped += 1;
            return Err(SendErrorKind::Full.into());
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Pushes a packet according to the policy. A packet larger than the queue is dropped.
    pub(super) async fn put(&self, packet: Packet, origin: O) {
        let size = self.limits.cost(&packet);
        if self.limits.overflow == Overflow::Wait && size <= self.limits.bytes {
            self.until(|state| state.closed || state.has_room(&self.limits, size)).await;
        }
        // A packet without room is already counted. A relay has no sender to report to.
        let _ = self.try_put(packet, origin, None);
    }

    /// Waits for a packet. Returns `false` when the queue is closed and empty.
    pub(super) async fn filled(&self) -> bool {
        self.until(|state| state.closed || !state.entries.is_empty()).await;
        !self.state().entries.is_empty()
    }

    /// Pops the oldest packet. It is in flight until [`note`](Self::note) is called.
    pub(super) fn pop(&self) -> Option<(Packet, O)> {
        let mut state = self.state();
        let taken = state.take_oldest(&self.limits)?;
        state.in_flight = true;
        drop(state);
        self.changed.notify_waiters();
        Some(taken)
    }

    /// Records the outcome of the packet in flight.
    pub(super) fn note(&self, outcome: &SendOutcome) {
        let mut state = self.state();
        state.in_flight = false;
        let count = if outcome.is_sent() { &mut state.stats.sent } else { &mut state.stats.failed };
        *count += 1;
        drop(state);
        self.changed.notify_waiters();
    }

    /// Returns `true` if the queue is empty and nothing is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.state().is_idle()
    }

    /// Waits for that.
    pub(super) async fn drained(&self) {
        self.until(QueueState::is_idle).await;
    }

    /// Refuses further packets. Queued packets are still sent.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
    }

    /// Ends sending: queued packets count as failed, and every waiter continues.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.stats.failed += state.waiting();
        *state = QueueState { closed: true, abandoned: true, stats: state.stats, ..QueueState::new() };
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until the queue is abandoned.
    pub(super) async fn abandoned(&self) {
        self.until(|state| state.abandoned).await;
    }

    pub(super) fn stats(&self) -> QueueStats {
        let state = self.state();
        QueueStats { waiting: state.waiting(), ..state.stats }
    }

    async fn until(&self, holds: impl Fn(&QueueState<O>) -> bool) {
        loop {
            // Created before the state is checked, so that a change between the check and the wait wakes the
            // waiter.
            let changed = self.changed.notified();
            if holds(&self.state()) {
                return;
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, QueueState<O>> {
        lock(&self.state)
    }
}

impl QueueLimits {
    fn cost(&self, packet: &Packet) -> usize {
        packet.as_bytes().len().saturating_add(self.overhead)
    }
}

struct QueueState<O> {
    entries: VecDeque<Queued<O>>,
    /// The position of the value of each address, counted from the first packet ever pushed. It stays valid
    /// while packets leave at the front.
    places: HashMap<Bytes, u64>,
    taken: u64,
    bytes: usize,
    in_flight: bool,
    closed: bool,
    abandoned: bool,
    stats: QueueStats,
}

struct Queued<O> {
    packet: Packet,
    origin: O,
    /// `None` for packets that cannot be replaced.
    address: Option<Bytes>,
}

impl<O> QueueState<O> {
    fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            places: HashMap::new(),
            taken: 0,
            bytes: 0,
            in_flight: false,
            closed: false,
            abandoned: false,
            stats: QueueStats::default(),
        }
    }

    /// Replaces the older value of the packet's address, or pushes the packet. Returns `false` if there is no
    /// room.
    fn put(&mut self, limits: &QueueLimits, packet: Packet, origin: O, address: Option<&[u8]>) -> bool {
        let size = limits.cost(&packet);
        let place = address.and_then(|address| self.places.get(address));
        let older = place.and_then(|place| usize::try_from(place - self.taken).ok());
        if let Some(older) = older.and_then(|at| self.entries.get_mut(at)) {
            let bytes = self.bytes - limits.cost(&older.packet) + size;
            if bytes > limits.bytes {
                return false;
            }
            self.bytes = bytes;
            self.stats.superseded += 1;
            older.packet = packet;
            return true;
        }
        if limits.overflow == Overflow::DropOldest && size <= limits.bytes {
            while !self.has_room(limits, size) && self.take_oldest(limits).is_some() {
                self.stats.dropped += 1;
            }
        }
        if !self.has_room(limits, size) {
            return false;
        }
        // A copy of the key: a shared one would keep the buffer of a packet that was replaced long ago.
        let address = address.map(Bytes::copy_from_slice);
        match &address {
            Some(address) => {
                self.places.insert(address.clone(), self.taken + self.entries.len() as u64);
            }
            // The barrier: values before it can no longer be replaced.
            None => self.places.clear(),
        }
        self.bytes += size;
        self.entries.push_back(Queued { packet, origin, address });
        true
    }

    fn take_oldest(&mut self, limits: &QueueLimits) -> Option<(Packet, O)> {
        let Queued { packet, origin, address } = self.entries.pop_front()?;
        let place = self.taken;
        self.taken += 1;
        // After a barrier the address may have another position, which stays.
        if let Some(address) = address.filter(|address| self.places.get(address) == Some(&place)) {
            self.places.remove(&address);
        }
        self.bytes -= limits.cost(&packet);
        Some((packet, origin))
    }

    fn has_room(&self, limits: &QueueLimits, size: usize) -> bool {
        self.entries.len() < limits.packets && self.bytes.saturating_add(size) <= limits.bytes
    }

    fn is_idle(&self) -> bool {
        self.entries.is_empty() && !self.in_flight
    }

    fn waiting(&self) -> u64 {
        self.entries.len() as u64 + u64::from(self.in_flight)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::FutureExt;

    use crate::packet::IntoPacket;

    use super::*;

    fn packet(number: i32) -> Packet {
        ("/n", number).into_packet().unwrap()
    }

    /// Room for this number of packets of one number.
    fn queue(packets: usize, overflow: Overflow) -> PacketQueue<()> {
        let bytes = packets * (packet(0).as_bytes().len() + 64);
        PacketQueue::new(QueueLimits { packets: usize::MAX, bytes, overhead: 64, overflow })
    }

    fn numbers(queue: &PacketQueue<()>) -> Vec<i32> {
        let packets = std::iter::from_fn(|| queue.pop());
        let message = |packet: Packet| crate::Message::try_from(packet).unwrap();
        packets.map(|(packet, ())| message(packet).parse().unwrap()).collect()
    }

    #[test]
    fn each_policy_is_followed() {
        for (overflow, kept) in [(Overflow::DropNewest, [0, 1]), (Overflow::DropOldest, [1, 2])] {
            let queue = queue(2, overflow);
            let put = [0, 1, 2].map(|n| queue.try_put(packet(n), (), None).is_ok());
            assert_eq!(put, [true, true, overflow == Overflow::DropOldest]);
            assert_eq!((queue.stats().offered, queue.stats().dropped, queue.stats().waiting), (3, 1, 2));
            assert_eq!(numbers(&queue), kept, "{overflow:?}");
        }
    }

    #[test]
    fn what_is_waited_for_goes_in_when_there_is_room() {
        let queue = queue(1, Overflow::Wait);
        assert!(queue.put(packet(0), ()).now_or_never().is_some());
        let mut second = Box::pin(queue.put(packet(1), ()));
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(numbers(&queue), [0]);
        assert!(second.now_or_never().is_some());
        assert_eq!((numbers(&queue), queue.stats().dropped), (vec![1], 0));
    }

    #[test]
    fn what_fits_no_empty_queue_drops_nothing_else() {
        for overflow in [Overflow::Wait, Overflow::DropNewest, Overflow::DropOldest] {
            let queue = queue(1, overflow);
            queue.try_put(packet(0), (), None).unwrap();
            let large = ("/n", "more than there is room for at all, with its place").into_packet().unwrap();
            assert!(queue.put(large, ()).now_or_never().is_some());
            assert_eq!((queue.stats().dropped, numbers(&queue)), (1, vec![0]), "{overflow:?}");
        }
    }

    #[test]
    fn places_of_values_are_right_when_the_oldest_was_dropped() {
        let queue = queue(2, Overflow::DropOldest);
        for (number, address) in [(0, b"/a"), (1, b"/b"), (2, b"/c")] {
            queue.try_put(packet(number), (), Some(address)).unwrap();
        }
        // "/a" is gone: its next value has a new place, and drops "/b". "/c" keeps its place.
        queue.try_put(packet(3), (), Some(b"/a")).unwrap();
        queue.try_put(packet(4), (), Some(b"/c")).unwrap();
        assert_eq!((queue.stats().dropped, queue.stats().superseded), (2, 1));
        assert_eq!(numbers(&queue), [4, 3]);
    }
}
