//! What a client receives, and those who wait for it: requests, subscriptions, and whoever wants to
//! know when the connection ends.
//!
//! Nobody reads but those who wait: whoever was polled last reads for all, and passes on what
//! belongs to others. When it goes away, another is woken and takes over.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use super::events::Disconnect;
use super::source::Source;
use crate::lock::lock;
use crate::packet::{Message, Packet};
use crate::pattern::Pattern;

/// Packets taken in before a send goes on.
const BURST: usize = 64;
/// How often a request does so before it is sent; a peer that never stops is not outlasted.
const BURSTS: usize = 64;
/// Messages that wait in a subscription; the oldest are dropped.
const SUBSCRIBED: usize = 1_024;

pub(super) struct Hub {
    state: Mutex<State>,
}

struct State {
    source: Source,
    waiting: Vec<Waiting>,
    next_id: u64,
    ended: Option<Disconnect>,
}

struct Waiting {
    id: u64,
    wants: Wants,
    queue: VecDeque<Message>,
    missed: u64,
    waker: Option<Waker>,
}

/// What somebody waits for.
pub(super) enum Wants {
    /// One message that nobody who asked earlier wants.
    Reply(Pattern),
    /// Every message.
    All(Pattern),
    /// The end.
    End,
}

impl Hub {
    pub(super) fn new(source: Source) -> Self {
        let state = State { source, waiting: Vec::new(), next_id: 0, ended: None };
        Self { state: Mutex::new(state) }
    }

    /// A place among those who wait. If a request finds nobody else, what has arrived by now is
    /// thrown away: it answers nothing that is still asked.
    fn join(&self, wants: Wants) -> u64 {
        let mut state = self.lock();
        if state.waiting.is_empty() && matches!(wants, Wants::Reply(_)) {
            state.discard();
        }
        let id = state.next_id;
        state.next_id += 1;
        state.waiting.push(Waiting { id, wants, queue: VecDeque::new(), missed: 0, waker: None });
        id
    }

    /// Gives up a place; somebody else reads on.
    fn leave(&self, id: u64) {
        let mut state = self.lock();
        state.waiting.retain(|waiting| waiting.id != id);
        state.wake_another(id);
    }

    /// The next message for the one who waits at this place, or how the connection ended.
    fn poll(&self, id: u64, cx: &mut Context<'_>) -> Poll<Result<Message, Disconnect>> {
        let mut state = self.lock();
        let state = &mut *state;
        loop {
            let Some(own) = state.waiting.iter_mut().find(|waiting| waiting.id == id) else {
                return Poll::Ready(Err(Disconnect::ByUs));
            };
            if let Some(message) = own.queue.pop_front() {
                own.waker = None;
                state.wake_another(id);
                return Poll::Ready(Ok(message));
            }
            if let Some(reason) = &state.ended {
                return Poll::Ready(Err(reason.clone()));
            }
            own.waker = Some(cx.waker().clone());
            match state.source.poll(cx) {
                Poll::Ready(Ok(packet)) => state.deliver(packet),
                Poll::Ready(Err(reason)) => state.end(reason),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes in what has arrived, for all who wait, while the one at this place does something else.
    fn take_in(&self, id: u64, cx: &mut Context<'_>) {
        let mut state = self.lock();
        if let Some(own) = state.waiting.iter_mut().find(|waiting| waiting.id == id) {
            own.waker = Some(cx.waker().clone());
        }
        state.drain(cx);
    }

    /// Takes in what has arrived, if nobody waits: so that the peer is not held up, and the end of
    /// the connection is seen.
    pub(super) fn drain_if_unwatched(&self, cx: &mut Context<'_>) {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.drain(cx);
        }
    }

    /// Gives a packet to those who wait for it. For a source that is read elsewhere.
    pub(super) fn deliver(&self, packet: Packet) {
        self.lock().deliver(packet);
    }

    /// The same for a message, of which others may want to hear; whether it answers a request.
    #[cfg(feature = "net")]
    pub(super) fn offer(&self, message: &Message) -> bool {
        self.lock().deliver_message(message)
    }

    /// The connection has ended, and there will be no other.
    pub(super) fn end(&self, reason: Disconnect) {
        self.lock().end(reason);
    }

    pub(super) fn ended(&self) -> Option<Disconnect> {
        self.lock().ended.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Throws away what has arrived by now, where nobody waits.
    fn discard(&mut self) {
        let more = Arc::new(More::default());
        let waker = Waker::from(Arc::clone(&more));
        for _ in 0..BURSTS {
            self.drain(&mut Context::from_waker(&waker));
            if !more.0.swap(false, Ordering::Relaxed) {
                return;
            }
        }
    }

    fn drain(&mut self, cx: &mut Context<'_>) {
        for _ in 0..BURST {
            match self.source.poll(cx) {
                Poll::Ready(Ok(packet)) => self.deliver(packet),
                Poll::Ready(Err(reason)) => return self.end(reason),
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    fn end(&mut self, reason: Disconnect) {
        self.ended.get_or_insert(reason);
        self.waiting.iter_mut().filter_map(|waiting| waiting.waker.take()).for_each(Waker::wake);
    }

    /// Wakes one of the others who wait, to read on.
    fn wake_another(&self, id: u64) {
        if let Some(waker) =
            self.waiting.iter().filter(|waiting| waiting.id != id).find_map(|waiting| waiting.waker.as_ref())
        {
            waker.wake_by_ref();
        }
    }

    fn deliver(&mut self, packet: Packet) {
        let mut open = vec![];
        let mut next = Some(packet);
        while let Some(packet) = next {
            match packet {
                Packet::Message(message) => {
                    self.deliver_message(&message);
                }
                Packet::Bundle(bundle) => open.push(bundle.into_elements()),
            }
            next = None;
            while let Some(elements) = open.last_mut() {
                next = elements.next();
                if next.is_some() {
                    break;
                }
                open.pop();
            }
        }
    }

    /// Whether the message answers a request.
    fn deliver_message(&mut self, message: &Message) -> bool {
        let mut answers = true;
        for waiting in &mut self.waiting {
            let wanted = match &waiting.wants {
                Wants::Reply(_) if !answers || !waiting.queue.is_empty() => false,
                Wants::Reply(pattern) | Wants::All(pattern) => {
                    pattern.matches_bytes(message.address().as_bytes())
                }
                Wants::End => false,
            };
            if !wanted {
                continue;
            }
            answers &= matches!(waiting.wants, Wants::All(_));
            if waiting.queue.len() == SUBSCRIBED {
                waiting.queue.pop_front();
                waiting.missed += 1;
            }
            // A copy of exactly its size: what waits must not keep a larger buffer alive.
            waiting.queue.push_back(message.as_ref().to_owned());
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
        !answers
    }
}

/// Woken by a source that has paused, and has more.
#[derive(Default)]
struct More(AtomicBool);

impl Wake for More {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A place in a hub, given up when dropped.
pub(super) struct Place {
    hub: Arc<Hub>,
    id: u64,
}

impl Place {
    pub(super) fn take(hub: &Arc<Hub>, wants: Wants) -> Self {
        Self { hub: Arc::clone(hub), id: hub.join(wants) }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<Message, Disconnect>> {
        self.hub.poll(self.id, cx)
    }

    /// Takes in what has arrived, for all who wait, so that the peer is not held up.
    pub(super) fn take_in(&self, cx: &mut Context<'_>) {
        self.hub.take_in(self.id, cx);
    }

    /// Messages that were dropped because too many waited here.
    pub(super) fn missed(&self) -> u64 {
        let state = self.hub.lock();
        state.waiting.iter().find(|waiting| waiting.id == self.id).map_or(0, |waiting| waiting.missed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}

/// Awaits the sending, and reads each time that it has to wait: a peer that waits until it is read would
/// take nothing.
pub(super) async fn meanwhile<T>(
    sending: impl Future<Output = T>,
    mut read: impl FnMut(&mut Context<'_>),
) -> T {
    let mut sending = pin!(sending);
    poll_fn(|cx| {
        let sent = sending.as_mut().poll(cx);
        if sent.is_pending() {
            read(cx);
        }
        sent
    })
    .await
}
