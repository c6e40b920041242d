//! Clients that use the socket of a channel. The task that reads the channel reads for them too.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::lock::lock;
use crate::packet::{Message, MessageRef, Peer};

/// A receiver of messages that a channel reads: the inbox of a client.
pub(crate) trait TakeMessage: Send + Sync {
    /// Delivers a message. Returns `true` if it is the reply to a request, and so not for the channel.
    fn take_message(&self, message: MessageRef<'_>, peer: Peer) -> bool;

    /// Whether a request that was sent waits for its reply.
    fn awaits_reply(&self) -> bool;
}

/// The clients of a channel's socket.
#[derive(Default)]
pub(crate) struct SharedClients {
    /// Whether there ever was a client. Read for each packet, without the lock.
    used: AtomicBool,
    clients: Mutex<Vec<SharedClient>>,
}

#[derive(Clone)]
struct SharedClient {
    client: Weak<dyn TakeMessage>,
    /// The host that replies. Any if `None`.
    from: Option<IpAddr>,
}

impl SharedClients {
    pub(crate) fn add(&self, client: &Arc<dyn TakeMessage>, from: Option<IpAddr>) {
        let mut clients = lock(&self.clients);
        clients.retain(|shared| shared.client.strong_count() > 0);
        clients.push(SharedClient { client: Arc::downgrade(client), from });
        self.used.store(true, Ordering::Release);
    }

    /// Whether a request of a client waits for its reply.
    pub(super) fn await_reply(&self) -> bool {
        if !self.used.load(Ordering::Acquire) {
            return false;
        }
        let clients = lock(&self.clients).clone();
        clients.iter().filter_map(|shared| shared.client.upgrade()).any(|client| client.awaits_reply())
    }

    /// Offers a message to the clients. Returns `true` if it is the reply to a request.
    pub(super) fn take_message(&self, message: &Message, peer: Peer) -> bool {
        if !self.used.load(Ordering::Acquire) {
            return false;
        }
        // Called without the lock, because the condition of a request may create another client.
        let clients = lock(&self.clients).clone();
        let may_answer = |shared: &&SharedClient| shared.from.is_none() || shared.from == peer.ip();
        let mut from_there = clients.iter().filter(may_answer).filter_map(|shared| shared.client.upgrade());
        from_there.any(|client| client.take_message(message.as_ref(), peer))
    }
}

impl fmt::Debug for SharedClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedClients").field("used", &self.used).finish_non_exhaustive()
    }
}
