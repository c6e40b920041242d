//! Peers that asked for pushes, for as long as they ask.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::send_now::send_now;
use crate::channel::{Outlet, SendReport};
use crate::lock::lock;
use crate::packet::{IntoPacket, SendError, SendErrorKind};
use crate::{Meta, Packet, Peer};

/// The peers that are pushed to: those who asked for it, until they take it back, or have not asked again
/// for a while. For datagrams, where there is no connection that could end; connections can subscribe, too.
///
/// ```
/// use tokio_osc::tools::Subscribers;
/// use tokio_osc::{Args, Channel, Client, Message, Peer, Router, Server, State};
///
/// /// A fader was moved: all others show it. The one that moved it knows.
/// async fn moved(State(others): State<Subscribers>, from: Peer, message: Message) {
///     others.send_except(from, message).ok();
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let address = channel.local_addr()?;
/// let subscribers = Subscribers::new().channel("desk", channel.outlet());
/// let router = Router::with_state(subscribers.clone())
///     .route("/subscribe", subscribers.subscribe())
///     .route("/unsubscribe", subscribers.unsubscribe())
///     .route("/fader/*", moved)
///     .route("/sync", || ("/synced", ()));
/// let server = Server::new(router).listen("desk", channel).spawn();
///
/// let (tablet, phone) = (Client::udp(address).await?, Client::udp(address).await?);
/// let mut faders = phone.subscribe("/fader/*");
/// phone.send(("/subscribe", ())).await?;
/// phone.request(("/sync", ()), "/synced").await?;        // datagrams keep no order with others
/// tablet.send(("/fader/1", 0.5_f32)).await?;
/// assert_eq!(faders.recv().await.expect("it subscribed").to_string(), "/fader/1 ,f 0.5");
///
/// subscribers.send(("/meter", 0.25_f32))?;               // from anywhere
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
///
/// | limit | default | because |
/// | --- | --- | --- |
/// | [`expire_after`](Self::expire_after) | 10 s | a peer over UDP that is switched off says nothing |
/// | [`capacity`](Self::capacity) | 256 | each push costs as many packets |
/// | [`per_network`](Self::per_network) | 16 | one host must not take all places |
///
/// The sender of a datagram can be forged: whoever sends one `/subscribe` in another's name directs the
/// pushes of 10 s at it. Push small packets, or let peers prove themselves with an
/// [`Envelope`](crate::middleware::Envelope). Cloning it is a reference count.
#[derive(Clone)]
pub struct Subscribers {
    options: SubscribersOptions,
    outlets: Vec<(Arc<str>, Outlet)>,
    subscribed: Arc<Mutex<Subscribed>>,
}

#[derive(Clone, Copy)]
struct SubscribersOptions {
    expire_after: Duration,
    capacity: usize,
    per_network: usize,
}

/// Who is pushed to by which channel, and until when.
type Subscribed = HashMap<(Arc<str>, Peer), Instant>;

impl Subscribers {
    /// Without channels.
    pub fn new() -> Self {
        let options =
            SubscribersOptions { expire_after: Duration::from_secs(10), capacity: 256, per_network: 16 };
        Self { options, outlets: Vec::new(), subscribed: Arc::default() }
    }

    /// Takes subscriptions from a channel, and pushes by it. The name is the one that the server is given.
    /// Clones that were made before do not know the channel.
    pub fn channel(mut self, name: impl Into<Arc<str>>, outlet: Outlet) -> Self {
        self.outlets.push((name.into(), outlet));
        self
    }

    /// How long a subscription lasts from the last time that the peer has asked for it. Default 10 s, as
    /// mixers over UDP have it; `Duration::MAX` keeps it until it is taken back, or its connection has ended.
    pub fn expire_after(mut self, time: Duration) -> Self {
        self.options.expire_after = time;
        self
    }

    /// How many peers can be subscribed at a time. Default 256.
    pub fn capacity(mut self, peers: usize) -> Self {
        self.options.capacity = peers;
        self
    }

    /// How many of them can have the same IPv4 address, or be of the same IPv6 /64. Default 16.
    pub fn per_network(mut self, peers: usize) -> Self {
        self.options.per_network = peers;
        self
    }

    /// A handler: who sends to its route is subscribed, or renews its subscription. One that is refused is a
    /// failed call.
    pub fn subscribe(&self) -> impl Fn(Meta) -> Result<(), SubscribeError> + Clone + Send + Sync + use<> {
        let subscribers = self.clone();
        move |meta| subscribers.add(&meta)
    }

    /// A handler: who sends to its route is not subscribed any more.
    pub fn unsubscribe(&self) -> impl Fn(Meta) + Clone + Send + Sync + use<> {
        let subscribers = self.clone();
        move |meta| {
            subscribers.remove(&meta);
        }
    }

    /// Subscribes the sender of a message, or renews its subscription: for a handler of your own, which may
    /// answer with the state of things.
    ///
    /// # Errors
    /// All places are taken, or the message came by another channel.
    pub fn add(&self, meta: &Meta) -> Result<(), SubscribeError> {
        let name = meta.channel_name();
        if !self.outlets.iter().any(|(known, _)| *known == name) {
            return Err(SubscribeError::OtherChannel(name));
        }
        let SubscribersOptions { expire_after, capacity, per_network } = self.options;
        let now = Instant::now();
        // A subscription that lasts longer than the clock goes ends in a century.
        let expires = now.checked_add(expire_after).unwrap_or_else(|| now + FOREVER);
        let mut subscribed = self.subscribed();
        let key = (name, meta.peer);
        if let Some(known) = subscribed.get_mut(&key) {
            *known = expires;
            return Ok(());
        }
        subscribed.retain(|_, expires| *expires > now);
        let same = |(_, peer): &&(Arc<str>, Peer)| network(*peer) == network(meta.peer);
        if subscribed.keys().filter(same).count() >= per_network {
            return Err(SubscribeError::NetworkFull);
        }
        if subscribed.len() >= capacity {
            return Err(SubscribeError::Full);
        }
        subscribed.insert(key, expires);
        Ok(())
    }

    /// Takes the subscription of the sender of a message back; whether there was one.
    pub fn remove(&self, meta: &Meta) -> bool {
        let expires = self.subscribed().remove(&(meta.channel_name(), meta.peer));
        expires.is_some_and(|expires| expires > Instant::now())
    }

    /// Who is subscribed.
    pub fn peers(&self) -> Vec<Peer> {
        self.targets().into_iter().map(|(_, peer)| peer).collect()
    }

    /// Sends a packet to all. It never waits: a peer for which there is no room now misses the packet, and is
    /// named in the report. One whose connection has ended is not subscribed any more.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn send(&self, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        Ok(self.push(&packet.into_packet()?, None))
    }

    /// Sends a packet to all but one: the peer that caused it, and would otherwise hear its own echo.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn send_except(&self, origin: Peer, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        Ok(self.push(&packet.into_packet()?, Some(origin)))
    }

    fn push(&self, packet: &Packet, except: Option<Peer>) -> SendReport {
        let mut report = SendReport::default();
        for (name, peer) in self.targets() {
            let Some((_, outlet)) = self.outlets.iter().find(|(known, _)| *known == name) else { continue };
            if except == Some(peer) {
                continue;
            }
            match send_now(outlet, peer, packet) {
                Ok(()) => report.sent += 1,
                Err(error) => {
                    if error.kind() == SendErrorKind::Closed {
                        self.subscribed().remove(&(name, peer));
                    }
                    report.failed.push((peer, error));
                }
            }
        }
        report
    }

    /// Those who are subscribed now. The lock is not held while they are sent to.
    fn targets(&self) -> Vec<(Arc<str>, Peer)> {
        let now = Instant::now();
        let mut subscribed = self.subscribed();
        subscribed.retain(|_, expires| *expires > now);
        subscribed.keys().cloned().collect()
    }

    fn subscribed(&self) -> MutexGuard<'_, Subscribed> {
        lock(&self.subscribed)
    }
}

/// The end of a subscription without one.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What shares a limit: an IPv4 address, an IPv6 /64, of which a host may have all addresses. Peers without an
/// address, such as those of Unix sockets, are one.
fn network(peer: Peer) -> Option<IpAddr> {
    let ip = peer.ip()?.to_canonical();
    let IpAddr::V6(v6) = ip else { return Some(ip) };
    Some(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into())
}

impl Default for Subscribers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscribers").field(&self.peers()).finish()
    }
}

/// Why a peer was not subscribed.
///
/// ```
/// use tokio_osc::tools::SubscribeError;
///
/// assert_eq!(SubscribeError::Full.to_string(), "as many peers are subscribed as may be");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The [capacity](Subscribers::capacity) is reached.
    Full,
    /// As many peers [of this network](Subscribers::per_network) are subscribed as may be.
    NetworkFull,
    /// The message came by this channel, which the [`Subscribers`] do not [have](Subscribers::channel).
    OtherChannel(Arc<str>),
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("as many peers are subscribed as may be"),
            Self::NetworkFull => f.write_str("as many peers of this network are subscribed as may be"),
            Self::OtherChannel(name) => {
                write!(
                    f,
                    "subscriptions are not taken from the channel {name:?}: add it with `Subscribers::channel`"
                )
            }
        }
    }
}

impl std::error::Error for SubscribeError {}
