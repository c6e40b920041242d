//! A channel: packets in as a `Stream`, answers out by the same socket.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::udp::{Link, UdpPackets, answers_from, check_peer};
use super::{Client, HostPort, Udp, UdpMonitor};
use crate::packet::{Meta, Packet, Peer};
use crate::wire::{DecodeError, DecodeOptions};

/// A socket that receives: a `Stream` of packets, each with its [`Meta`].
///
/// A malformed datagram is an item with the peer's address in its `Meta`; the stream goes on. It
/// never ends by itself. Give it to [`Server::listen`](crate::Server::listen), or read it:
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()).await?;
/// client.send(("/synth/1/freq", 440.0_f32)).await?;
///
/// let (packet, meta) = channel.next().await.expect("a channel never ends");
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// assert_eq!(meta.peer.ip(), Some(channel.local_addr().ip()));
/// # Ok(()) }
/// ```
///
/// `next()` is cancel safe: no packet is lost when its future is dropped.
pub struct Channel {
    packets: UdpPackets,
}

impl Channel {
    /// Binds a UDP socket and receives every packet that is sent to it, with the default
    /// [`DecodeOptions`]. Port 0 takes any free port: see [`local_addr`](Channel::local_addr).
    ///
    /// The port is this program's alone; an IPv6 address takes IPv6 only. For other options see
    /// [`Udp`], for groups [`Multicast`](crate::Multicast).
    ///
    /// # Errors
    /// The name cannot be resolved, or none of its addresses can be bound; the error names the
    /// address.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub async fn udp(address: impl Into<HostPort>) -> io::Result<Self> {
        Udp::new(address).bind().await
    }

    /// As [`udp`](Channel::udp), with limits and tolerance of your own.
    ///
    /// # Errors
    /// As [`udp`](Channel::udp).
    pub async fn udp_with(address: impl Into<HostPort>, options: DecodeOptions) -> io::Result<Self> {
        Udp::new(address).decode(options).bind().await
    }

    pub(super) fn from_udp(packets: UdpPackets) -> Self {
        Self { packets }
    }

    /// A client of a peer that sends by this channel's socket: the peer sees one port, and may answer
    /// to it. Whoever reads the channel, a [`Server`](crate::Server) as a rule, reads for the client
    /// too: an answer goes to the request that waits for it, every other packet to the channel.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stage = Channel::udp("127.0.0.1:0").await?;
    /// let desk = Channel::udp("127.0.0.1:0").await?;
    /// let client = desk.client_to(stage.local_addr())?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let stage = Server::new(router).listen("udp", stage).spawn();
    /// let desk = Server::new(Router::new()).listen("udp", desk).spawn();
    ///
    /// let reply = client.request(("/ping", 7), "/pong").await?;
    /// assert_eq!(reply.parse::<i32>()?, 7);
    /// # desk.shutdown().await;
    /// # stage.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The socket does not reach the peer: IPv4 and IPv6 are mixed, or an address of one link does
    /// not say of which.
    pub fn client_to(&self, peer: impl Into<SocketAddr>) -> io::Result<Client> {
        let peer = peer.into();
        check_peer(self.local_addr(), peer)?;
        let waiters = Arc::clone(self.packets.waiters());
        let link = Arc::clone(self.packets.link());
        Ok(Client::by_channel(link, peer, answers_from(peer), waiters))
    }

    /// A look at the socket: its buffers, and what was lost.
    pub fn monitor(&self) -> UdpMonitor {
        UdpMonitor::new(self.packets.link())
    }

    /// The address the socket is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.packets.link().local_addr()
    }

    pub(crate) fn way_back(&self) -> Arc<Outlet> {
        Arc::new(Outlet { link: Arc::clone(self.packets.link()) })
    }
}

impl Stream for Channel {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.packets).poll_next(cx)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("udp", &self.local_addr()).finish()
    }
}

/// The way back to the peers of a channel.
pub(crate) struct Outlet {
    link: Arc<Link>,
}

impl Outlet {
    /// Sends an answer to a peer, waiting while the socket is full.
    pub(crate) async fn send(&self, packet: &Packet, peer: Peer) -> io::Result<()> {
        self.link.reply(packet.as_bytes(), peer).await
    }
}
