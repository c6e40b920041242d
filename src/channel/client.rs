//! The sending side: cheap to clone, no task behind it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::BytesMut;
use tokio::net::{ToSocketAddrs, UdpSocket, lookup_host};

use super::request::{Request, Waiters};
use super::socket::bind_udp;
use super::udp::UdpPackets;
use crate::codec::FrameError;
use crate::packet::{IntoPacket, Peer};
use crate::pattern::Pattern;
use crate::wire::DecodeOptions;

/// The most bytes that UDP carries over IPv4 and IPv6.
const MAX_UDP4: usize = 65_507;
const MAX_UDP6: usize = 65_527;

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
    pub(super) socket: Arc<UdpSocket>,
    peer: SocketAddr,
    /// The buffer of the last send, for the next.
    buffer: std::sync::Mutex<BytesMut>,
    /// Held by the one request that reads for all.
    pub(super) packets: tokio::sync::Mutex<UdpPackets>,
    pub(super) waiters: Waiters,
}

impl Client {
    /// A client of a UDP peer, on a free port of all interfaces. Nothing is sent yet.
    ///
    /// The first address of a name is taken. The socket is not connected: a device may answer from
    /// another port, and a peer that is not there yet does no harm.
    ///
    /// # Errors
    /// The name cannot be resolved, or no port is free.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub async fn udp(peer: impl ToSocketAddrs) -> io::Result<Self> {
        let no_address = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let peer = lookup_host(peer).await?.next().ok_or_else(no_address)?;
        let any = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = Arc::new(bind_udp(SocketAddr::new(any, 0)).await?);
        let packets = UdpPackets::new(Arc::clone(&socket), DecodeOptions::default());
        let shared = Shared {
            socket,
            peer,
            buffer: std::sync::Mutex::default(),
            packets: tokio::sync::Mutex::new(packets),
            waiters: Waiters::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
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

    /// The address replies come to; its IP is the unspecified one.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.socket.local_addr()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    pub(super) async fn send(&self, frame: &[u8]) -> Result<(), FrameError> {
        let limit = if self.peer.is_ipv4() { MAX_UDP4 } else { MAX_UDP6 };
        if frame.len() > limit {
            return Err(FrameError::too_large(frame.len(), limit));
        }
        self.socket.send_to(frame, self.peer).await?;
        Ok(())
    }

    /// Whether a packet comes from the peer. A device may answer from another port, and a group's
    /// or an unspecified address is nobody's own.
    pub(super) fn is_from_peer(&self, peer: Peer) -> bool {
        let own = self.peer.ip();
        own.is_multicast() || own.is_unspecified() || peer.ip() == Some(own)
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
