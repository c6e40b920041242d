//! The packets that a client receives, and the futures that wait for them: requests, subscriptions, and waits
//! for the end of the connection.
//!
//! There is no reader task. Each waiter that is polled reads up to [`BURST`] packets and delivers them to all. The
//! source has one waker, that of the [`WakerSet`]: a waiter that is dropped has nothing to hand over, and a future
//! that is held without being polled delays no other.
//!
//! | a waiter | registers its waker | looks into its queue | tries to lock `source` |
//! | --- | --- | --- | --- |
//! | is ready | yes | there is a message | - |
//! | reads | yes | empty | locked: reads until `Pending` or [`BURST`], delivers, unlocks, ends the poll |
//! | relies on another | yes | empty | held by another, which delivers to it, or wakes it at the end of its poll |
//!
//! Locks, in this order: `source`, then `waiters`, the counters or the waker set. A condition of a request runs
//! with `source` locked alone, a waker with none. The source of a client whose packets another task reads (a
//! channel, the task of a reconnecting client) is always pending; that task delivers with `source` locked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use foldhash::HashMap;
use futures::FutureExt;
use tokio::task::unconstrained;

use super::stats::ClientCounters;
use super::waker_set::WakerSet;
use crate::channel::Disconnect;
use crate::codec::ReadPacket;
use crate::lock::lock;
use crate::packet::{Message, MessageRef, PacketRef, PacketStep, Peer};
use crate::pattern::Pattern;
use crate::user_function::{Panicked, caught};

/// Maximum number of packets read in one poll, before other tasks run.
const BURST: usize = 64;
/// Maximum number of bursts that a request reads before it is sent. Without a limit, a peer that sends
/// without pause would block the request.
const BURSTS: usize = 64;

/// The source of a client's packets.
pub(super) trait Source: Send {
    /// The next packet, malformed or not, or how the connection has ended.
    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>>;
}

/// A condition on the reply of a request.
pub(super) type Condition = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

/// The kinds of waiters.
pub(super) enum WaitFor {
    /// Messages that no earlier request takes, once the request is armed; at most `most` wait.
    Reply { pattern: Pattern, condition: Option<Condition>, armed: bool, most: usize },
    /// Every message, including replies. The queue is limited, and the oldest messages are dropped.
    All { pattern: Pattern, messages: usize, bytes: usize },
    /// The end of the connection.
    End,
}

pub(super) struct ClientInbox {
    source: Mutex<Box<dyn Source>>,
    waiters: Mutex<Waiters>,
    /// The host whose packets are taken; any if it is `None`.
    from: Option<IpAddr>,
    pub(super) counters: ClientCounters,
    wakers: Arc<WakerSet>,
    /// The waker of `wakers`, given to the source.
    waker: Waker,
}

#[derive(Default)]
struct Waiters {
    all: BTreeMap<u64, WaiterState>,
    /// The requests.
    requests: BTreeSet<u64>,
    /// The subscriptions to one address, by that address: a message costs as much as those that receive it.
    of_address: HashMap<Bytes, BTreeSet<u64>>,
    /// The subscriptions to the addresses of a pattern.
    of_pattern: BTreeSet<u64>,
    next: u64,
    ended: Option<Disconnect>,
}

struct WaiterState {
    awaited: WaitFor,
    queue: VecDeque<(Message, Peer)>,
    /// Bytes of the messages in `queue`.
    bytes: usize,
    missed: u64,
}

impl ClientInbox {
    pub(super) fn new(source: Box<dyn Source>, from: Option<IpAddr>) -> Arc<Self> {
        let wakers = Arc::<WakerSet>::default();
        let waker = Waker::from(Arc::clone(&wakers));
        let (source, waiters) = (Mutex::new(source), Mutex::default());
        Arc::new(Self { source, waiters, from, counters: ClientCounters::default(), wakers, waker })
    }

    pub(super) fn join(self: &Arc<Self>, awaited: WaitFor) -> Waiter {
        let id = lock(&self.waiters).insert(awaited);
        Waiter { inbox: Arc::clone(self), id }
    }

    /// The reason why the connection ended, once it was read.
    pub(super) fn ended(&self) -> Option<Disconnect> {
        lock(&self.waiters).ended.clone()
    }

    /// Marks the connection as ended. There will be no other.
    pub(super) fn end(&self, reason: Disconnect) {
        lock(&self.waiters).ended.get_or_insert(reason);
        self.wakers.wake_all();
    }

    /// Reads and discards input if nothing waits for it, so that the peer is not blocked and the end of the
    /// connection is noticed.
    pub(super) fn read_unless_awaited(&self) {
        if lock(&self.waiters).all.is_empty() {
            self.read();
        }
    }

    /// Whether a request that was sent waits for its reply.
    #[cfg(feature = "net")]
    pub(super) fn awaits_reply(&self) -> bool {
        let waiters = lock(&self.waiters);
        waiters.requests.iter().filter_map(|id| waiters.all.get(id)).any(|waiter| {
            matches!(waiter.awaited, WaitFor::Reply { armed: true, .. }) && waiter.queue.is_empty()
        })
    }

    /// Delivers what another task has read.
    pub(super) fn deliver(&self, read: ReadPacket) {
        let _one_after_the_other = lock(&self.source);
        self.deliver_read(read);
    }

    /// Delivers a message that a channel has read; whether it answers a request.
    #[cfg(feature = "net")]
    pub(super) fn offer(&self, message: MessageRef<'_>, peer: Peer) -> bool {
        let _one_after_the_other = lock(&self.source);
        self.counters.received();
        self.deliver_message(message, peer)
    }

    /// Reads the available input for all waiters, unless another thread is reading.
    fn read(&self) {
        let mut poll = self.wakers.begin_poll();
        let mut source = match self.source.try_lock() {
            Ok(source) => source,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return,
        };
        poll.wake = self.read_from(&mut **source, BURST);
        // The order matters: a waiter that found the source locked registered before this line. The next one
        // wakes it if something arrived between the last `Pending` and now.
        drop(source);
        drop(poll);
    }

    /// Reads until the source is empty, even if it pauses in between. Returns `true` if there may be more.
    fn read_all(&self, source: &mut dyn Source) -> bool {
        for _ in 0..BURSTS {
            // A source that pauses has woken the waker. It is polled again here instead.
            if !self.read_from(source, BURST) && !self.wakers.take_woken() {
                return self.ended().is_some();
            }
        }
        true
    }

    /// Returns `true` if there may be more. Then the source has no waker, and all waiters are woken to read
    /// on.
    fn read_from(&self, source: &mut dyn Source, burst: usize) -> bool {
        if self.ended().is_some() {
            return false;
        }
        let cx = &mut Context::from_waker(&self.waker);
        for _ in 0..burst {
            match source.poll_packet(cx) {
                Poll::Ready(Ok(read)) => self.deliver_read(read),
                Poll::Ready(Err(reason)) => {
                    lock(&self.waiters).ended.get_or_insert(reason);
                    return true;
                }
                Poll::Pending => return false,
            }
        }
        true
    }

    /// The messages of a packet, in order. With `source` locked.
    fn deliver_read(&self, (packet, meta): ReadPacket) {
        self.counters.received();
        match packet {
            _ if self.from.is_some() && self.from != meta.peer.ip() => self.counters.stranger(meta.peer),
            Err(error) => self.counters.unreadable(error, meta.peer),
            Ok(packet) => self.deliver_packet(packet.as_ref(), meta.peer),
        }
    }

    fn deliver_packet(&self, packet: PacketRef<'_>, peer: Peer) {
        for step in packet.walk() {
            if let PacketStep::Message(message) = step {
                self.deliver_message(message, peer);
            }
        }
    }

    /// Delivers a message. Returns `true` if it is the reply to a request. Called with `source` locked, so
    /// one message at a time.
    fn deliver_message(&self, message: MessageRef<'_>, peer: Peer) -> bool {
        let answered = self.answer(message, peer);
        let heard = lock(&self.waiters).publish(message, peer);
        answered.into_iter().chain(heard).for_each(|id| self.wake(id));
        answered.is_some()
    }

    /// Gives the message to the first request that accepts it.
    fn answer(&self, message: MessageRef<'_>, peer: Peer) -> Option<u64> {
        let mut after = Bound::Unbounded;
        loop {
            let (id, condition) = lock(&self.waiters).next_request(after, message)?;
            let message = message.to_owned();
            // Called without the lock, because a condition may use the client.
            let accepts = condition.is_none_or(|condition| holds(&condition, &message));
            // The request may have been dropped meanwhile.
            if accepts && lock(&self.waiters).give_reply(id, (message, peer)) {
                return Some(id);
            }
            after = Bound::Excluded(id);
        }
    }

    fn wake(&self, id: u64) {
        if let Some(waker) = self.wakers.take(id) {
            waker.wake();
        }
    }
}

/// A condition that panics counts as `false`.
fn holds(condition: &Condition, message: &Message) -> bool {
    caught(|| condition(message)).unwrap_or_else(|Panicked| {
        let address = tracing::field::display(message.address());
        tracing::error!(target: "tokio_osc::client", address, "the condition of a request has panicked");
        false
    })
}

impl Waiters {
    fn insert(&mut self, awaited: WaitFor) -> u64 {
        let id = self.next;
        self.next += 1;
        match &awaited {
            WaitFor::Reply { .. } => drop(self.requests.insert(id)),
            WaitFor::All { pattern, .. } if pattern.is_literal() => {
                self.of_address.entry(pattern.clone().into_bytes()).or_default().insert(id);
            }
            WaitFor::All { .. } => drop(self.of_pattern.insert(id)),
            WaitFor::End => {}
        }
        self.all.insert(id, WaiterState { awaited, queue: VecDeque::new(), bytes: 0, missed: 0 });
        id
    }

    fn remove(&mut self, id: u64) -> Option<WaiterState> {
        let gone = self.all.remove(&id)?;
        self.requests.remove(&id);
        self.of_pattern.remove(&id);
        if let WaitFor::All { pattern, .. } = &gone.awaited {
            if let Some(others) = self.of_address.get_mut(pattern.as_bytes()) {
                others.remove(&id);
                if others.is_empty() {
                    self.of_address.remove(pattern.as_bytes());
                }
            }
        }
        Some(gone)
    }

    /// Queues a message for the subscriptions to its address. Returns their ids.
    fn publish(&mut self, message: MessageRef<'_>, peer: Peer) -> Vec<u64> {
        let of_address = self.of_address.get(message.name()).into_iter().flatten();
        let mut heard = Vec::new();
        for &id in of_address.chain(&self.of_pattern) {
            let Some(waiter) = self.all.get_mut(&id) else { continue };
            let WaitFor::All { pattern, messages, bytes } = &waiter.awaited else { continue };
            if pattern.matches_bytes(message.name()) {
                let limits = (*messages, *bytes);
                waiter.push((message.to_owned(), peer), limits);
                heard.push(id);
            }
        }
        heard
    }

    /// The next armed request after this one, whose pattern matches and that has no reply yet.
    fn next_request(&self, after: Bound<u64>, message: MessageRef<'_>) -> Option<(u64, Option<Condition>)> {
        self.requests.range((after, Bound::Unbounded)).find_map(|id| {
            let waiter = self.all.get(id)?;
            match &waiter.awaited {
                WaitFor::Reply { pattern, condition, armed: true, .. }
                    if waiter.has_room() && pattern.matches_bytes(message.name()) =>
                {
                    Some((*id, condition.clone()))
                }
                _ => None,
            }
        })
    }

    fn give_reply(&mut self, id: u64, reply: (Message, Peer)) -> bool {
        let Some(waiter) = self.all.get_mut(&id).filter(|waiter| waiter.has_room()) else {
            return false;
        };
        waiter.push(reply, (usize::MAX, usize::MAX));
        true
    }
}

impl WaiterState {
    /// Whether a request can take another reply.
    fn has_room(&self) -> bool {
        matches!(self.awaited, WaitFor::Reply { most, .. } if self.queue.len() < most)
    }

    /// Queues a copy of the message with its exact size, so that the queue does not keep a larger buffer
    /// alive.
    fn push(&mut self, (message, peer): (Message, Peer), (messages, bytes): (usize, usize)) {
        self.bytes += message.as_bytes().len();
        self.queue.push_back((message, peer));
        while self.queue.len() > messages || self.bytes > bytes {
            let Some(_) = self.pop() else { return };
            self.missed += 1;
        }
    }

    fn pop(&mut self) -> Option<(Message, Peer)> {
        let (message, peer) = self.queue.pop_front()?;
        self.bytes -= message.as_bytes().len();
        Some((message, peer))
    }
}

/// A registered waiter. Dropping it removes it; no other waiter needs to be woken, because the source knows
/// the waker set.
pub(super) struct Waiter {
    inbox: Arc<ClientInbox>,
    id: u64,
}

impl Waiter {
    /// The next message and who has sent it, or how the connection has ended.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(Message, Peer), Disconnect>> {
        // Registered before the queue is checked, so that a message after the check wakes the task.
        drop(self.inbox.wakers.register(self.id, cx.waker()));
        if let Some(taken) = self.take() {
            return Poll::Ready(taken);
        }
        self.inbox.read();
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self) -> Option<Result<(Message, Peer), Disconnect>> {
        let mut waiters = lock(&self.inbox.waiters);
        let message = waiters.all.get_mut(&self.id).and_then(WaiterState::pop);
        let taken = message.map(Ok).or_else(|| waiters.ended.clone().map(Err));
        drop(waiters);
        if taken.is_some() {
            drop(self.inbox.wakers.take(self.id));
        }
        taken
    }

    /// Reads for all waiters while this one waits to send: a peer that blocks until its output is read would
    /// accept nothing.
    pub(super) fn read(&self, cx: &Context<'_>) {
        drop(self.inbox.wakers.register(self.id, cx.waker()));
        self.inbox.read();
    }

    /// Arms the request: messages read from now on can be the reply. Earlier input cannot: it is read first,
    /// and the source stays locked until the request is armed.
    pub(super) fn arm(&self) {
        let mut poll = self.inbox.wakers.begin_poll();
        let mut source = lock(&self.inbox.source);
        // Without the budget of the task: input that is left unread now would be taken for the reply.
        let read_all = poll_fn(|_| Poll::Ready(self.inbox.read_all(&mut **source)));
        poll.wake = unconstrained(read_all).now_or_never().unwrap_or(true);
        self.change(|waiter| {
            if let WaitFor::Reply { armed, .. } = &mut waiter.awaited {
                *armed = true;
            }
        });
        drop(source);
        drop(poll);
    }

    /// Disarms the request, because it was not sent: messages that arrive before it is sent are not the
    /// reply.
    pub(super) fn disarm(&self) {
        self.change(|waiter| {
            if let WaitFor::Reply { armed, .. } = &mut waiter.awaited {
                *armed = false;
            }
            (waiter.queue, waiter.bytes) = (VecDeque::new(), 0);
        });
    }

    /// Sets how many messages and bytes may be queued.
    pub(super) fn set_limits(&self, (most, most_bytes): (usize, usize)) {
        self.change(|waiter| {
            if let WaitFor::All { messages, bytes, .. } = &mut waiter.awaited {
                (*messages, *bytes) = (most, most_bytes);
            }
        });
    }

    /// The number of messages dropped because the queue was full.
    pub(super) fn missed(&self) -> u64 {
        lock(&self.inbox.waiters).all.get(&self.id).map_or(0, |waiter| waiter.missed)
    }

    fn change(&self, change: impl FnOnce(&mut WaiterState)) {
        if let Some(waiter) = lock(&self.inbox.waiters).all.get_mut(&self.id) {
            change(waiter);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let gone = lock(&self.inbox.waiters).remove(self.id);
        // Dropped outside of the locks: a condition and a waker are code of the user.
        drop((gone, self.inbox.wakers.take(self.id)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reaches_the_subscriptions_to_its_address_and_removed_waiters_leave_nothing() {
        let mut waiters = Waiters::default();
        let pattern = |text: &str| Pattern::new(text.to_owned()).unwrap();
        let mut subscribe =
            |text: &str| waiters.insert(WaitFor::All { pattern: pattern(text), messages: 8, bytes: 1_024 });
        let ids = ["/a", "/b", "/*", "/a", "/a/*"].map(&mut subscribe);
        let message = Message::new("/a", 1).unwrap();
        let mut heard = waiters.publish(message.as_ref(), Peer::LOCAL);
        heard.sort_unstable();
        assert_eq!(heard, [ids[0], ids[2], ids[3]]);
        assert!(waiters.remove(ids[0]).is_some());
        assert_eq!(waiters.publish(message.as_ref(), Peer::LOCAL), [ids[3], ids[2]]);
        let reply = WaitFor::Reply { pattern: pattern("/a"), condition: None, armed: true, most: 1 };
        let request = waiters.insert(reply);
        assert_eq!(waiters.next_request(Bound::Unbounded, message.as_ref()).unwrap().0, request);
        for id in ids.into_iter().chain([request]) {
            waiters.remove(id);
        }
        assert!(waiters.all.is_empty() && waiters.requests.is_empty());
        assert!(waiters.of_address.is_empty() && waiters.of_pattern.is_empty());
    }
}
