//! A channel: packets in as a `Stream`, answers out by the same socket.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::net::{ToSocketAddrs, UdpSocket};

use super::socket::bind_udp;
use super::udp::UdpPackets;
use crate::packet::{Meta, Packet, Peer};
use crate::wire::{DecodeError, DecodeOptions};

/// A socket that receives: a `Stream` of packets, each with its [`Meta`].
///
/// A malformed datagram is an item with the peer's address in its `Meta`; the stream goes on. It
/// never ends by itself. Give it to [`Server::listen`](crate::Server::listen), or read it:
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()).await?;
/// client.send(("/synth/1/freq", 440.0_f32)).await?;
///
/// let (packet, meta) = channel.next().await.expect("a channel never ends");
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// assert_eq!(meta.peer.ip(), Some(channel.local_addr().ip()));
/// # Ok(()) }
/// ```
///
/// `next()` is cancel safe: no packet is lost when its future is dropped.
pub struct Channel {
    packets: UdpPackets,
    outlet: Arc<Outlet>,
    local: SocketAddr,
}

impl Channel {
    /// Binds a UDP socket and receives every packet that is sent to it, with the default
    /// [`DecodeOptions`]. Port 0 takes any free port: see [`local_addr`](Channel::local_addr).
    ///
    /// The port is this program's alone; an IPv6 address takes IPv6 only.
    ///
    /// # Errors
    /// The name cannot be resolved, or none of its addresses can be bound; the error names the
    /// address.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub async fn udp(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::udp_with(address, DecodeOptions::default()).await
    }

    /// As [`udp`](Channel::udp), with limits and tolerance of your own.
    ///
    /// # Errors
    /// As [`udp`](Channel::udp).
    pub async fn udp_with(address: impl ToSocketAddrs, options: DecodeOptions) -> io::Result<Self> {
        let socket = Arc::new(bind_udp(address).await?);
        Ok(Self {
            local: socket.local_addr()?,
            packets: UdpPackets::new(Arc::clone(&socket), options),
            outlet: Arc::new(Outlet { socket }),
        })
    }

    /// The address the socket is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn way_back(&self) -> Arc<Outlet> {
        Arc::clone(&self.outlet)
    }
}

impl Stream for Channel {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.packets).poll_next(cx)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("udp", &self.local).finish()
    }
}

/// The way back to the peers of a channel.
pub(crate) struct Outlet {
    socket: Arc<UdpSocket>,
}

impl Outlet {
    /// Sends an answer to a peer, waiting while the socket is full.
    pub(crate) async fn send(&self, packet: &Packet, peer: Peer) -> io::Result<()> {
        let address = peer.address().ok_or(io::ErrorKind::AddrNotAvailable)?;
        self.socket.send_to(packet.as_bytes(), address).await.map(drop)
    }
}
