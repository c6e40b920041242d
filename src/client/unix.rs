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
    /// No program listens there.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future closes what it has opened.
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

    /// A client of a Unix datagram socket, as liblo's `osc.unix` is one: each packet is a datagram of
    /// at most 65,535 bytes. It has a path of its own, in the directory for temporary files, so that
    /// it can be answered; the file goes when the client is dropped. A server that was started anew at
    /// the same path is found again by the next send.
    ///
    /// # Errors
    /// No program listens there, or its own path cannot be bound.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram(path: impl AsRef<Path>) -> Result<Self, BindError> {
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
