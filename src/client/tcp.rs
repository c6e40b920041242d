//! Clients over TCP.

use std::io;

use futures::future::{BoxFuture, FutureExt};
use tokio::net::{TcpStream, ToSocketAddrs};

use super::Client;
use super::reconnecting::{Connect, Reconnecting};
use crate::channel::StreamOptions;
use crate::channel::stream::tcp::connect;
use crate::codec::Framing;

impl Client {
    /// Connects to a TCP peer, with the default [`StreamOptions`]. The addresses of a name are tried
    /// in order, each for as long as the operating system tries (on Linux some two minutes, if no host
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
        let stream = connect(peer, &options).await?;
        let addresses = (stream.local_addr().ok(), stream.peer_addr().ok());
        Ok(Self::over(stream, addresses, framing, options))
    }

    /// A client that connects to a TCP peer, and again whenever the connection breaks. Packets wait
    /// in a bounded queue meanwhile. See [`Reconnecting`].
    pub fn reconnecting<A, F>(peer: A, framing: F) -> Reconnecting<impl Connect, F>
    where
        A: ToSocketAddrs + Clone + Send + Sync + 'static,
        F: Framing,
    {
        Reconnecting::new(Connector::new(peer), framing)
    }
}

/// Connects to the same name again and again.
struct Connector<A> {
    address: A,
}

impl<A> Connector<A> {
    fn new(address: A) -> Self {
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
