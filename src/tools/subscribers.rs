//! Peers that subscribe to pushes, until they unsubscribe or their subscription expires.

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

/// Sends packets to subscribers. A peer subscribes with a message, and renews its subscription with another;
/// otherwise it expires. Use it for datagrams, where no connection ends when a peer is gone. Peers on connections can
/// subscribe too.
///
/// ```
/// use tokio_osc::tools::Subscribers;
/// use tokio_osc::{Channel, Client, Message, Peer, Router, Server, State};
///
/// /// All other subscribers show the moved fader.
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
/// phone.request(("/sync", ()), "/synced").await?;        // the subscription came before this
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
/// | [`expire_after`](Self::expire_after) | 10 s | a peer over UDP that is switched off sends nothing |
/// | [`capacity`](Self::capacity) | 256 | each push sends this number of packets |
/// | [`per_network`](Self::per_network) | 16 | one host must not take all places |
///
/// The sender of a datagram can be forged: a forged `/subscribe` directs the pushes of 10 s at another host. Push
/// small packets, or authenticate the peers with an [`Envelope`](crate::middleware::Envelope).
///
/// Clones share the subscriptions.
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

/// When each subscription expires, by channel and peer.
type Subscribed = HashMap<(Arc<str>, Peer), Instant>;

impl Subscribers {
    /// Creates a set without channels or subscribers.
    pub fn new() -> Self {
        let options =
            SubscribersOptions { expire_after: Duration::from_secs(10), capacity: 256, per_network: 16 };
        Self { options, outlets: Vec::new(), subscribed: Arc::default() }
    }

    /// Adds a channel whose peers can subscribe. `name` is its name in the server. Must be called before the value is
    /// cloned or its handlers are created, because these keep the channels that were added before.
    pub fn channel(mut self, name: impl Into<Arc<str>>, outlet: Outlet) -> Self {
        self.outlets.push((name.into(), outlet));
        self
    }

    /// Sets how long a subscription lasts after its last renewal. Default 10 s, as in mixers over UDP.
    /// `Duration::MAX` keeps it until the peer unsubscribes or its connection ends.
    pub fn expire_after(mut self, time: Duration) -> Self {
        self.options.expire_after = time;
        self
    }

    /// Sets how many peers can be subscribed. Default 256.
    pub fn capacity(mut self, peers: usize) -> Self {
        self.options.capacity = peers;
        self
    }

    /// Sets how many of them can have the same IPv4 address or IPv6 /64. Default 16.
    pub fn per_network(mut self, peers: usize) -> Self {
        self.options.per_network = peers;
        self
    }

    /// Returns a handler that subscribes the sender, or renews its subscription. If that is refused, the call fails and
    /// is traced.
    pub fn subscribe(&self) -> impl Fn(Meta) -> Result<(), SubscribeError> + Clone + Send + Sync + use<> {
        let subscribers = self.clone();
        move |meta| subscribers.add(&meta)
    }

    /// Returns a handler that ends the subscription of the sender.
    pub fn unsubscribe(&self) -> impl Fn(Meta) + Clone + Send + Sync + use<> {
        let subscribers = self.clone();
        move |meta| {
            subscribers.remove(&meta);
        }
    }

    /// Subscribes the sender of a message, or renews its subscription. For your own handler, which may reply with the
    /// current values.
    ///
    /// # Errors
    /// Returns an error if a limit is reached, or the message came by a channel that was not added.
    pub fn add(&self, meta: &Meta) -> Result<(), SubscribeError> {
        let name = meta.channel_name();
        if !self.outlets.iter().any(|(known, _)| *known == name) {
            return Err(SubscribeError::OtherChannel(name));
        }
        let SubscribersOptions { expire_after, capacity, per_network } = self.options;
        let now = Instant::now();
        // `Duration::MAX` is beyond the range of the clock.
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

    /// Ends the subscription of the sender of a message. Returns `false` if it was not subscribed.
    pub fn remove(&self, meta: &Meta) -> bool {
        let expires = self.subscribed().remove(&(meta.channel_name(), meta.peer));
        expires.is_some_and(|expires| expires > Instant::now())
    }

    /// Returns the subscribed peers, in no order.
    pub fn peers(&self) -> Vec<Peer> {
        self.targets().into_iter().map(|(_, peer)| peer).collect()
    }

    /// Sends a packet to all subscribers. It never waits: a peer whose queue or socket is full misses the packet and
    /// is listed in the report. A peer whose connection has ended is removed.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
    pub fn send(&self, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        Ok(self.push(&packet.into_packet()?, None))
    }

    /// Sends a packet to all subscribers except `origin`, the peer that caused it, so that it gets no echo.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
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

    /// The subscriptions that have not expired. A copy, so that the lock is not held while packets are sent.
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

/// The time of a subscription without an end.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The network that shares a limit: an IPv4 address, or an IPv6 /64, because one host may own all its addresses.
/// Peers without an IP address, such as those of Unix sockets, share one.
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

/// The reason why a peer was not subscribed.
///
/// ```
/// use tokio_osc::tools::SubscribeError;
///
/// assert_eq!(SubscribeError::Full.to_string(), "the limit of subscribers is reached");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The [capacity](Subscribers::capacity) is reached.
    Full,
    /// The limit [for one network](Subscribers::per_network) is reached.
    NetworkFull,
    /// The message came by this channel, which was not [added](Subscribers::channel).
    OtherChannel(Arc<str>),
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the limit of subscribers is reached"),
            Self::NetworkFull => f.write_str("the limit of subscribers from this network is reached"),
            Self::OtherChannel(name) => {
                write!(
                    f,
                    "peers cannot subscribe by the channel {name:?}: add it with `Subscribers::channel`"
                )
            }
        }
    }
}

impl std::error::Error for SubscribeError {}

readable! { enum SubscribeError { Full, NetworkFull, OtherChannel(name) } }
