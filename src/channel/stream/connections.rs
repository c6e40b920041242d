//! The connections of a channel, shared by the stream of packets and the outlets.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::task::AtomicWaker;

use super::connection::Sink;
use super::frame_memory::FrameMemory;
use super::options::StreamOptions;
use super::outbox::Outbox;
use crate::channel::events::{ConnectionEvent, Disconnect, EventSender, Refusal};
use crate::channel::pause::PauseSwitch;
use crate::channel::stats::SendReport;
use crate::channel::transport::{Taken, Transport};
use crate::codec::ReadPacket;
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{ConnectionId, Packet, Peer, SendError, SendErrorKind};
use crate::types::Network;
use crate::user_function::UserFunction;

/// Maximum number of packets that wait to be read from the channel, and of their bytes. The last packet may
/// exceed the bytes.
const READY: usize = 64;
const READY_BYTES: usize = 1_024 * 1_024;

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const CLOSED: u8 = 2;

/// The connections of a channel, and their packets.
pub(crate) struct Connections {
    pub(crate) options: StreamOptions,
    pub(crate) events: EventSender,
    /// The task that polls the channel.
    pub(crate) task: AtomicWaker,
    pub(crate) pause: Arc<PauseSwitch>,
    pub(super) frame_memory: Arc<FrameMemory>,
    /// Guards the user's listener, framing and transport against panics.
    pub(super) accepting: UserFunction,
    pub(super) serving: UserFunction,
    open: Mutex<OpenConnections>,
    ready: Mutex<ReadyPackets>,
    phase: AtomicU8,
    unconfirmed: AtomicU64,
    local: Option<SocketAddr>,
}

struct OpenConnections {
    next: ConnectionId,
    open: HashMap<ConnectionId, OpenConnection>,
}

#[derive(Clone)]
struct OpenConnection {
    peer: Peer,
    network: Option<Network>,
    outbox: Arc<Outbox>,
    /// Whether it was accepted. Until then it only counts for the limits.
    welcome: bool,
}

#[derive(Default)]
struct ReadyPackets {
    packets: VecDeque<ReadPacket>,
    bytes: usize,
}

impl Connections {
    pub(crate) fn new(mut options: StreamOptions, local: Option<SocketAddr>) -> Arc<Self> {
        options.chain = options.chain.counting_anew();
        Arc::new(Self {
            frame_memory: FrameMemory::new(options.frame_memory),
            options,
            events: EventSender::new(),
            task: AtomicWaker::new(),
            pause: Arc::default(),
            accepting: UserFunction::new("Listener::poll_accept"),
            serving: UserFunction::new("framing or transport of a connection"),
            open: Mutex::new(OpenConnections { next: ConnectionId::FIRST, open: HashMap::new() }),
            ready: Mutex::default(),
            phase: AtomicU8::new(OPEN),
            unconfirmed: AtomicU64::new(0),
            local,
        })
    }

    /// Makes room for a connection, if the limits allow one or an idle connection gives way.
    pub(crate) fn open(self: &Arc<Self>, peer: Peer) -> Result<(Peer, Arc<Outbox>), Refusal> {
        if !self.is_open() {
            return Err(Refusal::TooMany);
        }
        let options = &self.options;
        let network = peer.ip().map(|ip| Network::of(ip, options.ipv6_prefix));
        let from_there = |entry: &OpenConnection| network.is_some() && entry.network == network;
        let mut all = self.open_connections();
        // Of the share first: one that gives way there makes room in both.
        let gave_way = if all.count(from_there) >= options.max_connections_per_address {
            Some(all.take_idle(options.idle_gives_way, from_there).ok_or(Refusal::TooManyFromAddress)?)
        } else if all.open.len() >= options.max_connections {
            Some(all.take_idle(options.idle_gives_way, |_| true).ok_or(Refusal::TooMany)?)
        } else {
            None
        };
        let id = all.next;
        all.next = id.next();
        let peer = peer.with_connection(id);
        let outbox = Arc::new(Outbox::new(self.options.send_queue));
        all.open.insert(id, OpenConnection { peer, network, outbox: Arc::clone(&outbox), welcome: false });
        drop(all);
        // Its place is free at once. The connection sends its queue and lingers beside the others.
        if let Some(OpenConnection { peer, outbox, .. }) = gave_way {
            outbox.close();
            self.events.send(ConnectionEvent::Disconnected { peer, reason: Disconnect::GaveWay });
        }
        Ok((peer, outbox))
    }

    /// Marks a connection as accepted.
    pub(crate) fn welcome(&self, peer: Peer) {
        let mut all = self.open_connections();
        if let Some(entry) = peer.connection().and_then(|id| all.open.get_mut(&id)) {
            entry.welcome = true;
        }
        drop(all);
        self.events.send(ConnectionEvent::Connected(peer));
    }

    /// Removes a connection and reports it. Does nothing if it was removed before.
    pub(crate) fn remove(&self, peer: Peer, event: ConnectionEvent) {
        let removed = peer.connection().and_then(|id| self.open_connections().open.remove(&id));
        if let Some(entry) = removed {
            entry.outbox.close();
            if entry.outbox.is_end_unconfirmed() {
                self.unconfirmed.fetch_add(1, Ordering::Relaxed);
            }
            self.events.send(event);
        }
    }

    fn outbox(&self, peer: Peer) -> Result<Arc<Outbox>, SendError> {
        let all = self.open_connections();
        let found = peer.connection().and_then(|id| all.open.get(&id));
        found.map(|entry| Arc::clone(&entry.outbox)).ok_or_else(|| SendErrorKind::Closed.into())
    }

    pub(crate) fn broadcast(&self, packet: &Packet) -> SendReport {
        let mut report = SendReport::default();
        // Without the lock: the middleware may ask for the connections.
        let open: Vec<_> =
            self.open_connections().open.values().filter(|entry| entry.welcome).cloned().collect();
        for OpenConnection { peer, outbox, .. } in open {
            match self.options.chain.write(packet.clone(), peer) {
                Ok(Some(frame)) => report.note(peer, outbox.push(frame).map(drop)),
                Ok(None) | Err(_) => report.filtered += 1,
            }
        }
        report
    }

    /// Closes a connection after its queue is sent. False if it does not exist.
    pub(crate) fn disconnect(&self, peer: Peer) -> bool {
        self.outbox(peer).inspect(|outbox| outbox.close()).is_ok()
    }

    /// Connections that this side has closed and whose last packets may be lost.
    pub(crate) fn unconfirmed(&self) -> u64 {
        self.unconfirmed.load(Ordering::Relaxed)
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        let all = self.open_connections();
        let welcome = all.open.values().filter(|entry| entry.welcome);
        let mut peers: Vec<_> = welcome.map(|entry| entry.peer).collect();
        peers.sort_unstable_by_key(Peer::connection);
        peers
    }

    /// Stops reading. Queued packets are still sent.
    pub(crate) fn stop_reading(&self) {
        self.enter(DRAINING);
    }

    /// Sends the queued packets, closes every connection, and ends the channel's stream.
    pub(crate) fn close_all(&self) {
        if self.enter(CLOSED) {
            self.open_connections().open.values().for_each(|entry| entry.outbox.close());
        }
    }

    /// Enters a phase. False if it was entered before.
    fn enter(&self, phase: u8) -> bool {
        let entered = self.phase.fetch_max(phase, Ordering::AcqRel) < phase;
        if entered {
            self.task.wake();
        }
        entered
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OPEN
    }

    /// Whether the channel is open and paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_open() && self.pause.is_paused()
    }

    /// Lets all connections read on after a pause. The pause does not count as idle time.
    pub(crate) fn wake_all(&self) {
        for entry in self.open_connections().open.values() {
            entry.outbox.note_active();
            entry.outbox.wake();
        }
        self.task.wake();
    }

    pub(crate) fn pop(&self) -> Option<ReadPacket> {
        let mut ready = self.ready();
        let packet = ready.packets.pop_front()?;
        ready.bytes -= bytes_of(&packet);
        Some(packet)
    }

    fn open_connections(&self) -> MutexGuard<'_, OpenConnections> {
        lock(&self.open)
    }

    fn ready(&self) -> MutexGuard<'_, ReadyPackets> {
        lock(&self.ready)
    }
}

impl OpenConnections {
    fn count(&self, which: impl Fn(&OpenConnection) -> bool) -> usize {
        self.open.values().filter(|entry| which(entry)).count()
    }

    /// Takes out the connection that has been idle longest, if for at least this time.
    fn take_idle(
        &mut self,
        at_least: Option<Duration>,
        which: impl Fn(&OpenConnection) -> bool,
    ) -> Option<OpenConnection> {
        // A connection that waits for `accept_if` has a time limit of its own.
        let taken_in = self.open.iter().filter(|(_, entry)| entry.welcome && which(entry));
        let (since, id) = taken_in.map(|(id, entry)| (entry.outbox.last_active(), *id)).min()?;
        if since.elapsed() < at_least? {
            return None;
        }
        self.open.remove(&id)
    }
}

impl Transport for Connections {
    fn chain(&self) -> &Chain {
        &self.options.chain
    }

    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        self.outbox(to)?.push(frame.clone()).map(|_| Taken::Done)
    }

    fn ready<'a>(&'a self, frame: &'a Bytes, to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        let outbox = match self.outbox(to) {
            Ok(outbox) => outbox,
            Err(error) => return ready(Err(error)).boxed(),
        };
        let patience = self.options.write_timeout;
        async move {
            let full = |_| {
                let text = format!("the queue of the connection was full for {patience:?}");
                io::Error::new(io::ErrorKind::TimedOut, text)
            };
            Ok(tokio::time::timeout(patience, outbox.space(frame.len())).await.map_err(full)?)
        }
        .boxed()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }
}

/// A malformed packet holds no bytes.
fn bytes_of((packet, _): &ReadPacket) -> usize {
    packet.as_ref().map_or(0, |packet| packet.as_bytes().len())
}

/// Puts the packets of a connection into the queue of its channel.
pub(crate) struct ToChannel(pub(crate) Arc<Connections>);

impl Sink for ToChannel {
    fn put(&mut self, packet: ReadPacket) {
        let mut ready = self.0.ready();
        ready.bytes += bytes_of(&packet);
        ready.packets.push_back(packet);
    }

    fn is_full(&self) -> bool {
        let ready = self.0.ready();
        ready.packets.len() >= READY || ready.bytes >= READY_BYTES
    }

    fn causes_replies(&self) -> bool {
        true
    }

    fn has_stopped(&self) -> bool {
        !self.0.is_open() || self.0.is_paused()
    }
}
