//! The ways to a client: a socket, a connection, a byte stream.

#[cfg(feature = "net")]
use std::io;
#[cfg(feature = "net")]
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "net")]
use tokio::net::ToSocketAddrs;

use super::{Client, Shared, Transport};
use crate::channel::hub::Hub;
use crate::channel::link::{Link, SharedCodec};
use crate::channel::options::StreamOptions;
use crate::channel::reconnect::{Background, Connect, Reconnecting};
use crate::channel::source::{Source, StreamSource};
#[cfg(feature = "net")]
use crate::channel::tcp;
#[cfg(feature = "net")]
use crate::channel::udp::{Link as UdpLink, UdpPackets, UdpSender};
#[cfg(all(unix, feature = "net"))]
use crate::channel::unix_datagram::{UnixDatagramOptions, UnixSender};
#[cfg(feature = "net")]
use crate::channel::{HostPort, Udp};
use crate::codec::{Codec, Framing};
use crate::packet::Peer;

#[cfg(feature = "net")]
impl Client {
    /// A client of a UDP peer, on a free port of all interfaces. Nothing is sent yet.
    ///
    /// Of the addresses of a name, the first is taken that this host has a route to, IPv4 before IPv6.
    /// The socket is not connected: a device may answer from another port, and a peer that is not there
    /// yet does no harm.
    ///
    /// # Errors
    /// The name cannot be resolved, this host reaches none of its addresses, or no port is free.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn udp(peer: impl Into<HostPort>) -> io::Result<Self> {
        Udp::new(peer).client().await
    }

    pub(in crate::channel) fn from_udp(
        link: Arc<UdpLink>,
        peer: SocketAddr,
        answers_from: Option<IpAddr>,
        packets: UdpPackets,
    ) -> Self {
        let source = Source::Udp { packets, answers_from };
        Self::new(Transport::Udp(UdpSender::new(link, peer)), source)
    }

    /// A client whose answers are read by the channel that owns the socket.
    pub(in crate::channel) fn by_channel(
        packets: &UdpPackets,
        peer: SocketAddr,
        answers_from: Option<IpAddr>,
    ) -> Self {
        let sender = UdpSender::new(Arc::clone(packets.link()), peer);
        let client = Self::new(Transport::Udp(sender), Source::Elsewhere);
        packets.diverts().add(&client.shared.hub, answers_from);
        client
    }

    /// Connects to a TCP peer, with the default [`StreamOptions`]. The addresses of a name are tried
    /// in order, each for as long as the operating system tries (on Linux some two minutes, if nobody
    /// answers at all): see `tokio::time::timeout`.
    ///
    /// # Errors
    /// The name cannot be resolved, or none of its addresses takes the connection.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future closes what it has opened.
    pub async fn tcp(peer: impl ToSocketAddrs, framing: impl Framing) -> io::Result<Self> {
        Self::tcp_with(peer, framing, StreamOptions::default()).await
    }

    /// As [`tcp`](Client::tcp), with limits of your own.
    ///
    /// # Errors
    /// As [`tcp`](Client::tcp).
    ///
    /// # Cancel safety
    /// A dropped future closes what it has opened.
    pub async fn tcp_with(
        peer: impl ToSocketAddrs,
        framing: impl Framing,
        options: StreamOptions,
    ) -> io::Result<Self> {
        let stream = tcp::connect(peer, &options).await?;
        let addresses = (stream.peer_addr().ok(), stream.local_addr().ok());
        let (reader, writer) = stream.into_split();
        Ok(Self::over(Box::new(reader), Box::new(writer), addresses, framing, options))
    }

    /// A client that connects to a TCP peer, and again whenever the connection breaks. Packets wait
    /// in a bounded queue meanwhile. See [`Reconnecting`].
    pub fn reconnecting<A, F>(peer: A, framing: F) -> Reconnecting<impl Connect, F>
    where
        A: ToSocketAddrs + Clone + Send + Sync + 'static,
        F: Framing,
    {
        Reconnecting::new(tcp::Connector::new(peer), framing)
    }
}

#[cfg(all(unix, feature = "net"))]
impl Client {
    /// Connects to a Unix stream socket, with the default [`StreamOptions`].
    ///
    /// # Errors
    /// Nobody listens there.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future closes what it has opened.
    pub async fn unix(path: impl AsRef<std::path::Path>, framing: impl Framing) -> io::Result<Self> {
        Ok(Self::io(tokio::net::UnixStream::connect(path).await?, framing))
    }

    /// A client of a Unix datagram socket, as liblo's `osc.unix` is one: each packet is a datagram of
    /// at most 65,535 bytes. It has a path of its own, in the directory for temporary files, so that
    /// it can be answered; the file goes when the client is dropped. A server that was started anew at
    /// the same path is found again by the next send.
    ///
    /// # Errors
    /// Nobody listens there, or no path of its own can be had.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Self::unix_datagram_with(path, UnixDatagramOptions::default())
    }

    /// As [`unix_datagram`](Client::unix_datagram), with other options.
    ///
    /// # Errors
    /// As [`unix_datagram`](Client::unix_datagram).
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram_with(
        path: impl AsRef<std::path::Path>,
        options: UnixDatagramOptions,
    ) -> io::Result<Self> {
        let sender = UnixSender::connect(path.as_ref(), options)?;
        let source = Source::UnixDatagram(sender.packets());
        Ok(Self::new(Transport::UnixDatagram(sender), source))
    }
}

impl Client {
    /// A client over a byte stream: a pipe, a serial port, a TLS session, a `tokio::io::duplex`. With
    /// the default [`StreamOptions`].
    pub fn io<I>(io: I, framing: impl Framing) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::io_with(io, framing, StreamOptions::default())
    }

    /// As [`io`](Client::io), with limits of your own: `decode` and `write_timeout` count.
    pub fn io_with<I>(io: I, framing: impl Framing, options: StreamOptions) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (reader, writer) = tokio::io::split(io);
        Self::over(Box::new(reader), Box::new(writer), (None, None), framing, options)
    }

    /// A client that opens its byte stream with a function, and again whenever it breaks. See
    /// [`Reconnecting`].
    pub fn reconnecting_with<C: Connect, F: Framing>(connect: C, framing: F) -> Reconnecting<C, F> {
        Reconnecting::new(connect, framing)
    }

    fn over(
        reader: Box<dyn AsyncRead + Send + Unpin>,
        writer: Box<dyn AsyncWrite + Send + Unpin>,
        (peer, local): (Option<SocketAddr>, Option<SocketAddr>),
        framing: impl Framing,
        options: StreamOptions,
    ) -> Self {
        let chain = options.chain.counting_anew();
        let codec = Codec::with_options(framing, options.decode)
            .peer(peer.map_or(Peer::LOCAL, Peer::from))
            .chain(chain.clone());
        let codec: Arc<dyn SharedCodec> = Arc::new(Mutex::new(codec));
        let link = Link::new(writer, Arc::clone(&codec), options.write_timeout);
        let source = Source::Stream(StreamSource::new(reader, codec));
        Self::new(Transport::Stream { link, peer, local, chain }, source)
    }

    pub(in crate::channel) fn in_background(background: Background, hub: Arc<Hub>) -> Self {
        Self { shared: Arc::new(Shared { transport: Transport::Background(background), hub }) }
    }

    fn new(transport: Transport, source: Source) -> Self {
        Self { shared: Arc::new(Shared { transport, hub: Arc::new(Hub::new(source)) }) }
    }
}
