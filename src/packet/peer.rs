//! The sender of a packet.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZeroU64;

/// The sender of a packet: an address, a connection of the channel, or both. The address of a UDP sender can
/// be forged.
///
/// `Display` writes the address and `#` with the connection: `127.0.0.1:9000#3`.
///
/// ```
/// use tokio_osc::Peer;
///
/// let peer = Peer::from(([127, 0, 0, 1], 9000));
/// assert_eq!(peer.address().map(|address| address.port()), Some(9000));
/// assert_eq!(Peer::LOCAL.ip(), None);
/// ```
#[derive(Clone, Copy)]
pub struct Peer(Place);

/// Packed into 40 bytes, because a peer moves with every packet: an IPv6 datagram has two addresses, and leaves no
/// room for a flow label.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "net"), expect(dead_code, reason = "UDP sockets know what was asked"))]
enum Place {
    Local(Option<ConnectionId>),
    V4(SocketAddrV4, Option<ConnectionId>),
    V6(SocketAddrV6, Option<ConnectionId>),
    /// The sender of a datagram, and the address of this host that it was sent to.
    AskingV4 {
        address: SocketAddrV4,
        local: Ipv4Addr,
    },
    AskingV6 {
        ip: Ipv6Addr,
        port: u16,
        scope_id: u32,
        local: Ipv6Addr,
    },
}

impl Peer {
    /// A peer without an address: this process, a pipe, a serial line.
    pub const LOCAL: Self = Self::new(None, None);

    const fn new(address: Option<SocketAddr>, connection: Option<ConnectionId>) -> Self {
        Self(match address {
            None => Place::Local(connection),
            Some(SocketAddr::V4(address)) => Place::V4(address, connection),
            Some(SocketAddr::V6(address)) => Place::V6(address, connection),
        })
    }

    /// Returns the address and port, if the transport has them.
    pub const fn address(&self) -> Option<SocketAddr> {
        match self.0 {
            Place::Local(_) => None,
            Place::V4(address, _) | Place::AskingV4 { address, .. } => Some(SocketAddr::V4(address)),
            Place::V6(address, _) => Some(SocketAddr::V6(address)),
            Place::AskingV6 { ip, port, scope_id, .. } => {
                Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope_id)))
            }
        }
    }

    /// Returns the IP address. Limits per peer apply to an IPv4 address, or to the network of an IPv6 address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address().map(|address| address.ip())
    }

    /// Returns the connection, if the transport has connections.
    pub const fn connection(&self) -> Option<ConnectionId> {
        match self.0 {
            Place::Local(connection) | Place::V4(_, connection) | Place::V6(_, connection) => connection,
            Place::AskingV4 { .. } | Place::AskingV6 { .. } => None,
        }
    }

    /// Returns the address of this host that the datagram was sent to. Replies, and everything else that the channel
    /// sends to this peer, leave from it: many peers do not accept a reply from another address than the one that
    /// they sent to.
    ///
    /// It is known on Linux and Android, for UDP channels that are bound to every address (`0.0.0.0`, `[::]`, `*`).
    /// A socket bound to one address sends from that. For a datagram to a multicast group or a broadcast it is the
    /// address that the system replies from (IPv4), or `None` (IPv6). Comparisons ignore it.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use tokio_osc::{Channel, Client};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let mut channel = Channel::udp("0.0.0.0:0").await?;
    /// let port = channel.local_addr()?.port();
    /// let client = Client::udp((Ipv4Addr::LOCALHOST, port)).await?;
    /// client.send(("/ping", 7)).await?;
    ///
    /// let (_, meta) = channel.recv().await.expect("the channel is open");
    /// # #[cfg(target_os = "linux")]
    /// assert_eq!(meta.peer.local_ip(), Some(Ipv4Addr::LOCALHOST.into()));
    /// # Ok(()) }
    /// ```
    pub const fn local_ip(&self) -> Option<IpAddr> {
        match self.0 {
            Place::Local(_) | Place::V4(..) | Place::V6(..) => None,
            Place::AskingV4 { local, .. } => Some(IpAddr::V4(local)),
            Place::AskingV6 { local, .. } => Some(IpAddr::V6(local)),
        }
    }

    pub(crate) const fn with_connection(self, id: ConnectionId) -> Self {
        Self::new(self.address(), Some(id))
    }

    /// The same address, with the one of this host that it has sent to.
    #[cfg(feature = "net")]
    pub(crate) const fn with_local_ip(self, local: Option<IpAddr>) -> Self {
        match (self.address(), local) {
            (Some(SocketAddr::V4(address)), Some(IpAddr::V4(local))) => {
                Self(Place::AskingV4 { address, local })
            }
            (Some(SocketAddr::V6(peer)), Some(IpAddr::V6(local))) if peer.flowinfo() == 0 => {
                let (ip, port, scope_id) = (*peer.ip(), peer.port(), peer.scope_id());
                Self(Place::AskingV6 { ip, port, scope_id, local })
            }
            _ => self,
        }
    }

    /// What makes two peers equal.
    const fn key(&self) -> (Option<SocketAddr>, Option<ConnectionId>) {
        (self.address(), self.connection())
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Peer {}

impl Hash for Peer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Peer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Peer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<A: Into<SocketAddr>> From<A> for Peer {
    fn from(address: A) -> Self {
        Self::new(Some(address.into()), None)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => address.fmt(f)?,
            None => f.write_str("local")?,
        }
        self.connection().map_or(Ok(()), |id| write!(f, "#{id}"))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address())
            .field("connection", &self.connection())
            .field("local_ip", &self.local_ip())
            .finish()
    }
}

/// The number of a connection in its channel, from 1. Numbers are not reused.
///
/// ```
/// use tokio_osc::{Channel, Client, Peer, Router, Server, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let client = Client::tcp(channel.local_addr()?, Slip::new()).await?;
/// let router = Router::new().route("/who", |peer: Peer| {
///     let number = peer.connection().map_or(0, |connection| connection.get());
///     ("/you", i64::try_from(number).unwrap_or(i64::MAX))
/// });
/// let server = Server::new(router).listen("stage", channel).spawn();
/// assert_eq!(client.request(("/who", ()), "/you").await?.parse::<i64>()?, 1);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(NonZeroU64);

impl ConnectionId {
    /// The first of a channel.
    pub(crate) const FIRST: Self = Self(NonZeroU64::MIN);

    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
