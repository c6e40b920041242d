//! What the connections of a channel and the handles to it share.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::task::AtomicWaker;

use super::connection::Sink;
use super::events::{ConnectionEvent, EventSender, Refusal};
use super::options::StreamOptions;
use super::outbox::Outbox;
use super::outlet::BroadcastReport;
use crate::codec::ReadPacket;
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{ConnectionId, EncodeError, Packet, Peer, SendError, SendErrorKind};

/// Packets that wait to be taken from the channel.
const READY: usize = 64;

const OPEN: u8 = 0;
const DEAF: u8 = 1;
const CLOSED: u8 = 2;

/// The connections of a channel, and the packets that came by them.
pub(super) struct Registry {
    pub(super) options: StreamOptions,
    pub(super) events: EventSender,
    /// The task that polls the channel.
    pub(super) task: AtomicWaker,
    links: Mutex<Links>,
    ready: Mutex<VecDeque<ReadPacket>>,
    phase: AtomicU8,
}

struct Links {
    next: ConnectionId,
    open: HashMap<ConnectionId, Entry>,
}

#[derive(Clone)]
struct Entry {
    peer: Peer,
    outbox: Arc<Outbox>,
    /// Whether it may stay; until that is known it counts for the limits only.
    welcome: bool,
}

impl Registry {
    pub(super) fn new(mut options: StreamOptions) -> Arc<Self> {
        options.chain = options.chain.counting_anew();
        Arc::new(Self {
            options,
            events: EventSender::new(),
            task: AtomicWaker::new(),
            links: Mutex::new(Links { next: ConnectionId::FIRST, open: HashMap::new() }),
            ready: Mutex::default(),
            phase: AtomicU8::new(OPEN),
        })
    }

    /// Makes room for a connection, if the limits allow one.
    pub(super) fn open(self: &Arc<Self>, peer: Peer) -> Result<(Peer, Arc<Outbox>), Refusal> {
        let mut links = self.links();
        if links.open.len() >= self.options.max_connections || !self.is_open() {
            return Err(Refusal::TooMany);
        }
        let same = |ip: IpAddr| links.open.values().filter(|entry| entry.peer.ip() == Some(ip)).count();
        if peer.ip().is_some_and(|ip| same(ip) >= self.options.max_connections_per_address) {
            return Err(Refusal::TooManyFromAddress);
        }
        let id = links.next;
        links.next = id.next();
        let peer = peer.with_connection(id);
        let outbox = Arc::new(Outbox::new(self.options.send_queue));
        links.open.insert(id, Entry { peer, outbox: Arc::clone(&outbox), welcome: false });
        Ok((peer, outbox))
    }

    /// The connection may stay.
    pub(super) fn welcome(&self, peer: Peer) {
        let mut links = self.links();
        if let Some(entry) = peer.connection().and_then(|id| links.open.get_mut(&id)) {
            entry.welcome = true;
        }
        drop(links);
        self.events.send(ConnectionEvent::Connected(peer));
    }

    /// Forgets a connection, and tells of it. Of one that is forgotten already, nothing is told.
    pub(super) fn remove(&self, peer: Peer, event: ConnectionEvent) {
        let removed = peer.connection().and_then(|id| self.links().open.remove(&id));
        if let Some(entry) = removed {
            entry.outbox.close();
            self.events.send(event);
        }
    }

    pub(super) fn outbox(&self, peer: Peer) -> Result<Arc<Outbox>, SendError> {
        let links = self.links();
        let found = peer.connection().and_then(|id| links.open.get(&id));
        found.map(|entry| Arc::clone(&entry.outbox)).ok_or_else(|| SendErrorKind::Closed.into())
    }

    pub(super) fn broadcast(&self, packet: &Packet) -> BroadcastReport {
        let mut report = BroadcastReport::default();
        // The middleware is not asked under the lock: it may want to know the connections.
        let open: Vec<_> = self.links().open.values().filter(|entry| entry.welcome).cloned().collect();
        for Entry { peer, outbox, .. } in open {
            match self.pass_out(packet.clone(), peer).map(|frame| frame.map(|frame| outbox.push(frame))) {
                Ok(Some(Ok(()))) => report.queued += 1,
                Ok(Some(Err(_))) => report.missed += 1,
                Ok(None) | Err(_) => report.filtered += 1,
            }
        }
        report
    }

    /// The bytes that go to a connection; `None` if the middleware has dropped the packet.
    pub(super) fn pass_out(&self, packet: Packet, peer: Peer) -> Result<Option<Bytes>, EncodeError> {
        self.options.chain.write(packet, peer)
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.options.chain
    }

    pub(super) fn peers(&self) -> Vec<Peer> {
        let links = self.links();
        let welcome = links.open.values().filter(|entry| entry.welcome);
        let mut peers: Vec<_> = welcome.map(|entry| entry.peer).collect();
        peers.sort_unstable_by_key(Peer::connection);
        peers
    }

    /// Reads nothing more; what waits to be sent goes on.
    pub(super) fn stop_reading(&self) {
        self.enter(DEAF);
    }

    /// Sends what waits, closes every connection, and ends the channel's stream.
    pub(super) fn close(&self) {
        if self.enter(CLOSED) {
            self.links().open.values().for_each(|entry| entry.outbox.close());
        }
    }

    /// Goes on to a phase; false if it is there already.
    fn enter(&self, phase: u8) -> bool {
        let entered = self.phase.fetch_max(phase, Ordering::AcqRel) < phase;
        if entered {
            self.task.wake();
        }
        entered
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OPEN
    }

    pub(super) fn pop(&self) -> Option<ReadPacket> {
        self.ready().pop_front()
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        lock(&self.links)
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<ReadPacket>> {
        lock(&self.ready)
    }
}

/// Where the packets of one connection go: to those that wait to be taken from the channel.
pub(super) struct Arrivals(pub(super) Arc<Registry>);

impl Sink for Arrivals {
    fn put(&mut self, packet: ReadPacket) {
        self.0.ready().push_back(packet);
    }

    fn is_full(&self) -> bool {
        self.0.ready().len() >= READY
    }

    fn causes_answers(&self) -> bool {
        true
    }

    fn is_deaf(&self) -> bool {
        !self.0.is_open()
    }
}
