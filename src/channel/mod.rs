//! Sockets and byte streams that receive packets and send replies. Read a [`Channel`] with
//! [`recv`](Channel::recv), or as a `Stream`. Its [`Outlet`] sends.
//!
//! ```
//! use tokio_osc::{Channel, Client, Slip};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let mut channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
//! let client = Client::tcp(channel.local_addr()?, Slip::new()).await?;
//! let mut answers = client.subscribe("/pong");
//! client.send(("/ping", 7)).await?;
//!
//! let (packet, meta) = channel.recv().await.expect("the channel is open");
//! assert_eq!(packet?.to_string(), "/ping ,i 7");
//! channel.send_to(meta.peer, ("/pong", 7)).await?;
//! # tokio::spawn(async move { channel.recv().await });
//! assert_eq!(answers.recv().await.expect("the connection is open").to_string(), "/pong ,i 7");
//! # Ok(()) }
//! ```

// rustdoc lists methods in the order of these modules: constructors come first.
#[cfg_attr(not(feature = "net"), path = "no_udp.rs")]
pub(crate) mod udp;

pub(crate) mod stream;

#[cfg(feature = "net")]
pub(crate) mod address;
#[cfg(feature = "net")]
pub(crate) mod bind_error;
mod event_stream;
mod events;
#[cfg(feature = "net")]
pub(crate) mod open;
mod outlet;
mod pause;
#[cfg(feature = "serial")]
mod serial;
#[cfg(feature = "net")]
mod socket;
mod stats;
pub(crate) mod transport;
#[cfg(feature = "net")]
#[cfg_attr(not(unix), path = "no_unix.rs")]
pub(crate) mod unix_datagram;
#[cfg(all(unix, feature = "net"))]
mod unix_path;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::StreamExt;

pub use event_stream::Events;
pub use events::{ConnectionEvent, Disconnect, Refusal};
pub use outlet::Outlet;
#[cfg(feature = "serial")]
pub use serial::{Serial, SerialStream};
pub use stats::{Delivery, SendReport};
pub use stream::{Connect, Dial, Listener, StreamOptions, Verdict};
use udp::UdpSocketState;
#[cfg(all(unix, feature = "net"))]
pub use unix_datagram::UnixDatagramOptions;
#[cfg(feature = "net")]
pub use {
    address::{Endpoint, EndpointError, Interface, IpFamily, PeerNames, Scheme},
    bind_error::BindError,
    udp::{Broadcast, Multicast, Udp, UdpMonitor, UdpStats},
};

use crate::packet::{IntoPacket, Meta, Packet, Peer, SendError};
use crate::wire::DecodeError;
use transport::Packets;

/// A `Stream` of packets, each with its [`Meta`], from a datagram socket, a listener with its connections, or
/// a single byte stream.
///
/// A malformed packet is an item too, with its peer in the `Meta`, and the stream goes on. Connects and
/// disconnects are not items: see [`events`](Channel::events). The stream ends when the channel is
/// [closed](Outlet::close), or when the byte stream of [`io`](Channel::io) ends. Pass a channel to
/// [`Server::listen`](crate::Server::listen), or read it:
///
/// ```
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// client.send(("/synth/1/freq", 440.0_f32)).await?;
///
/// let (packet, meta) = channel.recv().await.expect("the channel is open");
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// assert_eq!(meta.peer.ip(), Some(channel.local_addr()?.ip()));
/// # Ok(()) }
/// ```
///
/// The task that polls the channel accepts, reads and writes its connections. Nothing happens while the
/// channel is not polled.
pub struct Channel {
    packets: Packets,
    outlet: Outlet,
    local: Option<SocketAddr>,
    /// The socket, for UDP.
    pub(crate) udp: Option<Arc<UdpSocketState>>,
}

impl Channel {
    /// Called by every constructor. The layers above do not depend on the kind of transport.
    pub(crate) fn new(packets: Packets, outlet: Outlet) -> Self {
        let local = outlet.transport().local_addr();
        Self { packets, outlet, local, udp: None }
    }

    /// Receives the next packet of any peer. A malformed packet is an item too. Returns `None` when the
    /// channel is closed.
    ///
    /// # Cancel safety
    /// If the future is dropped, no packet is lost.
    pub async fn recv(&mut self) -> Option<(Result<Packet, DecodeError>, Meta)> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Same as [`recv`](Channel::recv), for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Result<Packet, DecodeError>, Meta)>> {
        if self.outlet.register_if_paused(cx) {
            return Poll::Pending;
        }
        self.packets.poll_next_unpin(cx)
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    /// Returns an error if the channel is a Unix socket or a byte stream, which has no IP address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let none = || io::Error::new(io::ErrorKind::Unsupported, "this channel has no IP address");
        self.local.ok_or_else(none)
    }

    /// Returns a handle that sends to the peers, even after the channel was passed to a server.
    pub fn outlet(&self) -> Outlet {
        self.outlet.clone()
    }

    /// Sends a packet to one peer, like [`Outlet::send_to`].
    ///
    /// # Errors
    /// Same as [`Outlet::send_to`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet was sent whole or not at all.
    pub async fn send_to(&self, peer: Peer, packet: impl IntoPacket) -> Result<(), SendError> {
        self.outlet.send_to(peer, packet).await
    }

    /// Queues a packet for every connection, like [`Outlet::broadcast`].
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
    pub fn broadcast(&self, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        self.outlet.broadcast(packet)
    }

    /// Returns the events of the connections from now on, like [`Outlet::events`].
    pub fn events(&self) -> Events<ConnectionEvent> {
        self.outlet.events()
    }
}

impl Stream for Channel {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("local", &self.local)
            .field("udp", &self.udp.is_some())
            .field("outlet", &self.outlet)
            .finish_non_exhaustive()
    }
}
