//! Where a packet came from, by which channel, and when.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Peer;
use crate::types::{ClockOffset, TimeTag};
use crate::wire::Repairs;

/// Information about a packet besides its bytes: where it came from, by which channel, and when.
///
/// A channel yields one with every packet, and a handler takes it as a parameter.
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
    /// The sender, and the address of this host that it sent to ([`Peer::local_ip`]).
    pub peer: Peer,
    /// The time at which the packet was read from the socket, by the system clock.
    pub received_at: SystemTime,
    /// The time tag of the bundle around the message. `None` for a message on its own.
    pub time_tag: Option<TimeTag>,
    /// How long after its time tag the message runs. Zero without a time tag.
    pub lateness: Duration,
    pub(crate) channel: Option<Arc<str>>,
    pub(crate) work: Work,
    rare: Option<Box<Rare>>,
}

/// Data that few packets have. Behind a pointer, so that `Meta` is small to move.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    schedule_id: Option<ScheduleId>,
    repairs: Repairs,
    time: TimeOverrides,
    peer_name: Option<Arc<str>>,
}

/// Keeps a connection open for replies while one of its packets is being handled. All values are equal, because it is
/// not a property of the packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work(
    #[expect(dead_code, reason = "it is held, and never read")] pub(crate) Option<Arc<dyn Any + Send + Sync>>,
);

impl PartialEq for Work {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Meta {
    /// Creates the metadata of a packet that this peer sent and that is received now.
    pub fn from_peer(peer: Peer) -> Self {
        Self {
            peer,
            channel: None,
            received_at: SystemTime::now(),
            time_tag: None,
            lateness: Duration::ZERO,
            work: Work::default(),
            rare: None,
        }
    }

    /// Returns the name of the channel that received the packet. Empty until a server has set it.
    #[inline]
    pub fn channel(&self) -> &str {
        self.channel.as_deref().unwrap_or_default()
    }

    /// Same as [`channel`](Meta::channel), as an `Arc` that can be kept without copying the text.
    pub fn channel_name(&self) -> Arc<str> {
        self.channel.clone().unwrap_or_default()
    }

    /// Sets the name of the channel, for packets that were received by another transport.
    pub fn set_channel(&mut self, name: impl Into<Arc<str>>) {
        self.channel = Some(name.into());
    }

    /// Returns the id under which the bundle waited in the schedule. `None` if it did not wait.
    pub fn schedule_id(&self) -> Option<ScheduleId> {
        self.rare.as_ref()?.schedule_id
    }

    pub(crate) fn set_schedule_id(&mut self, id: Option<ScheduleId>) {
        if self.rare.is_some() || id.is_some() {
            self.rare_mut().schedule_id = id;
        }
    }

    /// Returns the repairs of the decoder: violations of the specification that it tolerated in this packet.
    #[inline]
    pub fn repairs(&self) -> &Repairs {
        static NONE: Repairs = Repairs::NONE;
        self.rare.as_ref().map_or(&NONE, |rare| &rare.repairs)
    }

    /// The same, if there is something: for what looks at each packet.
    pub(crate) fn tolerated(&self) -> Option<&Repairs> {
        self.rare.as_ref().map(|rare| &rare.repairs).filter(|repairs| !repairs.is_none())
    }

    /// Sets the repairs, for packets that were decoded elsewhere and are fed to a server.
    pub fn set_repairs(&mut self, repairs: Repairs) {
        if self.rare.is_some() || !repairs.is_none() {
            self.rare_mut().repairs = repairs;
        }
    }

    /// Returns the time options of this packet that differ from those of its channel.
    pub fn time(&self) -> TimeOverrides {
        self.rare.as_ref().map(|rare| rare.time).unwrap_or_default()
    }

    /// Changes the time options of this packet. For middleware: a server reads them when the packet arrives.
    pub fn time_mut(&mut self) -> &mut TimeOverrides {
        &mut self.rare_mut().time
    }

    #[cfg(feature = "net")]
    pub(crate) fn set_peer_name(&mut self, name: Option<Arc<str>>) {
        if self.rare.is_some() || name.is_some() {
            self.rare_mut().peer_name = name;
        }
    }

    #[cold]
    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Returns the name of the connection that received the packet: the name of the channel, a dot, and the number of
    /// the connection. `None` for packets without a connection, such as datagrams.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::{Channel, Client, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (here, there) = tokio::io::duplex(64);
    /// Client::io(there, Slip::new()).send(("/ping", ())).await?;
    /// let (_, mut meta) = Channel::io(here, Slip::new()).next().await.expect("the pipe is open");
    /// meta.set_channel("stage");
    /// assert_eq!(meta.connection_name().as_deref(), Some("stage.1"));
    /// # Ok(()) }
    /// ```
    pub fn connection_name(&self) -> Option<String> {
        self.peer.connection().map(|id| format!("{}.{id}", self.channel()))
    }

    /// Returns the name of the sender, if the channel has [names](crate::channel::PeerNames) and this sender has one.
    pub fn peer_name(&self) -> Option<&str> {
        self.rare.as_ref()?.peer_name.as_deref()
    }
}

/// Time options of a single packet, and of all bundles in it. Each that is `Some` overrides that of its channel
/// ([`TimeOptions`](crate::schedule::TimeOptions)).
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::middleware::{Flow, Middleware};
/// use tokio_osc::packet::DecodeError;
/// use tokio_osc::{Meta, Packet};
///
/// /// Runs bundles from the local network at once.
/// struct Hasty;
///
/// impl Middleware for Hasty {
///     fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
///         if meta.peer.ip().is_some_and(|ip| ip.is_loopback()) {
///             meta.time_mut().honor_time_tags = Some(false);
///         } else {
///             meta.time_mut().drop_later_than = Some(Duration::from_millis(20));
///         }
///         Ok(Flow::Pass(packet))
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOverrides {
    /// Whether bundles wait for their time tag.
    pub honor_time_tags: Option<bool>,
    /// The offset of the sender's clock, which is added to incoming time tags. For the time tags of replies the offset
    /// of the channel applies.
    pub clock_offset: Option<ClockOffset>,
    /// Bundles that are later than this are dropped and counted; one exactly this late runs. It
    /// overrides any [`LatePolicy`](crate::schedule::LatePolicy); `Duration::MAX` lets every bundle run.
    pub drop_later_than: Option<Duration>,
    /// Whether the packet is refused if a bundle in it is due before the bundle around it.
    pub check_inner_time_tags: Option<bool>,
}

/// The id of a bundle that waits for its time, or that waited. Ids of a server are never reused.
///
/// A handler reads it from [`Meta::schedule_id`], `ServerHandle::pending` lists it, and `ServerHandle::cancel` takes
/// it.
///
/// ```
/// use tokio_osc::packet::ScheduleId;
/// use tokio_osc::Router;
///
/// let router = Router::new().route("/cue/*", |id: Option<ScheduleId>| match id {
///     Some(id) => println!("it waited as {id}"),
///     None => println!("it ran when it arrived"),
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScheduleId(u64);

impl ScheduleId {
    /// Returns the id as a number, to be sent or stored.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Creates an id from the number returned by [`to_bits`](Self::to_bits).
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
