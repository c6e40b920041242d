//! Packets that were read while another packet waits for its handler, in order of arrival.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::channels::ChannelMap;
use super::events::ChannelEventKind;
use super::schedule::Arrival;
use crate::packet::Overflow;

/// The backlog is full at this many packets, or at this many bytes. The last packet may exceed the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct BacklogLimits {
    pub(super) packets: usize,
    pub(super) bytes: usize,
}

pub(super) struct Backlog<'a> {
    packets: VecDeque<Arrival>,
    /// Of the packets.
    bytes: usize,
    limits: BacklogLimits,
    overflow: Overflow,
    /// Whether it was full, and is not half empty yet.
    overflowing: bool,
    /// Its length, for the statistics.
    len: &'a AtomicUsize,
    channels: &'a ChannelMap,
}

impl<'a> Backlog<'a> {
    pub(super) fn new(
        limits: BacklogLimits,
        overflow: Overflow,
        len: &'a AtomicUsize,
        channels: &'a ChannelMap,
    ) -> Self {
        Self { packets: VecDeque::new(), bytes: 0, limits, overflow, overflowing: false, len, channels }
    }

    /// Makes room for another packet, by dropping one if the policy allows it. Returns `false` if there is no
    /// room.
    pub(super) fn has_room(&self) -> bool {
        self.overflow != Overflow::Wait || !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.packets.len() >= self.limits.packets.max(1) || self.bytes >= self.limits.bytes.max(1)
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        if self.overflow == Overflow::DropOldest {
            while self.is_full() {
                let Some(oldest) = self.take() else { break };
                oldest.guard.record.counters.inbox_dropped.up();
            }
        }
        // With `Wait`, it was read for an answer to a client of its channel alone, and is not one.
        if self.is_full() {
            arrival.guard.record.counters.inbox_dropped.up();
            return;
        }
        self.bytes += arrival.packet.as_bytes().len();
        self.packets.push_back(arrival);
        if let Some(last) = self.packets.back().filter(|_| self.is_full() && !self.overflowing) {
            self.overflowing = true;
            let record = &last.guard.record;
            record.counters.overflows.up();
            self.channels.events.tell(&record.name, ChannelEventKind::Overflow);
        }
        self.note_len();
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Arrival> {
        let arrival = self.take()?;
        let BacklogLimits { packets, bytes } = self.limits;
        self.overflowing &= self.packets.len() > packets / 2 || self.bytes > bytes / 2;
        self.note_len();
        Some(arrival)
    }

    fn take(&mut self) -> Option<Arrival> {
        let arrival = self.packets.pop_front()?;
        self.bytes -= arrival.packet.as_bytes().len();
        Some(arrival)
    }

    /// Drops the waiting packets, and counts them.
    pub(super) fn cut_off(&mut self) {
        self.bytes = 0;
        for arrival in self.packets.drain(..) {
            arrival.guard.record.counters.cut_off.up();
        }
        self.note_len();
    }

    fn note_len(&self) {
        self.len.store(self.packets.len(), Ordering::Relaxed);
    }
}
