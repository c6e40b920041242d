//! TCP: the listener, and connecting.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt};
use tokio::net::{TcpListener, TcpStream};

use super::connect::Connect;
use super::dial::Dial;
use super::listener::Listener;
use super::options::StreamOptions;
use crate::channel::Channel;
use crate::channel::address::{Endpoint, Scheme};
use crate::channel::bind_error::BindError;
use crate::channel::socket::{bind_tcp, refuse_self, tune_tcp};
use crate::codec::Framing;
use crate::packet::Peer;

impl Channel {
    /// Listens for TCP connections, with the default [`StreamOptions`]. Port 0 takes any free port.
    ///
    /// Each connection is a peer with a number: see [`Peer::connection`] and
    /// [`Meta::connection_name`](crate::Meta::connection_name). Replies leave by the connection of the
    /// message. A peer that shut down its write side can still get the replies to its packets: the connection
    /// stays open while a [`Meta`](crate::Meta) of its packets exists, for at most 10 s.
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
    /// On Unix, the port can be bound while connections of an earlier program are closing (`SO_REUSEADDR`), but
    /// not while another program listens. An IPv6 address accepts IPv6 only.
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, or none of its addresses can be bound. The error
    /// names the address.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn tcp(address: impl Into<Endpoint>, framing: impl Framing) -> Result<Self, BindError> {
        Self::tcp_with(address, framing, StreamOptions::default()).await
    }

    /// Same as [`tcp`](Channel::tcp), with options.
    ///
    /// # Errors
    /// Same as [`tcp`](Channel::tcp).
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn tcp_with(
        address: impl Into<Endpoint>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let address = address.into();
        let listener = address.resolve(Scheme::Tcp, None).await.and_then(bind_tcp);
        let listener =
            listener.map_err(BindError::cannot(format_args!("listen on tcp {}", address.place())))?;
        Ok(Self::listen_on(listener, framing, options))
    }
}

impl Channel {
    /// Creates a channel that connects to a TCP peer, and again whenever the connection breaks. See [`Dial`].
    pub fn reconnecting<F: Framing>(peer: impl Into<Endpoint>, framing: F) -> Dial<impl Connect, F> {
        let peer_of = |io: &TcpStream| io.peer_addr().map_or(Peer::LOCAL, Peer::from);
        Dial::new(TcpConnect { peer: peer.into() }, peer_of, framing)
    }
}

/// Sets [`nodelay`](StreamOptions#structfield.nodelay) and
/// [`keepalive`](StreamOptions#structfield.keepalive) on each connection.
impl Listener for TcpListener {
    type Io = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, Peer)>> {
        TcpListener::poll_accept(self, cx).map_ok(|(stream, from)| (stream, from.into()))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::local_addr(self)
    }

    fn tune(&self, stream: &TcpStream, options: &StreamOptions) {
        tune(stream, options);
    }
}

/// Connects to the same peer each time.
pub(crate) struct TcpConnect {
    pub(crate) peer: Endpoint,
}

impl Connect for TcpConnect {
    type Io = TcpStream;

    fn connect(&mut self, options: &StreamOptions) -> BoxFuture<'static, io::Result<TcpStream>> {
        let (peer, options) = (self.peer.clone(), options.clone());
        async move { Ok(connect(&peer, &options).await?) }.boxed()
    }
}

/// Connects to the first address that accepts.
pub(crate) async fn connect(peer: &Endpoint, options: &StreamOptions) -> Result<TcpStream, BindError> {
    let connected = async {
        let mut last = io::ErrorKind::NotFound.into();
        for address in peer.resolve(Scheme::Tcp, None).await? {
            match TcpStream::connect(address).await.and_then(refuse_self) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
    .await;
    let stream = connected.map_err(BindError::cannot(format_args!("connect to tcp {}", peer.place())))?;
    tune(&stream, options);
    Ok(stream)
}

/// If an option cannot be set, the connection is used without it.
fn tune(stream: &TcpStream, options: &StreamOptions) {
    if let Err(error) = tune_tcp(stream, options) {
        tracing::debug!(target: "tokio_osc::channel", %error, "option not set");
    }
}
