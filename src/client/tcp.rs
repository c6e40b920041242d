//! Clients over TCP.

use super::Client;
use super::reconnecting::Reconnecting;
use crate::channel::stream::tcp::{TcpConnect, connect};
use crate::channel::{BindError, Connect, Endpoint, StreamOptions};
use crate::codec::Framing;

impl Client {
    /// Connects to a TCP peer, with the default [`StreamOptions`]. The addresses of a name are tried in
    /// order. The operating system limits the time for each (on Linux about two minutes if no host replies);
    /// use `tokio::time::timeout` to limit it.
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, or none of its addresses accepts the connection.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed.
    pub async fn tcp(peer: impl Into<Endpoint>, framing: impl Framing) -> Result<Self, BindError> {
        Self::tcp_with(peer, framing, StreamOptions::default()).await
    }

    /// Same as [`tcp`](Client::tcp), with options.
    ///
    /// # Errors
    /// Same as [`tcp`](Client::tcp).
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed.
    pub async fn tcp_with(
        peer: impl Into<Endpoint>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let stream = connect(&peer.into(), &options).await?;
        let addresses = (stream.local_addr().ok(), stream.peer_addr().ok());
        Ok(Self::over(stream, addresses, framing, options))
    }

    /// Creates a client that connects to a TCP peer, and again whenever the connection breaks. Packets wait
    /// in a bounded queue meanwhile. See [`Reconnecting`].
    pub fn reconnecting<F: Framing>(peer: impl Into<Endpoint>, framing: F) -> Reconnecting<impl Connect, F> {
        Reconnecting::new(TcpConnect { peer: peer.into() }, framing)
    }
}
