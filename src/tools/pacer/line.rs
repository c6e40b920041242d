//! What waits in a pacer: a queue in which a newer value takes the place of an older one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::PacerCounts;
use crate::lock::lock;
use crate::{Bytes, Packet, SendError, SendErrorKind};

/// What waits, between those who give and the task that sends.
pub(super) struct Line {
    queue: Mutex<Queue>,
    grown: Notify,
    empty: Notify,
    ended: CancellationToken,
}

impl Line {
    /// A line in which so many packets wait at most, and so many bytes of them.
    pub(super) fn new(packets: usize, bytes: usize) -> Self {
        let queue = Queue { packets, bytes, ..Queue::default() };
        Self {
            queue: Mutex::new(queue),
            grown: Notify::new(),
            empty: Notify::new(),
            ended: CancellationToken::new(),
        }
    }

    pub(super) fn put(&self, address: Option<&[u8]>, packet: &Packet) -> Result<(), SendError> {
        self.queue().put(address, packet)?;
        self.grown.notify_one();
        Ok(())
    }

    /// Waits until something waits; false when the line is closed and empty.
    pub(super) async fn filled(&self) -> bool {
        loop {
            {
                let queue = self.queue();
                if !queue.entries.is_empty() {
                    return true;
                }
                if queue.closed {
                    return false;
                }
            }
            self.grown.notified().await;
        }
    }

    /// What waited longest; it is on its way until [`note`](Line::note) is called.
    pub(super) fn pop(&self) -> Option<Packet> {
        self.queue().pop()
    }

    pub(super) fn note(&self, sent: bool) {
        let mut queue = self.queue();
        queue.in_flight = false;
        let count = if sent { &mut queue.counts.sent } else { &mut queue.counts.failed };
        *count += 1;
        if queue.is_drained() {
            self.empty.notify_waiters();
        }
    }

    pub(super) async fn drained(&self) {
        loop {
            let empty = self.empty.notified();
            if self.queue().is_drained() {
                return;
            }
            empty.await;
        }
    }

    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.grown.notify_one();
    }

    /// Nothing is sent any more, and nobody waits for it.
    pub(super) fn give_up(&self) {
        self.queue().give_up();
        self.empty.notify_waiters();
        self.ended.cancel();
    }

    /// Waits until it is given up.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn counts(&self) -> PacerCounts {
        self.queue().counts()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

#[derive(Default)]
struct Queue {
    packets: usize,
    bytes: usize,
    entries: VecDeque<Entry>,
    /// The place of the value of each address, as the number of packets that were ever before it.
    places: HashMap<Bytes, u64>,
    popped: u64,
    waiting_bytes: usize,
    in_flight: bool,
    closed: bool,
    counts: PacerCounts,
}

struct Entry {
    /// `None` for what has no newer value.
    address: Option<Bytes>,
    packet: Packet,
}

impl Queue {
    fn put(&mut self, address: Option<&[u8]>, packet: &Packet) -> Result<(), SendError> {
        if self.closed {
            return Err(SendErrorKind::Closed.into());
        }
        self.counts.offered += 1;
        let place = address.and_then(|address| self.places.get(address));
        let older = place.and_then(|place| usize::try_from(place - self.popped).ok());
        let has_room = older.is_some() || self.entries.len() < self.packets;
        let older = older.and_then(|at| self.entries.get_mut(at));
        let freed = older.as_ref().map_or(0, |entry| entry.packet.as_bytes().len());
        let waiting_bytes = self.waiting_bytes - freed + packet.as_bytes().len();
        if !has_room || waiting_bytes > self.bytes {
            self.counts.refused += 1;
            return Err(SendErrorKind::Full.into());
        }
        self.waiting_bytes = waiting_bytes;
        // What waits is copied: it must not keep a larger buffer alive.
        let packet = packet.as_ref().to_owned();
        if let Some(older) = older {
            older.packet = packet;
            self.counts.superseded += 1;
            return Ok(());
        }
        let address = address.map(Bytes::copy_from_slice);
        match &address {
            Some(address) => {
                self.places.insert(address.clone(), self.popped + self.entries.len() as u64);
            }
            // No value that comes after it goes before it.
            None => self.places.clear(),
        }
        self.entries.push_back(Entry { address, packet });
        Ok(())
    }

    fn pop(&mut self) -> Option<Packet> {
        let Entry { address, packet } = self.entries.pop_front()?;
        let place = self.popped;
        self.popped += 1;
        // After a packet in order, the address may have a place farther back.
        if let Some(address) = address.filter(|address| self.places.get(address) == Some(&place)) {
            self.places.remove(&address);
        }
        self.waiting_bytes -= packet.as_bytes().len();
        self.in_flight = true;
        Some(packet)
    }

    fn give_up(&mut self) {
        self.closed = true;
        self.counts.failed += self.counts().waiting;
        self.entries.clear();
        self.in_flight = false;
    }

    fn is_drained(&self) -> bool {
        self.entries.is_empty() && !self.in_flight
    }

    fn counts(&self) -> PacerCounts {
        PacerCounts { waiting: self.entries.len() as u64 + u64::from(self.in_flight), ..self.counts }
    }
}
