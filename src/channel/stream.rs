//! A channel: packets in as a `Stream`, answers out by the way they came.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
#[cfg(feature = "net")]
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::{BoxStream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "net")]
use tokio::net::ToSocketAddrs;

use super::connections::Connections;
use super::events::ConnectionEvents;
use super::listener::Listener;
use super::options::StreamOptions;
use super::outlet::{BroadcastReport, Outlet, Way};
use super::registry::Registry;
#[cfg(feature = "net")]
use super::socket::bind_tcp;
#[cfg(feature = "net")]
use super::udp::{UdpPackets, answers_from, check_peer};
#[cfg(all(unix, feature = "net"))]
use super::unix_datagram::{UnixDatagramOptions, UnixLink, UnixPackets};
#[cfg(feature = "net")]
use super::{Client, HostPort, Udp, UdpMonitor};
use crate::codec::{Framing, ReadPacket};
use crate::packet::{IntoPacket, Meta, Packet, Peer, SendError};
use crate::wire::DecodeError;
#[cfg(feature = "net")]
use crate::wire::DecodeOptions;

/// What receives: a `Stream` of packets, each with its [`Meta`]. A datagram socket, a listener with
/// its connections, or a single byte stream.
///
/// A malformed packet is an item with its peer in the `Meta`; the stream goes on. Connections come
/// and go without a word in it: see [`events`](Channel::events). It ends when the channel is
/// [closed](Outlet::close), or when the stream of [`io`](Channel::io) ends. Give it to
/// [`Server::listen`](crate::Server::listen), or read it:
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// client.send(("/synth/1/freq", 440.0_f32)).await?;
///
/// let (packet, meta) = channel.next().await.expect("the channel is open");
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// assert_eq!(meta.peer.ip(), Some(channel.local_addr()?.ip()));
/// # Ok(()) }
/// ```
///
/// `next()` is cancel safe: no packet is lost when its future is dropped. Nothing runs while the
/// channel is not polled: connections are accepted, read and written by whoever polls it.
pub struct Channel {
    packets: Packets,
    outlet: Outlet,
    local: Option<SocketAddr>,
}

enum Packets {
    #[cfg(feature = "net")]
    Udp(Box<UdpPackets>),
    /// Of connections, or of a Unix datagram socket.
    Others(BoxStream<'static, ReadPacket>),
}

#[cfg(feature = "net")]
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
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn udp(address: impl Into<HostPort>) -> io::Result<Self> {
        Udp::new(address).bind().await
    }

    /// As [`udp`](Channel::udp), with limits and tolerance of your own.
    ///
    /// # Errors
    /// As [`udp`](Channel::udp).
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn udp_with(address: impl Into<HostPort>, options: DecodeOptions) -> io::Result<Self> {
        Udp::new(address).decode(options).bind().await
    }

    pub(super) fn from_udp(packets: UdpPackets) -> Self {
        let link = Arc::clone(packets.link());
        Self {
            local: Some(link.local_addr()),
            packets: Packets::Udp(Box::new(packets)),
            outlet: Outlet::new(Way::Udp(link)),
        }
    }

    /// A client of a peer that sends by this datagram channel's socket: the peer sees one port, and
    /// may answer to it. Whoever reads the channel, a [`Server`](crate::Server) as a rule, reads for
    /// the client too: an answer goes to the request that waits for it, every other packet to the
    /// channel (and to the client's subscriptions).
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stage = Channel::udp("127.0.0.1:0").await?;
    /// let desk = Channel::udp("127.0.0.1:0").await?;
    /// let client = desk.client_to(stage.local_addr()?)?;
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
    /// The channel is one of connections, or the socket does not reach the peer: IPv4 and IPv6 are
    /// mixed, or an address of one link does not say of which.
    pub fn client_to(&self, peer: impl Into<SocketAddr>) -> io::Result<Client> {
        let Packets::Udp(packets) = &self.packets else {
            let text = "this channel answers those who speak to it, and reaches nobody else";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        };
        let peer = peer.into();
        check_peer(packets.link().local_addr(), peer)?;
        Ok(Client::by_channel(packets, peer, answers_from(peer)))
    }

    /// A look at the socket of a datagram channel: its buffers, and what was lost. A channel of
    /// connections has none.
    pub fn monitor(&self) -> Option<UdpMonitor> {
        match &self.packets {
            Packets::Udp(packets) => Some(UdpMonitor::new(packets.link())),
            Packets::Others(_) => None,
        }
    }

    /// Listens for TCP connections, with the default [`StreamOptions`]. Port 0 takes any free port.
    ///
    /// Each connection is a peer of its own, with a number: see [`Peer::connection`] and
    /// [`Meta::connection_name`]. Replies go down the connection that the message came by. A peer that
    /// sends nothing more, but may still read (it has shut down its side), gets the answers to what it
    /// has sent: the connection stays as long as a [`Meta`] of its packets lives, at most 10 s.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    /// let client = Client::tcp(channel.local_addr()?, Slip::new()).await?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let server = Server::new(router).listen("stage", channel).spawn();
    ///
    /// assert_eq!(client.request(("/ping", 7), "/pong").await?.parse::<i32>()?, 7);
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// The port may be taken again while connections of an earlier program are being closed
    /// (`SO_REUSEADDR`, on Unix), never while another program listens. An IPv6 address takes IPv6
    /// only.
    ///
    /// # Errors
    /// The name cannot be resolved, or none of its addresses can be bound; the error names the
    /// address.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn tcp(address: impl ToSocketAddrs, framing: impl Framing) -> io::Result<Self> {
        Self::tcp_with(address, framing, StreamOptions::default()).await
    }

    /// As [`tcp`](Channel::tcp), with limits of your own.
    ///
    /// # Errors
    /// As [`tcp`](Channel::tcp).
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn tcp_with(
        address: impl ToSocketAddrs,
        framing: impl Framing,
        options: StreamOptions,
    ) -> io::Result<Self> {
        Ok(Self::listen_on(bind_tcp(address).await?, framing, options))
    }
}

#[cfg(all(unix, feature = "net"))]
impl Channel {
    /// Listens on a Unix stream socket at a path, with the default [`StreamOptions`]; for others,
    /// give a `UnixListener` to [`listen_on`](Channel::listen_on). A socket that a program has left
    /// there, and that nobody listens on, is replaced.
    ///
    /// # Errors
    /// The path cannot be bound.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix(path: impl AsRef<std::path::Path>, framing: impl Framing) -> io::Result<Self> {
        Ok(Self::listen_on(super::unix::bind(path.as_ref())?, framing, StreamOptions::default()))
    }

    /// Binds a Unix datagram socket to a path, as liblo's `osc.unix` does: each datagram is one packet
    /// of at most 65,535 bytes. A socket that a program has left there, and that nobody listens on, is
    /// replaced; the file goes when the channel and its outlets are dropped.
    ///
    /// A peer that has a path of its own can be answered, and has a number as a connection has
    /// ([`Peer::connection`]); one without is [`Peer::LOCAL`], and its answers are lost. The 500 peers
    /// that were heard last are known. Answers never wait: who does not read misses them, and what lies
    /// unread counts against this socket's send buffer: when that is full, nobody is answered. Let in
    /// those who are trusted with that, by the permissions of the directory.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tokio-osc-doc-{}", std::process::id()));
    /// let channel = Channel::unix_datagram(&path)?;
    /// let client = Client::unix_datagram(&path)?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let server = Server::new(router).listen("unix", channel).spawn();
    ///
    /// assert_eq!(client.request(("/ping", 7), "/pong").await?.parse::<i32>()?, 7);
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The path cannot be bound.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Self::unix_datagram_with(path, UnixDatagramOptions::default())
    }

    /// As [`unix_datagram`](Channel::unix_datagram), with other options.
    ///
    /// # Errors
    /// As [`unix_datagram`](Channel::unix_datagram).
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram_with(
        path: impl AsRef<std::path::Path>,
        options: UnixDatagramOptions,
    ) -> io::Result<Self> {
        let link = Arc::new(UnixLink::bind(path.as_ref(), options)?);
        let packets = UnixPackets::new(Arc::clone(&link));
        let outlet = Outlet::new(Way::UnixDatagram(link));
        Ok(Self { packets: Packets::Others(packets.boxed()), outlet, local: None })
    }
}

impl Channel {
    /// Accepts connections from any [`Listener`].
    pub fn listen_on<L: Listener>(listener: L, framing: impl Framing, options: StreamOptions) -> Self {
        let local = listener.local_addr().ok();
        let registry = Registry::new(options);
        let outlet = Outlet::new(Way::Connections(registry.clone()));
        let connections = Connections::new(Some(listener), framing, registry);
        Self { packets: Packets::Others(connections.boxed()), outlet, local }
    }

    /// Reads and answers on one byte stream: a pipe, a serial port, a TLS session, a
    /// `tokio::io::duplex`. With the default [`StreamOptions`]. The channel ends when the stream
    /// does.
    pub fn io<I>(io: I, framing: impl Framing) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::io_with(io, framing, StreamOptions::default())
    }

    /// As [`io`](Channel::io), with limits of your own.
    pub fn io_with<I>(io: I, framing: impl Framing, options: StreamOptions) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let registry = Registry::new(options);
        let outlet = Outlet::new(Way::Connections(registry.clone()));
        let mut connections = Connections::new(None::<NoListener<I>>, framing, registry);
        connections.admit(io, Peer::LOCAL);
        Self { packets: Packets::Others(connections.boxed()), outlet, local: None }
    }

    /// The address the socket is bound to.
    ///
    /// # Errors
    /// The channel has no IP address: it is a Unix socket or a byte stream.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let none = || io::Error::new(io::ErrorKind::Unsupported, "this channel has no IP address");
        self.local.ok_or_else(none)
    }

    /// The way back to the peers, for when the channel is a server's.
    pub fn outlet(&self) -> Outlet {
        self.outlet.clone()
    }

    /// Sends a packet to one peer: [`Outlet::send_to`].
    ///
    /// # Errors
    /// As [`Outlet::send_to`].
    ///
    /// # Cancel safety
    /// The packet is sent whole or not at all.
    pub async fn send_to(&self, peer: Peer, packet: impl IntoPacket) -> Result<(), SendError> {
        self.outlet.send_to(peer, packet).await
    }

    /// Queues a packet for every connection: [`Outlet::broadcast`].
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn broadcast(&self, packet: impl IntoPacket) -> Result<BroadcastReport, SendError> {
        self.outlet.broadcast(packet)
    }

    /// What happens to the connections from now on: [`Outlet::events`].
    pub fn events(&self) -> ConnectionEvents {
        self.outlet.events()
    }
}

impl Stream for Channel {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.packets {
            #[cfg(feature = "net")]
            Packets::Udp(packets) => Pin::new(packets.as_mut()).poll_next(cx),
            Packets::Others(connections) => connections.as_mut().poll_next(cx),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("local", &self.local)
            .field("outlet", &self.outlet)
            .finish_non_exhaustive()
    }
}

/// The listener of a channel that has one connection and gets no other.
struct NoListener<I>(std::marker::PhantomData<fn() -> I>);

impl<I: AsyncRead + AsyncWrite + Send + Unpin + 'static> Listener for NoListener<I> {
    type Io = I;

    fn poll_accept(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<(I, Peer)>> {
        Poll::Pending
    }
}
