//! Constructors of clients over byte streams.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::inbox::ClientInbox;
use super::reconnecting::Reconnecting;
use super::stream::{ClientStream, StreamSource};
use super::{Client, ClientShared};
use crate::channel::stream::pump::{Pump, PumpLimits};
use crate::channel::{Connect, StreamOptions};
use crate::codec::{Codec, Framing};
use crate::packet::Peer;

impl Client {
    /// Creates a client over a byte stream, such as a pipe, a serial port, a TLS session or a
    /// `tokio::io::duplex`, with the default [`StreamOptions`].
    pub fn io<I>(io: I, framing: impl Framing) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::io_with(io, framing, StreamOptions::default())
    }

    /// Same as [`io`](Client::io), with options, of which `decode` and `write_timeout` apply.
    pub fn io_with<I>(io: I, framing: impl Framing, options: StreamOptions) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::over(io, (None, None), framing, options)
    }

    /// Creates a client that opens its byte stream with a function, and again after each failure. See
    /// [`Reconnecting`].
    pub fn reconnecting_with<C: Connect, F: Framing>(connect: C, framing: F) -> Reconnecting<C, F> {
        Reconnecting::new(connect, framing)
    }

    /// Creates a client over a connection between two addresses.
    pub(super) fn over<I>(
        io: I,
        (local, peer): (Option<SocketAddr>, Option<SocketAddr>),
        framing: impl Framing,
        options: StreamOptions,
    ) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (limits, chain) = (PumpLimits::for_client(&options), options.chain.counting_anew());
        let to = peer.map_or(Peer::LOCAL, Peer::from);
        let codec = Codec::with_options(framing, options.decode).peer(to).chain(chain.clone());
        let stream = ClientStream::new(Pump::new(io, codec, limits), chain, local);
        let inbox = ClientInbox::new(Box::new(StreamSource(Arc::clone(&stream))), None);
        let shared = ClientShared { to, peer, reads_to_send: true, ..ClientShared::new(stream, inbox) };
        Self { shared: Arc::new(shared) }
    }
}
