//! What is known of a packet besides its bytes.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::types::TimeTag;
use crate::wire::Repairs;

/// What is known of a packet besides its bytes: where it came from, by which channel, and when.
///
/// Every packet of a channel's stream comes with one, and a handler gets it as an extractor.
///
/// ```
/// use tokio_osc::{Meta, Peer};
///
/// let meta = Meta::from_peer(Peer::from(([127, 0, 0, 1], 9000)));
/// assert_eq!(meta.peer.to_string(), "127.0.0.1:9000");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Meta {
    /// Who sent it.
    pub peer: Peer,
    /// The name of the channel that received it; empty before a server has given it one.
    pub channel: Arc<str>,
    /// When it was read from the socket, by the system clock.
    pub received_at: SystemTime,
    /// The time tag of the bundle that a message came in; `None` for a message on its own.
    pub time_tag: Option<TimeTag>,
    /// How long after its time tag it runs; zero for what is not timed.
    pub lateness: Duration,
    /// The name under which its bundle waited; `None` for what did not wait.
    pub schedule_id: Option<ScheduleId>,
    /// What was tolerated when it was decoded.
    pub repairs: Repairs,
}

impl Meta {
    /// Of a packet that arrives now.
    pub fn from_peer(peer: Peer) -> Self {
        Self {
            peer,
            channel: Arc::default(),
            received_at: SystemTime::now(),
            time_tag: None,
            lateness: Duration::ZERO,
            schedule_id: None,
            repairs: Repairs::default(),
        }
    }
}

/// The name of a bundle that waits for its time, or that did.
///
/// No other bundle of the same server ever has the same. A handler finds it in
/// [`Meta::schedule_id`], `ServerHandle::pending` lists it, and `ServerHandle::cancel` takes it.
///
/// ```
/// use tokio_osc::{Router, ScheduleId};
///
/// let router = Router::new().route("/cue/*", |id: Option<ScheduleId>| match id {
///     Some(id) => println!("it waited as {id}"),
///     None => println!("it ran when it arrived"),
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScheduleId(u64);

impl ScheduleId {
    /// The name as a number, to be sent or stored.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The name that [`to_bits`](Self::to_bits) gave.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Who sent a packet. The address of a UDP sender is whatever the sender wrote there: it proves
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    address: Option<SocketAddr>,
}

impl Peer {
    /// A peer without an address: the own process, a pipe, a serial line.
    pub const LOCAL: Self = Self { address: None };

    /// The address and port, if the transport has them.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The IP address: what "per peer" means where limits speak of it.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip())
    }
}

impl<A: Into<SocketAddr>> From<A> for Peer {
    fn from(address: A) -> Self {
        Self { address: Some(address.into()) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("local"),
        }
    }
}
