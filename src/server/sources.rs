//! Reads the channels: those that were woken, one packet of each in turn.
//!
//! ```text
//!            woken                gives a packet
//!  idle ──────────────► ready ◄──────────────────┐
//!   ▲                     │                      │
//!   │ nothing more        ▼                      │
//!   └────────────────── polled ──────────────────┘
//!                         │ ended
//!                         └──────► removed
//! ```
//!
//! What is woken becomes ready with the next pass of the loop. A channel that is woken by its own poll, as
//! by Tokio's cooperative budget when that is spent, is therefore not polled again in the same pass.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::stream::{self, Stream, StreamExt};
use futures::task::AtomicWaker;

use super::channels::{ChannelGuard, ChannelMap, ChannelRecord, Item, ReadHalf};
use super::events::ChannelEventKind;
use super::waker::{ChannelWaker, WokenChannels};
use crate::packet::Meta;
use crate::throttle::Throttle;
use crate::user_function::{Panicked, caught};
use crate::wire::DecodeError;

/// The last packet that was read.
pub(super) type Read = Poll<Option<Item>>;

pub(super) struct ChannelSources {
    /// By key. A key is used again: a late wake-up of the channel that had it before costs one poll.
    slots: Vec<Option<SourceSlot>>,
    /// Keys of the channels that may have something; the first is polled next.
    ready: VecDeque<usize>,
    woken: Arc<WokenChannels>,
    channels: Arc<ChannelMap>,
    malformed: Throttle,
    /// Whether channels may be added.
    growing: bool,
    /// Whether the server waits for another channel when it has none.
    lasting: bool,
}

struct SourceSlot {
    half: ReadHalf,
    flag: Arc<ChannelWaker>,
    waker: Waker,
    /// Whether its key is among the ready ones.
    is_ready: bool,
}

impl SourceSlot {
    /// Returns whether the channel must be read although there is no room for packets.
    fn is_awaited(&self) -> bool {
        let guard = self.half.guard.as_ref();
        guard.is_some_and(|guard| guard.poll_unread(&mut Context::from_waker(&self.waker)))
    }
}

impl ChannelSources {
    pub(super) fn new(
        channels: &Arc<ChannelMap>,
        task: &Arc<AtomicWaker>,
        halves: Vec<ReadHalf>,
        growing: bool,
    ) -> Self {
        let mut sources = Self {
            slots: Vec::with_capacity(halves.len()),
            ready: VecDeque::new(),
            woken: WokenChannels::new(Arc::clone(task)),
            channels: Arc::clone(channels),
            malformed: Throttle::default(),
            growing,
            lasting: growing && halves.iter().all(ReadHalf::is_of_events),
        };
        for half in halves {
            sources.open(half);
        }
        sources
    }

    /// Reads a channel from now on.
    pub(super) fn open(&mut self, half: ReadHalf) {
        if let Some(local) = half.record.local {
            self.tell(&half.record, ChannelEventKind::Bound(local));
        }
        self.tell(&half.record, ChannelEventKind::Open);
        let record = Arc::clone(&half.record);
        let key = self.slots.iter().position(Option::is_none).unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let flag = ChannelWaker::new(key, &self.woken);
        let waker = Waker::from(Arc::clone(&flag));
        // It is opened once.
        let _ = record.waker.set(waker.clone());
        // Ready from the beginning: the first poll is what asks to be woken.
        self.slots[key] = Some(SourceSlot { half, flag, waker, is_ready: true });
        self.ready.push_back(key);
        // It was in the list before it came here, and may have been removed in between.
        if record.is_leaving() {
            self.close(&record);
        }
    }

    /// Stops reading a channel.
    pub(super) fn close(&mut self, record: &Arc<ChannelRecord>) {
        let is_it = |slot: &Option<SourceSlot>| {
            slot.as_ref().is_some_and(|slot| Arc::ptr_eq(&slot.half.record, record))
        };
        let Some(key) = self.slots.iter().position(is_it) else { return };
        self.close_at(key);
        self.lasting = self.growing;
    }

    /// Stops reading all channels. Sockets are closed; connections stay open until the replies have left.
    pub(super) fn close_all(&mut self) {
        self.growing = false;
        (0..self.slots.len()).rev().for_each(|key| self.close_at(key));
    }

    fn close_at(&mut self, key: usize) {
        let Some(slot) = &self.slots[key] else { return };
        self.tell_closing(&slot.half.record);
        if slot.half.stop_reading() {
            // Polled once more, whether or not something comes: it gives its received packets, then its end.
            slot.waker.wake_by_ref();
        } else {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: usize) -> Option<SourceSlot> {
        self.ready.retain(|&other| other != key);
        self.slots[key].take()
    }

    /// Whether no channel can yield a packet any more.
    pub(super) fn is_exhausted(&self) -> bool {
        !self.lasting && self.slots.iter().flatten().all(|slot| slot.half.is_of_events())
    }

    /// Whether every channel is closed.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Marks the channels that were woken since the last pass as ready.
    pub(super) fn begin_pass(&mut self) {
        let Self { slots, ready, woken, .. } = self;
        woken.take(|key| {
            let Some(slot) = slots.get_mut(key).and_then(Option::as_mut) else { return };
            if !slot.is_ready {
                slot.is_ready = true;
                ready.push_back(key);
            }
        });
    }

    /// Polls the channels in turn until one has a packet, and leaves that in `read`, where it is counted
    /// and traced: it is 176 bytes, and not moved without need.
    #[inline]
    pub(super) fn read(&mut self, read: &mut Read) -> Option<&Arc<ChannelGuard>> {
        self.read_of(|sources| (!sources.ready.is_empty()).then_some(0), read)
    }

    /// Same as [`read`](Self::read), while there is no room for packets: reads only channels that have a client whose
    /// request waits. The channel hands the reply to the client, and returns other packets, for which there is no
    /// room.
    pub(super) fn read_awaited(&mut self, read: &mut Read) -> Option<&Arc<ChannelGuard>> {
        let is_awaited = |sources: &Self, key: usize| {
            sources.slots.get(key).and_then(Option::as_ref).is_some_and(SourceSlot::is_awaited)
        };
        self.read_of(|sources| sources.ready.iter().position(|&key| is_awaited(sources, key)), read)
    }

    #[inline]
    fn read_of(
        &mut self,
        next: impl Fn(&Self) -> Option<usize>,
        read: &mut Read,
    ) -> Option<&Arc<ChannelGuard>> {
        let key = self.poll(next, read)?;
        let guard = self.slots.get(key)?.as_ref()?.half.guard.as_ref()?;
        let Poll::Ready(Some((packet, meta))) = read else { return None };
        let record = &guard.record;
        meta.channel = Some(Arc::clone(&record.name));
        record.counters.received.up_in_loop();
        match packet {
            Ok(packet) => {
                tracing::trace!(
                    target: "tokio_osc::server",
                    channel = %meta.channel(), peer = %meta.peer, bytes = packet.as_bytes().len(), "packet"
                );
                if let Some(repairs) = meta.tolerated() {
                    record.note_repairs(*repairs);
                }
            }
            Err(error) => note_malformed(error, meta, record, &self.malformed),
        }
        Some(guard)
    }

    /// Polls the channels in turn until one has a packet: the key of that. `next` says which of the ready ones is
    /// polled next.
    #[inline]
    fn poll(&mut self, next: impl Fn(&Self) -> Option<usize>, read: &mut Read) -> Option<usize> {
        loop {
            let at = next(self)?;
            // The others keep their order: they are read when there is room.
            if at > 0 {
                self.ready.rotate_left(at);
            }
            let key = *self.ready.front()?;
            let slot = self.slots.get_mut(key)?.as_mut()?;
            slot.flag.unlist();
            let cx = &mut Context::from_waker(&slot.waker);
            let ReadHalf { packets, user, record, .. } = &mut slot.half;
            // Written in place, also from within the call that catches: a packet is large.
            let mut poll = || *read = Pin::new(&mut *packets).poll_next(cx);
            let in_channel = record.span.enter();
            let polled = if let Some(user) = user {
                user.call(poll)
            } else {
                poll();
                Ok(())
            };
            drop(in_channel);
            if polled == Err(Panicked) {
                // It is not in a state to be polled again; its drop may panic, too.
                let gone = std::mem::replace(packets, stream::empty().boxed());
                let _ = caught(|| drop(gone));
                *read = Poll::Ready(None);
                record.counters.hooks_panicked.up();
                self.channels.events.tell(&record.name, ChannelEventKind::Panicked);
            }
            match read {
                Poll::Ready(Some(_)) => {
                    let is_read = slot.half.guard.is_some();
                    // The others get their turn before it has the next.
                    if self.ready.len() > 1 {
                        self.ready.rotate_left(1);
                    }
                    if is_read {
                        return Some(key);
                    }
                }
                Poll::Pending => {
                    slot.is_ready = false;
                    self.ready.pop_front();
                    // Its received packets have been taken: the channel closes after the last handler. The
                    // last guard wakes it then, so that it ends in the next pass.
                    slot.half.guard.take_if(|guard| guard.record.is_closing());
                }
                Poll::Ready(None) => {
                    if let Some(SourceSlot { half, .. }) = self.remove(key) {
                        self.lasting = self.growing && half.record.is_leaving();
                        self.tell_closing(&half.record);
                    }
                }
            }
        }
    }

    fn tell_closing(&self, record: &ChannelRecord) {
        if record.begin_closing() {
            self.tell(record, ChannelEventKind::Closing);
        }
    }

    fn tell(&self, record: &ChannelRecord, kind: ChannelEventKind) {
        self.channels.events.tell(&record.name, kind);
    }
}

#[cold]
fn note_malformed(error: &DecodeError, meta: &Meta, record: &ChannelRecord, lines: &Throttle) {
    record.counters.malformed.up();
    if let Some(suppressed) = lines.pass() {
        tracing::debug!(
            target: "tokio_osc::server",
            channel = %meta.channel(), peer = %meta.peer, %error, suppressed, "malformed packet"
        );
    }
}
