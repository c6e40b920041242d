//! Destinations of packets: a client, many peers of a socket, all connections of a channel.

use std::fmt;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::{Events, Outlet, SendReport};
use crate::client::ClientState;
use crate::packet::{SendError, SendErrorKind};
use crate::{Client, Packet, Peer};
#[cfg(feature = "net")]
use {crate::client::FanOut, tokio::task::unconstrained};

/// A destination of packets: a [`Client`], a [`FanOut`](crate::client::FanOut), an [`Outlet`] (all
/// connections of a channel), or your own type. A [`Node`](crate::Node) gives it a name, a
/// [`Relay`](crate::tools::Relay) forwards to it, and a [`Pacer`](crate::tools::Pacer) limits its rate.
///
/// ```
/// use std::sync::Mutex;
/// use futures::future::{BoxFuture, FutureExt};
/// use tokio_osc::node::{Destination, SendOutcome};
/// use tokio_osc::{Node, Packet};
///
/// /// Keeps the packets.
/// #[derive(Default)]
/// struct Tape(Mutex<Vec<Packet>>);
///
/// impl Destination for Tape {
///     fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
///         async { self.try_send(packet) }.boxed()
///     }
///
///     fn try_send(&self, packet: &Packet) -> SendOutcome {
///         self.0.lock().unwrap().push(packet.clone());
///         SendOutcome::Sent { peers: 1 }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::new();
/// node.add("tape", Tape::default())?;
/// assert!(node.send("tape", ("/take", 1)).await?.is_complete());
/// # Ok(()) }
/// ```
pub trait Destination: Send + Sync + 'static {
    /// Sends an encoded packet, waiting for room.
    ///
    /// # Cancel safety
    /// If the future is dropped, no packet may be sent in part.
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome>;

    /// Sends a packet without waiting, or returns [`SendErrorKind::Full`]. When a name is added, a node sends
    /// the packets that it held for the name with this method; no other name can be added meanwhile.
    fn try_send(&self, packet: &Packet) -> SendOutcome;

    /// Returns `true` if packets would be sent to exactly this peer, so that a relay does not send them back
    /// to their origin. `false` if that is unknown.
    fn is_peer(&self, peer: Peer) -> bool {
        let _ = peer;
        false
    }

    /// Returns the states of the destination, which a node reports in its [`events`](crate::Node::events). The default
    /// has none; a reconnecting client returns its [`states`](Client::states).
    fn states(&self) -> Events<ClientState> {
        Events::default()
    }
}

/// The outcome of a packet for one destination.
///
/// ```
/// use tokio_osc::node::SendOutcome;
/// use tokio_osc::{Channel, Client, Node};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let node = Node::new();
/// node.add("lights", Client::udp(channel.local_addr()?).await?)?;
/// let report = node.send("lights", ("/scene", 3)).await?;
/// assert!(matches!(report.get("lights"), Some(SendOutcome::Sent { peers: 1 })));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SendOutcome {
    /// The operating system has it, or the queue of a connection or of a reconnecting client.
    Sent {
        /// The number of peers: 1 for a client, the connections for an outlet, without those for which the
        /// middleware dropped it.
        peers: usize,
    },
    /// It was sent to some of the peers.
    Partly {
        /// The number of peers to which it was sent.
        sent: usize,
        /// The number of peers to which it was not sent.
        missed: usize,
        /// The error of the first of them.
        error: SendError,
    },
    /// It was not sent.
    Failed(SendError),
    /// There is no channel with this name. The packet waits for one
    /// ([`UnknownNames::Hold`](crate::node::UnknownNames::Hold)).
    Held,
    /// There is no channel with this name. Nothing was sent
    /// ([`UnknownNames::Skip`](crate::node::UnknownNames::Skip)).
    Unknown,
}

impl SendOutcome {
    /// Returns `true` if it was sent to all peers of the destination.
    pub const fn is_sent(&self) -> bool {
        matches!(self, Self::Sent { .. })
    }

    /// Returns the reason why it was not sent, or not to all peers.
    pub const fn error(&self) -> Option<&SendError> {
        match self {
            Self::Partly { error, .. } | Self::Failed(error) => Some(error),
            Self::Sent { .. } | Self::Held | Self::Unknown => None,
        }
    }

    /// Sent to some peers, and missed by others because of an error.
    fn of_peers(sent: usize, missed: usize, error: Option<SendError>) -> Self {
        match error {
            None => Self::Sent { peers: sent },
            Some(error) if sent == 0 => Self::Failed(error),
            Some(error) => Self::Partly { sent, missed, error },
        }
    }

    pub(super) fn full() -> Self {
        Self::Failed(SendErrorKind::Full.into())
    }
}

impl fmt::Display for SendOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { peers: 1 } => f.write_str("sent"),
            Self::Sent { peers } => write!(f, "sent to {peers} peers"),
            Self::Partly { sent, missed, error } => {
                write!(f, "sent to {sent} peers, missed by {missed}: {error}")
            }
            Self::Failed(error) => write!(f, "not sent: {error}"),
            Self::Held => f.write_str("held until there is such a channel"),
            Self::Unknown => f.write_str("no such channel"),
        }
    }
}

impl From<Result<(), SendError>> for SendOutcome {
    fn from(sent: Result<(), SendError>) -> Self {
        sent.map_or_else(Self::Failed, |()| Self::Sent { peers: 1 })
    }
}

impl From<Result<SendReport, SendError>> for SendOutcome {
    fn from(sent: Result<SendReport, SendError>) -> Self {
        sent.map_or_else(Self::Failed, |SendReport { sent, failed, .. }| {
            let missed = failed.len();
            Self::of_peers(sent, missed, failed.into_iter().next().map(|(_, error)| error))
        })
    }
}

/// Waits like [`Client::send`]: if the peer of a connection accepts nothing, it fails after the client's
/// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout).
impl Destination for Client {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async move { Self::send(self, packet).await.into() }.boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        Self::try_send(self, packet).into()
    }

    fn states(&self) -> Events<ClientState> {
        Self::states(self)
    }

    /// Of a datagram client. The peer of a connection is another one than a datagram's, whatever
    /// its port.
    fn is_peer(&self, peer: Peer) -> bool {
        #[cfg(feature = "net")]
        if peer.connection().is_none() && self.monitor().is_some() {
            let same = |a: std::net::SocketAddr, b: std::net::SocketAddr| {
                a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
            };
            return peer.address().zip(self.peer_addr().ok()).is_some_and(|(from, to)| same(from, to));
        }
        let _ = peer;
        false
    }
}

/// Never waits: a connection with a full queue misses the packet.
impl Destination for Outlet {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async move { self.broadcast(packet).into() }.boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        self.broadcast(packet).into()
    }
}

/// Sends to the peers in order, until one would have to be waited for.
#[cfg(feature = "net")]
impl Destination for FanOut {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async move { Self::send(self, packet).await.into() }.boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        let sent = unconstrained(Self::send(self, packet)).now_or_never();
        sent.map_or_else(SendOutcome::full, SendOutcome::from)
    }
}
