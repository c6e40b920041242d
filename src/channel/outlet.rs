//! The way back to the peers of a channel.
#![cfg_attr(
    not(feature = "net"),
    expect(clippy::unused_async, clippy::unnecessary_wraps, reason = "datagrams wait, and have no registry")
)]

use std::fmt;
use std::sync::Arc;

use super::events::{ConnectionEvent, ConnectionEvents};
use super::registry::Registry;
#[cfg(feature = "net")]
use super::udp;
#[cfg(all(unix, feature = "net"))]
use super::unix_datagram::UnixLink;
use crate::middleware::{Chain, Filtered, Flow};
#[cfg(feature = "net")]
use crate::packet::SendErrorKind;
use crate::packet::{IntoPacket, Packet, Peer, SendError};

/// The way back to the peers of a channel, which may be given to a server: what
/// [`Channel::outlet`](crate::Channel::outlet) returns. Cloning it is a reference count.
///
/// On connections, packets are queued and sent by whoever polls the channel, such as the server;
/// each connection has its own queue of
/// [`send_queue`](crate::StreamOptions#structfield.send_queue) bytes. A peer that reads nothing is
/// cut off after [`write_timeout`](crate::StreamOptions#structfield.write_timeout), and delays no
/// other.
///
/// ```
/// use tokio_osc::{Args, Channel, Client, Peer, Router, Server, Slip, State};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let (address, outlet) = (channel.local_addr()?, channel.outlet());
/// let router = Router::with_state(outlet)
///     .route("/join", |peer: Peer| println!("{peer} joins"))
///     .route("/all", |State(all): State<tokio_osc::Outlet>, Args(n): Args<i32>| {
///         all.broadcast(("/news", n)).map(drop)
///     });
/// let server = Server::new(router).listen("stage", channel).spawn();
///
/// let client = Client::tcp(address, Slip::new()).await?;
/// let news = client.request(("/all", 7), "/news").await?;
/// assert_eq!(news.parse::<i32>()?, 7);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Outlet {
    way: Way,
}

#[derive(Clone)]
pub(super) enum Way {
    #[cfg(feature = "net")]
    Udp(Arc<udp::Link>),
    #[cfg(all(unix, feature = "net"))]
    UnixDatagram(Arc<UnixLink>),
    Connections(Arc<Registry>),
}

/// What became of a packet for all: what [`Outlet::broadcast`] returns.
///
/// ```
/// use tokio_osc::{Channel, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let report = channel.broadcast(("/news", 7))?;
/// assert_eq!(report.queued, 0, "nobody is connected");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastReport {
    /// Connections that it was queued for.
    pub queued: usize,
    /// Connections that miss it: their queue is full.
    pub missed: usize,
    /// Connections that the [`Middleware`](crate::Middleware) has kept it from.
    pub filtered: usize,
}

impl Outlet {
    pub(super) fn new(way: Way) -> Self {
        Self { way }
    }

    /// Sends a packet to one peer, as [`Meta::peer`](crate::Meta#structfield.peer) names it.
    ///
    /// UDP waits while the socket is full; a connection while its queue is, for
    /// [`write_timeout`](crate::StreamOptions#structfield.write_timeout) (default 10 s) at most: an
    /// inline handler that waits here may keep the server from sending what is in the queue. A Unix
    /// datagram socket waits for nobody: the packet is refused as `Full`.
    ///
    /// # Errors
    /// The packet cannot be encoded or is over the limit, the middleware refuses it, the connection
    /// has ended or its queue stays full (`TimedOut`), or the operating system refuses the datagram.
    ///
    /// # Cancel safety
    /// The packet is sent whole or not at all.
    pub async fn send_to(&self, peer: Peer, packet: impl IntoPacket) -> Result<(), SendError> {
        let packet = packet.into_packet()?;
        match &self.way {
            #[cfg(feature = "net")]
            Way::Udp(link) => {
                let address = peer.address().ok_or(SendErrorKind::Closed)?;
                link.send_packet(packet, address).await.map(drop)
            }
            #[cfg(all(unix, feature = "net"))]
            Way::UnixDatagram(link) => link.send_to(packet, peer).map(drop),
            Way::Connections(registry) => {
                let outbox = registry.outbox(peer)?;
                match registry.pass_out(packet, peer)? {
                    Some(frame) => outbox.push_within(registry.options.write_timeout, frame).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Queues a packet for every connection; encoded once, copied for none. It never waits: a
    /// connection whose queue is full misses the packet. A datagram channel has no connections.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn broadcast(&self, packet: impl IntoPacket) -> Result<BroadcastReport, SendError> {
        let packet = packet.into_packet()?;
        match &self.way {
            #[cfg(feature = "net")]
            Way::Udp(_) => Ok(BroadcastReport::default()),
            #[cfg(all(unix, feature = "net"))]
            Way::UnixDatagram(_) => Ok(BroadcastReport::default()),
            Way::Connections(registry) => Ok(registry.broadcast(&packet)),
        }
    }

    /// The connections that are open, oldest first.
    pub fn connections(&self) -> Vec<Peer> {
        self.registry().map(|registry| registry.peers()).unwrap_or_default()
    }

    /// What happens to the connections from now on. A datagram channel has no events.
    pub fn events(&self) -> ConnectionEvents {
        match self.registry() {
            Some(registry) => ConnectionEvents::of(&registry.events),
            None => ConnectionEvents::from_stream(futures::stream::empty()),
        }
    }

    /// Calls a function with every event from now on, at once: for the server that has the channel.
    pub(crate) fn on_event(&self, call: impl Fn(&ConnectionEvent) + Send + Sync + 'static) {
        if let Some(registry) = self.registry() {
            registry.events.on_event(call);
        }
    }

    /// Closes a connection, once what waits is sent or after 1 s. False if there is none.
    pub fn disconnect(&self, peer: Peer) -> bool {
        let outbox = self.registry().and_then(|registry| registry.outbox(peer).ok());
        outbox.inspect(|outbox| outbox.close()).is_some()
    }

    /// Closes a channel of connections: it accepts and reads nothing more, sends what waits (for at
    /// most 1 s), and its stream ends. Of a datagram channel, nothing changes.
    pub fn close(&self) {
        if let Some(registry) = self.registry() {
            registry.close();
        }
    }

    /// What the [`Middleware`](crate::Middleware) of the channel has dropped or refused so far, and the
    /// empty frames that were passed over.
    pub fn filtered(&self) -> Filtered {
        self.chain().filtered()
    }

    pub(crate) fn chain(&self) -> &Chain {
        match &self.way {
            #[cfg(feature = "net")]
            Way::Udp(link) => link.chain(),
            #[cfg(all(unix, feature = "net"))]
            Way::UnixDatagram(link) => link.chain(),
            Way::Connections(registry) => registry.chain(),
        }
    }

    /// Sends an answer, and tells whether it has left. It waits for a datagram socket, and for no
    /// connection: where the queue is full, the answer is lost.
    pub(crate) async fn reply(&self, packet: Packet, peer: Peer) -> Result<Flow<()>, SendError> {
        match &self.way {
            #[cfg(feature = "net")]
            Way::Udp(link) => link.reply(packet, peer).await,
            #[cfg(all(unix, feature = "net"))]
            Way::UnixDatagram(link) => link.send_to(packet, peer),
            Way::Connections(registry) => {
                let outbox = registry.outbox(peer)?;
                match registry.pass_out(packet, peer)? {
                    Some(frame) => outbox.push(frame).map(Flow::Pass),
                    None => Ok(Flow::Drop),
                }
            }
        }
    }

    /// Whether the channel must be polled for answers to leave.
    pub(crate) fn needs_polling(&self) -> bool {
        self.registry().is_some()
    }

    /// Reads nothing more, so that the answers to what was read can still leave.
    pub(crate) fn stop_reading(&self) {
        if let Some(registry) = self.registry() {
            registry.stop_reading();
        }
    }

    fn registry(&self) -> Option<&Arc<Registry>> {
        match &self.way {
            #[cfg(feature = "net")]
            Way::Udp(_) => None,
            #[cfg(all(unix, feature = "net"))]
            Way::UnixDatagram(_) => None,
            Way::Connections(registry) => Some(registry),
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("connections", &self.connections().len()).finish()
    }
}
