//! Packets that were read while another one waits for its handler, in the order of arrival.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::channels::ChannelMap;
use super::events::ChannelEventKind;
use super::schedule::Arrival;
use crate::packet::Overflow;

pub(super) struct Backlog<'a> {
    packets: VecDeque<Arrival>,
    limit: usize,
    overflow: Overflow,
    /// Whether it was full, and is not yet half empty.
    overflowing: bool,
    /// Its length, for the numbers of the server.
    len: &'a AtomicUsize,
    channels: &'a ChannelMap,
}

impl<'a> Backlog<'a> {
    pub(super) fn new(
        limit: usize,
        overflow: Overflow,
        len: &'a AtomicUsize,
        channels: &'a ChannelMap,
    ) -> Self {
        let (packets, limit) = (VecDeque::new(), limit.max(1));
        Self { packets, limit, overflow, overflowing: false, len, channels }
    }

    /// Whether it takes another packet; it may drop one for that.
    pub(super) fn has_room(&self) -> bool {
        self.overflow != Overflow::Wait || !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.packets.len() >= self.limit
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        if self.packets.len() + 1 >= self.limit && !self.overflowing {
            self.overflowing = true;
            let record = &arrival.guard.record;
            record.counters.overflows.up();
            self.channels.events.tell(&record.name, ChannelEventKind::Overflow);
        }
        let dropped = match self.overflow {
            Overflow::DropNewest if self.is_full() => Some(arrival),
            Overflow::DropOldest if self.is_full() => {
                self.packets.push_back(arrival);
                self.packets.pop_front()
            }
            _ => {
                self.packets.push_back(arrival);
                None
            }
        };
        if let Some(dropped) = dropped {
            dropped.guard.record.counters.inbox_dropped.up();
        }
        self.note_len();
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Arrival> {
        let arrival = self.packets.pop_front()?;
        self.overflowing &= self.packets.len() > self.limit / 2;
        self.note_len();
        Some(arrival)
    }

    /// Gives up what waits, and counts it.
    pub(super) fn cut_off(&mut self) {
        for arrival in self.packets.drain(..) {
            arrival.guard.record.counters.cut_off.up();
        }
        self.note_len();
    }

    fn note_len(&self) {
        self.len.store(self.packets.len(), Ordering::Relaxed);
    }
}
