//! The sending side: cheap to clone, no task behind it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::BytesMut;

use super::request::{Request, Waiters};
use super::udp::{FanOut, Link, UdpPackets};
use super::{HostPort, Udp, UdpMonitor};
use crate::codec::FrameError;
use crate::packet::IntoPacket;
use crate::pattern::Pattern;

/// Sends packets to one peer, and hears its answers on the same socket.
///
/// Cloning it is a reference count; all clones share the socket. There is no task and no queue
/// behind it: when [`send`](Client::send) returns, the packet is with the operating system.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()).await?;
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// let server = Server::new(router).listen("udp", channel).spawn();
///
/// let reply = client.request(("/ping", 7), "/pong").timeout(Duration::from_secs(1)).await?;
/// assert_eq!(reply.parse::<i32>()?, 7);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) link: Arc<Link>,
    peer: SocketAddr,
    /// Who may answer; anybody if it is `None`.
    pub(super) answers_from: Option<IpAddr>,
    /// The buffer of the last send, for the next.
    buffer: std::sync::Mutex<BytesMut>,
    /// Held by the one request that reads for all; `None` if a channel does.
    pub(super) packets: Option<tokio::sync::Mutex<UdpPackets>>,
    pub(super) waiters: Arc<Waiters>,
}

impl Client {
    /// A client of a UDP peer, on a free port of all interfaces. Nothing is sent yet.
    ///
    /// The addresses of a name are tried in order. The socket is not connected: a device may answer
    /// from another port, and a peer that is not there yet does no harm. For other options see
    /// [`Udp`], for groups [`Multicast`](crate::Multicast), to reach all
    /// [`Broadcast`](crate::Broadcast).
    ///
    /// # Errors
    /// The name cannot be resolved, or no port is free.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub async fn udp(peer: impl Into<HostPort>) -> io::Result<Self> {
        Udp::new(peer).client().await
    }

    pub(super) fn from_udp(
        link: Arc<Link>,
        peer: SocketAddr,
        answers_from: Option<IpAddr>,
        packets: UdpPackets,
    ) -> Self {
        let packets = Some(tokio::sync::Mutex::new(packets));
        let (buffer, waiters) = (std::sync::Mutex::default(), Arc::default());
        Self { shared: Arc::new(Shared { link, peer, answers_from, buffer, packets, waiters }) }
    }

    /// A client whose answers are read by the channel that owns the socket.
    pub(super) fn by_channel(
        link: Arc<Link>,
        peer: SocketAddr,
        answers_from: Option<IpAddr>,
        waiters: Arc<Waiters>,
    ) -> Self {
        let buffer = std::sync::Mutex::default();
        Self { shared: Arc::new(Shared { link, peer, answers_from, buffer, packets: None, waiters }) }
    }

    /// Sends to these peers instead, by the same socket, each packet encoded once.
    pub fn to<A: Into<SocketAddr>>(&self, peers: impl IntoIterator<Item = A>) -> FanOut {
        let target = |peer: A| (Arc::clone(&self.shared.link), peer.into());
        FanOut::new(peers.into_iter().map(target).collect())
    }

    /// A look at the socket: its buffers, and what was lost.
    pub fn monitor(&self) -> UdpMonitor {
        UdpMonitor::new(&self.shared.link)
    }

    /// Sends a packet: encoded into a reused buffer and handed to the operating system, waiting
    /// while the socket's buffer is full.
    ///
    /// UDP promises no delivery: `Ok` means sent, not received.
    ///
    /// # Errors
    /// The packet cannot be encoded, does not fit a datagram (65,507 bytes over IPv4, 65,527 over
    /// IPv6), or the operating system refuses it.
    ///
    /// # Cancel safety
    /// A datagram is sent whole or not at all; after a drop the packet was perhaps sent.
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), FrameError> {
        let mut buffer = std::mem::take(&mut *self.shared.buffer());
        buffer.clear();
        let sent = match packet.encode(&mut buffer) {
            Ok(()) => self.shared.send(&buffer).await,
            Err(error) => Err(error.into()),
        };
        *self.shared.buffer() = buffer;
        sent
    }

    /// Sends a message and waits for a reply from the peer whose address matches `reply`, a literal
    /// address or a pattern.
    ///
    /// Clones may wait for different replies at the same time; each reply goes to the first request
    /// that it matches. Set how long to wait with [`timeout`](Request::timeout).
    ///
    /// # Panics
    /// `reply` is no legal pattern.
    #[track_caller]
    pub fn request(&self, packet: impl IntoPacket, reply: &str) -> Request {
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        let reply = match Pattern::new(reply.to_owned()) {
            Ok(pattern) => pattern,
            Err(error) => panic!("the reply pattern {reply:?} is not legal: {error}"),
        };
        Request::new(self.clone(), packet.into_packet(), reply)
    }

    /// The address packets are sent to.
    pub fn peer_addr(&self) -> SocketAddr {
        self.shared.peer
    }

    /// The address replies come to; its IP is the unspecified one, unless the socket is connected
    /// or bound to another.
    ///
    /// # Errors
    /// None: it is known.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.shared.link.local_addr())
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    pub(super) async fn send(&self, frame: &[u8]) -> Result<(), FrameError> {
        self.link.send(frame, self.peer).await
    }

    fn buffer(&self) -> std::sync::MutexGuard<'_, BytesMut> {
        self.buffer.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("udp", &self.shared.peer).finish()
    }
}
