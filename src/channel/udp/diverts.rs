//! Clients that send by a channel's socket: whoever reads the channel reads for them, too.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::channel::hub::Hub;
use crate::lock::lock;
use crate::packet::{Message, Peer};

/// The clients of a channel, as long as they live.
#[derive(Default)]
pub(in crate::channel) struct Diverts {
    /// Whether there ever was one: looked at for each packet.
    used: AtomicBool,
    clients: Mutex<Vec<Divert>>,
}

struct Divert {
    hub: Weak<Hub>,
    /// Who may answer; anybody if it is `None`.
    answers_from: Option<IpAddr>,
}

impl Diverts {
    pub(in crate::channel) fn add(&self, hub: &Arc<Hub>, answers_from: Option<IpAddr>) {
        let mut clients = lock(&self.clients);
        clients.retain(|client| client.hub.strong_count() > 0);
        clients.push(Divert { hub: Arc::downgrade(hub), answers_from });
        self.used.store(true, Ordering::Release);
    }

    /// Offers a message to the clients; whether it answers the request of one.
    pub(super) fn take(&self, message: &Message, peer: Peer) -> bool {
        if !self.used.load(Ordering::Acquire) {
            return false;
        }
        let clients = lock(&self.clients);
        let may_answer = |client: &&Divert| client.answers_from.is_none() || client.answers_from == peer.ip();
        let mut hubs = clients.iter().filter(may_answer).filter_map(|client| client.hub.upgrade());
        hubs.any(|hub| hub.offer(message))
    }
}
