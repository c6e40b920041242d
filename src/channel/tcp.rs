//! TCP: the listener, and connecting.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use super::listener::Listener;
use super::options::StreamOptions;
use super::reconnect::Connect;
use super::socket::tune_tcp;
use crate::packet::Peer;

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

/// A connection to the first of the addresses that answers.
pub(super) async fn connect(address: impl ToSocketAddrs, options: &StreamOptions) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    tune(&stream, options);
    Ok(stream)
}

/// Connects to the same name again and again.
pub(super) struct Connector<A> {
    address: A,
}

impl<A> Connector<A> {
    pub(super) fn new(address: A) -> Self {
        Self { address }
    }
}

impl<A: ToSocketAddrs + Clone + Send + Sync + 'static> Connect for Connector<A> {
    type Io = TcpStream;

    fn connect(&mut self, options: &StreamOptions) -> BoxFuture<'static, io::Result<TcpStream>> {
        let (address, options) = (self.address.clone(), options.clone());
        async move { connect(address, &options).await }.boxed()
    }
}

/// A connection on which an option cannot be set is used without it.
fn tune(stream: &TcpStream, options: &StreamOptions) {
    if let Err(error) = tune_tcp(stream, options) {
        tracing::debug!(target: "tokio_osc::channel", %error, "option not set");
    }
}
