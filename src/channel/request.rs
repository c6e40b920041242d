//! Requests: several futures wait for replies on one socket. One of them reads for all; when it
//! ends or is dropped, the next takes over.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::oneshot;

use super::Client;
use super::client::Shared;
use crate::codec::FrameError;
use crate::packet::{EncodeError, Message, Packet, Peer};
use crate::pattern::Pattern;

/// How long a request waits for its reply by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A request on its way: await it for the reply. What [`Client::request`] returns.
#[must_use = "a request is sent when it is awaited"]
#[derive(Debug)]
pub struct Request {
    client: Client,
    packet: Result<Packet, EncodeError>,
    reply: Pattern,
    timeout: Duration,
}

impl Request {
    pub(super) fn new(client: Client, packet: Result<Packet, EncodeError>, reply: Pattern) -> Self {
        Self { client, packet, reply, timeout: DEFAULT_TIMEOUT }
    }

    /// How long to wait for the reply. Default 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn run(self) -> Result<Message, RequestError> {
        let packet = self.packet.map_err(FrameError::from)?;
        let shared = self.client.shared();
        if let Some(Ok(mut packets)) = shared.packets.as_ref().map(tokio::sync::Mutex::try_lock) {
            // Nobody waits: what has arrived by now answers nothing that is still asked.
            packets.drain();
        }
        let (ticket, reply) = shared.waiters.join(self.reply, shared.answers_from);
        shared.send(packet.as_bytes()).await?;
        let answered = async {
            tokio::select! {
                biased;
                reply = reply => reply.ok(),
                reply = read_for_all(shared, ticket.id) => Some(reply),
            }
        };
        match tokio::time::timeout(self.timeout, answered).await {
            Ok(Some(reply)) => Ok(reply),
            _ => Err(RequestError::Timeout(self.timeout)),
        }
    }
}

/// Sends the request and waits for the reply.
///
/// # Cancel safety
/// A dropped request takes nothing that belongs to another one.
impl IntoFuture for Request {
    type Output = Result<Message, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Reads the socket and gives each reply to the request it belongs to, until that is `own`.
async fn read_for_all(shared: &Shared, own: u64) -> Message {
    let Some(packets) = &shared.packets else { return std::future::pending().await };
    let mut packets = packets.lock().await;
    loop {
        let Some((Ok(Packet::Message(message)), meta)) = packets.next().await else { continue };
        if let Some(message) = shared.waiters.deliver(message, meta.peer, own) {
            return message;
        }
    }
}

/// The requests that wait, in the order they were made.
#[derive(Default)]
pub(super) struct Waiters {
    inner: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next_id: u64,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    id: u64,
    reply: Pattern,
    /// Who may answer; anybody if it is `None`.
    from: Option<IpAddr>,
    slot: oneshot::Sender<Message>,
}

impl Waiters {
    fn join(&self, reply: Pattern, from: Option<IpAddr>) -> (Ticket<'_>, oneshot::Receiver<Message>) {
        let (slot, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        let id = waiting.next_id;
        waiting.next_id += 1;
        waiting.queue.push_back(Waiter { id, reply, from, slot });
        (Ticket { waiters: self, id }, receiver)
    }

    /// Gives a message to the first request it answers; back to the caller if that is `own`.
    fn deliver(&self, mut message: Message, peer: Peer, own: u64) -> Option<Message> {
        let mut waiting = self.lock();
        loop {
            let waiter = waiting.take(&message, peer)?;
            if waiter.id == own {
                return Some(message);
            }
            match waiter.slot.send(message) {
                Ok(()) => return None,
                // That request is being dropped: the reply is for the next one.
                Err(unwanted) => message = unwanted,
            }
        }
    }

    /// Gives a message to the first request it answers; back to the caller if it answers none.
    pub(super) fn divert(&self, mut message: Message, peer: Peer) -> Option<Message> {
        let mut waiting = self.lock();
        while let Some(waiter) = waiting.take(&message, peer) {
            match waiter.slot.send(message) {
                Ok(()) => return None,
                Err(unwanted) => message = unwanted,
            }
        }
        Some(message)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The first request that the message answers.
    fn take(&mut self, message: &Message, peer: Peer) -> Option<Waiter> {
        let address = message.address().as_bytes();
        let answers = |waiter: &Waiter| {
            waiter.from.is_none_or(|from| peer.ip() == Some(from)) && waiter.reply.matches_bytes(address)
        };
        let at = self.queue.iter().position(answers)?;
        self.queue.remove(at)
    }
}

/// A place among the waiting requests, given up when dropped.
struct Ticket<'a> {
    waiters: &'a Waiters,
    id: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.waiters.lock().queue.retain(|waiter| waiter.id != self.id);
    }
}

/// Why a request has no reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The request could not be sent.
    Send(FrameError),
    /// No reply came in this time.
    Timeout(Duration),
}

impl From<FrameError> for RequestError {
    fn from(error: FrameError) -> Self {
        Self::Send(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => write!(f, "the request was not sent: {error}"),
            Self::Timeout(timeout) => write!(f, "no reply within {timeout:?}"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Send(error) => Some(error),
            Self::Timeout(_) => None,
        }
    }
}
