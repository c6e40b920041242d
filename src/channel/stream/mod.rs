//! Byte streams: listeners with connections, and single streams.

// rustdoc lists methods in the order of these modules: constructors come first.
#[cfg(feature = "net")]
pub(crate) mod tcp;

mod accept;
pub(crate) mod connect;
pub(crate) mod connection;
mod connections;
mod dial;
mod frame_memory;
mod listener;
mod options;
pub(crate) mod outbox;
pub(crate) mod pump;
#[cfg(all(unix, feature = "net"))]
pub(crate) mod unix;

use futures::stream::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Channel, Outlet};
use crate::codec::Framing;
use crate::packet::Peer;
use accept::{ConnectionPackets, NoListener};
pub use connect::Connect;
pub(crate) use connections::Connections;
pub use dial::Dial;
pub use listener::Listener;
pub use options::{StreamOptions, Verdict};

impl Channel {
    /// Creates a channel that accepts connections from any [`Listener`].
    pub fn listen_on<L: Listener>(listener: L, framing: impl Framing, options: StreamOptions) -> Self {
        let connections = Connections::new(options, listener.local_addr().ok());
        let packets = ConnectionPackets::new(Some(listener), framing, connections.clone());
        Self::new(packets.boxed(), Outlet::new(connections.clone(), Some(connections)))
    }

    /// Creates a channel over one byte stream, such as a pipe, a serial port, a TLS session or a
    /// `tokio::io::duplex`, with the default [`StreamOptions`]. The channel ends when the stream ends.
    pub fn io<I>(io: I, framing: impl Framing) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::io_with(io, framing, StreamOptions::default())
    }

    /// Same as [`io`](Channel::io), with options.
    pub fn io_with<I>(io: I, framing: impl Framing, options: StreamOptions) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connections = Connections::new(options, None);
        let mut packets = ConnectionPackets::new(None::<NoListener<I>>, framing, connections.clone());
        packets.admit(io, Peer::LOCAL);
        Self::new(packets.boxed(), Outlet::new(connections.clone(), Some(connections)))
    }
}
