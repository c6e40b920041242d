//! The send queue of a connection, bounded in bytes.
//!
//! ```text
//! push ──► entries ──► pop ──► framed, unsent ──► note_sent
//!            ▲  │ expired, or the oldest: dropped
//!            └──┴──────── put_back: the connection broke, and the next one sends them first
//! ```
//!
//! At any time, `accepted = sent + dropped + queued`; a framed packet that is not written counts as queued.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use futures::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::channel::stats::Delivery;
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{Packet, Peer, SendError, SendErrorKind};

/// The bytes that an entry counts in addition to its own.
const ENTRY: usize = 64;

/// The send queue of a connection. That of a reconnecting client outlives its connections.
pub(crate) struct Outbox {
    queue: Mutex<OutboxQueue>,
    limit: usize,
    /// Maximum time that a packet may wait.
    max_age: Option<Duration>,
    /// When the connection has last sent or received a packet.
    active: Mutex<Instant>,
    /// The waker of the connection.
    sender: AtomicWaker,
    /// Wakes the tasks that wait for space, or for the close.
    change: Notify,
}

#[derive(Default)]
struct OutboxQueue {
    entries: VecDeque<OutboxEntry>,
    bytes: usize,
    counts: Delivery,
    closed: bool,
    /// Whether this side closed the connection and the peer did not confirm the end.
    unconfirmed: bool,
}

/// A queued packet.
#[derive(Clone)]
pub(crate) struct OutboxEntry {
    /// Its bytes, after the middleware.
    pub(crate) frame: Bytes,
    /// Whether the user sent it. Greetings and keep-alives are the library's own.
    pub(crate) counted: bool,
    /// Its index among the accepted packets; 0 for the library's own.
    number: u64,
    /// When it becomes too old to be sent.
    expires: Option<Instant>,
}

impl OutboxEntry {
    fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= Instant::now())
    }
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        let (queue, sender, change) = (Mutex::default(), AtomicWaker::new(), Notify::new());
        Self { queue, limit, max_age: None, active: Mutex::new(Instant::now()), sender, change }
    }

    /// Drops packets that wait longer than this.
    pub(crate) fn with_max_age(self, max_age: Option<Duration>) -> Self {
        Self { max_age, ..self }
    }

    /// Pushes a packet if there is space, and returns its number.
    ///
    /// # Errors
    /// Returns `Full`, `Closed`, or `TooLarge` for a packet larger than the queue.
    pub(crate) fn push(&self, frame: Bytes) -> Result<u64, SendError> {
        let cost = frame.len() + ENTRY;
        let mut queue = self.lock();
        if queue.closed {
            return Err(SendErrorKind::Closed.into());
        }
        if cost > self.limit {
            return Err(SendErrorKind::TooLarge {
                size: frame.len(),
                limit: self.limit.saturating_sub(ENTRY),
            }
            .into());
        }
        queue.drop_expired();
        if queue.bytes + cost > self.limit {
            return Err(SendErrorKind::Full.into());
        }
        queue.bytes += cost;
        queue.counts.accepted += 1;
        let number = queue.counts.accepted;
        let expires = self.max_age.and_then(|age| Instant::now().checked_add(age));
        queue.entries.push_back(OutboxEntry { frame, counted: true, number, expires });
        drop(queue);
        self.sender.wake();
        Ok(number)
    }

    /// Waits until a packet of this size fits, or the queue is closed.
    pub(crate) async fn space(&self, bytes: usize) {
        self.until(|queue| queue.closed || queue.bytes + bytes + ENTRY <= self.limit).await;
    }

    pub(crate) async fn closed(&self) {
        self.until(|queue| queue.closed).await;
    }

    async fn until(&self, mut test: impl FnMut(&OutboxQueue) -> bool) {
        loop {
            // Created before the test, so that a change after the test is not missed.
            let change = self.change.notified();
            if test(&self.lock()) {
                return;
            }
            change.await;
        }
    }

    /// Adds a packet, and drops the oldest ones if there is no space.
    pub(crate) fn push_over_oldest(&self, frame: &Bytes) -> Result<u64, SendError> {
        loop {
            match self.push(frame.clone()) {
                Err(error) if error.kind() == SendErrorKind::Full => {
                    let mut queue = self.lock();
                    let Some(oldest) = queue.entries.iter().position(|entry| entry.counted) else {
                        return Err(error);
                    };
                    queue.drop_at(oldest);
                }
                done => return done,
            }
        }
    }

    /// Puts a packet of the library's own first. It passes the middleware each time, because the result may be
    /// valid only once, as in an envelope with a replay window.
    pub(crate) fn write_own(&self, packet: &Packet, chain: &Chain, peer: Peer) {
        match chain.write(packet.clone(), peer) {
            Ok(Some(frame)) => {
                self.put_first(OutboxEntry { frame, counted: false, number: 0, expires: None });
                self.sender.wake();
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(target: "tokio_osc::channel", %error, "packet refused"),
        }
    }

    /// Puts a packet first, without a limit: one that was popped, or the library's own.
    pub(crate) fn put_first(&self, entry: OutboxEntry) {
        let mut queue = self.lock();
        queue.bytes += entry.frame.len() + ENTRY;
        queue.entries.push_front(entry);
    }

    /// Whether a packet of the library's own is queued.
    pub(crate) fn has_own(&self) -> bool {
        self.lock().entries.front().is_some_and(|entry| !entry.counted)
    }

    /// Pops the next packet.
    pub(crate) fn pop(&self) -> Option<OutboxEntry> {
        let mut queue = self.lock();
        queue.drop_expired();
        let entry = queue.entries.pop_front()?;
        queue.release(&entry);
        drop(queue);
        self.change.notify_waiters();
        Some(entry)
    }

    /// Drops a queued packet by its number.
    pub(crate) fn withdraw(&self, number: u64) {
        let mut queue = self.lock();
        if let Some(at) = queue.entries.iter().position(|entry| entry.counted && entry.number == number) {
            queue.drop_at(at);
            drop(queue);
            self.change.notify_waiters();
        }
    }

    /// Returns popped packets that were not sent, to be sent first on the next connection. Packets of the
    /// library are dropped.
    pub(crate) fn put_back(&self, unsent: impl DoubleEndedIterator<Item = OutboxEntry>) {
        let mut queue = self.lock();
        queue.entries.retain(|entry| entry.counted);
        for entry in unsent.rev().filter(|entry| entry.counted) {
            queue.entries.push_front(entry);
        }
        queue.bytes = queue.entries.iter().map(|entry| entry.frame.len() + ENTRY).sum();
    }

    /// Counts a packet of the user as sent.
    pub(crate) fn note_sent(&self, entry: &OutboxEntry) {
        self.lock().counts.sent += u64::from(entry.counted);
    }

    /// Packets have been sent or received.
    pub(crate) fn note_active(&self) {
        *lock(&self.active) = Instant::now();
    }

    pub(crate) fn last_active(&self) -> Instant {
        *lock(&self.active)
    }

    /// Counts packets that were handed to a connection that then broke.
    pub(crate) fn note_unconfirmed(&self, packets: u64) {
        self.lock().counts.unconfirmed += packets;
    }

    /// Counts a packet of the user as lost.
    pub(crate) fn note_dropped(&self, entry: &OutboxEntry) {
        self.lock().counts.dropped += u64::from(entry.counted);
    }

    /// Records that this side closed the connection and its last packets may be lost.
    pub(crate) fn note_unconfirmed_end(&self) {
        self.lock().unconfirmed = true;
    }

    pub(crate) fn is_end_unconfirmed(&self) -> bool {
        self.lock().unconfirmed
    }

    pub(crate) fn delivery(&self) -> Delivery {
        let queue = self.lock();
        let Delivery { accepted, sent, dropped, .. } = queue.counts;
        Delivery { queued: accepted - sent - dropped, ..queue.counts }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }

    /// Whether the peer should not cause more packets.
    pub(crate) fn is_half_full(&self) -> bool {
        self.lock().bytes > self.limit / 2
    }

    /// Accepts no more packets. Queued packets are still sent.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.sender.wake();
        self.change.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Registers the connection, which is woken when there is something to send.
    pub(crate) fn register(&self, waker: &Waker) {
        self.sender.register(waker);
    }

    pub(crate) fn wake(&self) {
        self.sender.wake();
    }

    fn lock(&self) -> MutexGuard<'_, OutboxQueue> {
        lock(&self.queue)
    }
}

impl OutboxQueue {
    fn release(&mut self, entry: &OutboxEntry) {
        self.bytes -= entry.frame.len() + ENTRY;
    }

    /// Drops a packet and counts it as lost.
    fn drop_at(&mut self, at: usize) {
        if let Some(entry) = self.entries.remove(at) {
            self.release(&entry);
            self.counts.dropped += 1;
        }
    }

    fn drop_expired(&mut self) {
        while self.entries.front().is_some_and(OutboxEntry::is_expired) {
            self.drop_at(0);
        }
    }
}
