//! Clients over Unix sockets.

use std::path::Path;
use std::sync::Arc;

use super::inbox::ClientInbox;
use super::udp::Datagrams;
use super::{Client, ClientShared};
use crate::channel::unix_datagram::UnixClient;
use crate::channel::{BindError, StreamOptions, UnixDatagramOptions};
use crate::codec::Framing;

impl Client {
    /// Connects to a Unix stream socket, with the default [`StreamOptions`].
    ///
    /// # Errors
    /// Returns an error if no program listens there.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed.
    pub async fn unix(path: impl AsRef<Path>, framing: impl Framing) -> Result<Self, BindError> {
        Self::unix_with(path, framing, StreamOptions::default()).await
    }

    pub(crate) async fn unix_with(
        path: impl AsRef<Path>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let path = path.as_ref();
        let connected = tokio::net::UnixStream::connect(path).await;
        let stream =
            connected.map_err(BindError::cannot(format_args!("connect to unix {}", path.display())))?;
        Ok(Self::io_with(stream, framing, options))
    }

    /// Creates a client of a Unix datagram socket, compatible with liblo's `osc.unix`. Each packet is a
    /// datagram of at most 65,535 bytes. The client has its own path in the directory for temporary files, so
    /// that it can receive replies. The file is removed when the client is dropped. If the server is
    /// restarted at the same path, the next send finds it.
    ///
    /// # Errors
    /// Returns an error if no program listens there, or its own path cannot be bound.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram(path: impl AsRef<Path>) -> Result<Self, BindError> {
        Self::unix_datagram_with(path, UnixDatagramOptions::default())
    }

    /// Same as [`unix_datagram`](Client::unix_datagram), with options.
    ///
    /// # Errors
    /// Same as [`unix_datagram`](Client::unix_datagram).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram_with(
        path: impl AsRef<Path>,
        options: UnixDatagramOptions,
    ) -> Result<Self, BindError> {
        let path = path.as_ref();
        let (transport, packets) = UnixClient::connect(path, options)
            .map_err(BindError::cannot(format_args!("connect to unix {}", path.display())))?;
        let inbox = ClientInbox::new(Box::new(Datagrams(packets)), None);
        Ok(Self { shared: Arc::new(ClientShared::new(Arc::new(transport), inbox)) })
    }
}
