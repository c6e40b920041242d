//! What waits to be sent on a connection: a queue that is bounded in bytes.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use futures::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::lock::lock;
use crate::packet::{SendError, SendErrorKind};

/// What a packet's place in the queue costs, in bytes.
const PLACE: usize = 64;

/// The queue of a connection. It outlives the connection where there is a next one.
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    limit: usize,
    /// The connection that sends.
    sender: AtomicWaker,
    /// Those who wait for space.
    space: Notify,
}

#[derive(Default)]
struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    counts: Delivery,
    closed: bool,
}

/// A packet on its way to the transport.
#[derive(Clone)]
pub(super) struct Entry {
    /// Its bytes, as the middleware has left them.
    pub(super) frame: Bytes,
    /// Whether it is the user's, and not one that the library sends by itself.
    pub(super) counted: bool,
}

/// What became of the packets that a reconnecting client has accepted: what
/// [`Client::delivery`](crate::Client::delivery) returns. At any time, `accepted = sent + dropped +
/// queued`. The packets of `on_connect` and `keep_alive` are not counted.
///
/// ```
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::reconnecting("127.0.0.1:9000", Slip::new()).spawn()?;
/// client.send(("/scene", 3)).await?;
/// let delivery = client.delivery().expect("it is a reconnecting client");
/// assert_eq!((delivery.accepted, delivery.queued), (1, 1));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Packets whose send succeeded.
    pub accepted: u64,
    /// Packets that were handed to a transport whole.
    pub sent: u64,
    /// Of those sent, the ones on connections that then broke: at most so many were lost unseen.
    pub unconfirmed: u64,
    /// Packets that were lost for certain: the queue was full, or the framing could not hold them.
    pub dropped: u64,
    /// Packets that wait.
    pub queued: u64,
}

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { queue: Mutex::default(), limit, sender: AtomicWaker::new(), space: Notify::new() }
    }

    /// Adds a packet if there is space.
    ///
    /// # Errors
    /// `Full`, `Closed`, or `TooLarge` for what no empty queue holds.
    pub(super) fn push(&self, frame: Bytes) -> Result<(), SendError> {
        let cost = frame.len() + PLACE;
        let mut queue = self.lock();
        if queue.closed {
            return Err(SendErrorKind::Closed.into());
        }
        if cost > self.limit {
            return Err(SendErrorKind::TooLarge {
                size: frame.len(),
                limit: self.limit.saturating_sub(PLACE),
            }
            .into());
        }
        if queue.bytes + cost > self.limit {
            return Err(SendErrorKind::Full.into());
        }
        queue.bytes += cost;
        queue.counts.accepted += 1;
        queue.entries.push_back(Entry { frame, counted: true });
        drop(queue);
        self.sender.wake();
        Ok(())
    }

    /// Adds a packet, and waits while there is no space.
    pub(super) async fn push_when_space(&self, frame: Bytes) -> Result<(), SendError> {
        loop {
            let space = self.space.notified();
            match self.push(frame.clone()) {
                Err(error) if error.kind() == SendErrorKind::Full => space.await,
                done => return done,
            }
        }
    }

    /// The same, but for so long at most; then it fails as `TimedOut`.
    pub(super) async fn push_within(&self, patience: Duration, frame: Bytes) -> Result<(), SendError> {
        // Who finds space needs no timer, and no runtime.
        match self.push(frame.clone()) {
            Err(error) if error.kind() == SendErrorKind::Full => {}
            done => return done,
        }
        let full = |_| {
            let text = format!("the queue of the connection was full for {patience:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
        };
        timeout(patience, self.push_when_space(frame)).await.unwrap_or_else(full)
    }

    /// Adds a packet in the place of the oldest ones.
    pub(super) fn push_over_oldest(&self, frame: &Bytes) -> Result<(), SendError> {
        loop {
            match self.push(frame.clone()) {
                Err(error) if error.kind() == SendErrorKind::Full => {
                    let mut queue = self.lock();
                    let Some(oldest) = queue.entries.iter().position(|entry| entry.counted) else {
                        return Err(error);
                    };
                    queue.counts.dropped += 1;
                    queue.entries.remove(oldest).into_iter().for_each(|entry| queue.release(&entry));
                }
                done => return done,
            }
        }
    }

    /// Puts a packet of the library's own before all others.
    pub(super) fn push_own(&self, frame: Bytes) {
        self.put_first(Entry { frame, counted: false });
        self.sender.wake();
    }

    /// Puts a packet before all others, be there space or not: what was popped, or the library's own.
    pub(super) fn put_first(&self, entry: Entry) {
        let mut queue = self.lock();
        queue.bytes += entry.frame.len() + PLACE;
        queue.entries.push_front(entry);
    }

    /// Whether a packet of the library's own still waits.
    pub(super) fn has_own(&self) -> bool {
        self.lock().entries.front().is_some_and(|entry| !entry.counted)
    }

    /// The next packet to send.
    pub(super) fn pop(&self) -> Option<Entry> {
        let mut queue = self.lock();
        let entry = queue.entries.pop_front()?;
        queue.release(&entry);
        drop(queue);
        self.space.notify_waiters();
        Some(entry)
    }

    /// Takes back what was popped and not sent, to be sent first on the next connection; the
    /// library's own is dropped.
    pub(super) fn put_back(&self, unsent: impl DoubleEndedIterator<Item = Entry>) {
        let mut queue = self.lock();
        queue.entries.retain(|entry| entry.counted);
        for entry in unsent.rev().filter(|entry| entry.counted) {
            queue.entries.push_front(entry);
        }
        queue.bytes = queue.entries.iter().map(|entry| entry.frame.len() + PLACE).sum();
    }

    /// Counts a packet as handed to the transport, if it is the user's.
    pub(super) fn note_sent(&self, entry: &Entry) {
        self.lock().counts.sent += u64::from(entry.counted);
    }

    /// Counts packets as handed to a connection that broke.
    pub(super) fn note_unconfirmed(&self, packets: u64) {
        self.lock().counts.unconfirmed += packets;
    }

    /// Counts a packet as lost, if it is the user's.
    pub(super) fn note_dropped(&self, entry: &Entry) {
        self.lock().counts.dropped += u64::from(entry.counted);
    }

    pub(super) fn delivery(&self) -> Delivery {
        let queue = self.lock();
        let Delivery { accepted, sent, dropped, .. } = queue.counts;
        Delivery { queued: accepted - sent - dropped, ..queue.counts }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }

    /// Whether so much waits that the peer should not cause more.
    pub(super) fn is_half_full(&self) -> bool {
        self.lock().bytes > self.limit / 2
    }

    /// Takes nothing more; what waits is sent.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.sender.wake();
        self.space.notify_waiters();
    }

    pub(super) async fn closed(&self) {
        loop {
            let change = self.space.notified();
            if self.is_closed() {
                return;
            }
            change.await;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Who is woken when there is something to send.
    pub(super) fn register(&self, waker: &Waker) {
        self.sender.register(waker);
    }

    pub(super) fn wake(&self) {
        self.sender.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl Queue {
    fn release(&mut self, entry: &Entry) {
        self.bytes -= entry.frame.len() + PLACE;
    }
}
