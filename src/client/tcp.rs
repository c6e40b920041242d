//! Clients over TCP.

use super::Client;
use super::reconnecting::Reconnecting;
use crate::channel::stream::tcp::{TcpConnect, connect};
use crate::channel::{BindError, Connect, Endpoint, StreamOptions};
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
    pub async fn tcp(peer: impl Into<Endpoint>, framing: impl Framing) -> Result<Self, BindError> {
        Self::tcp_with(peer, framing, StreamOptions::default()).await
    }

    /// As [`tcp`](Client::tcp), with other limits.
    ///
    /// # Errors
    /// As [`tcp`](Client::tcp).
    ///
    /// # Cancel safety
    /// A dropped future closes what it has opened.
    pub async fn tcp_with(
        peer: impl Into<Endpoint>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let stream = connect(&peer.into(), &options).await?;
        let addresses = (stream.local_addr().ok(), stream.peer_addr().ok());
        Ok(Self::over(stream, addresses, framing, options))
    }

    /// A client that connects to a TCP peer, and again whenever the connection breaks. Packets wait
    /// in a bounded queue meanwhile. See [`Reconnecting`].
    pub fn reconnecting<F: Framing>(peer: impl Into<Endpoint>, framing: F) -> Reconnecting<impl Connect, F> {
        Reconnecting::new(TcpConnect { peer: peer.into() }, framing)
    }
}
