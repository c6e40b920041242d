//! The limits and timeouts of byte streams.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};

use crate::middleware::{Chain, Middleware};
use crate::packet::Peer;
use crate::types::Network;
use crate::user_function::{Panicked, UserFunction};
use crate::wire::DecodeOptions;

/// The limits and timeouts of connections.
///
/// The framing limits the size of frames: see [`Slip::max_frame`](crate::Slip::max_frame).
///
/// Maximum memory: [`max_connections`](Self#structfield.max_connections) times the size of an unfinished
/// frame (at most twice `max_frame`) plus [`send_queue`](Self#structfield.send_queue).
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::channel::StreamOptions;
///
/// let options = StreamOptions::default()
///     .max_connections(16)
///     .idle_timeout(Some(Duration::from_secs(60)))
///     .accept_if(|peer| peer.ip().is_some_and(|ip| ip.is_loopback()));
/// # let _ = options;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct StreamOptions {
    /// The limits and tolerance of decoding.
    pub decode: DecodeOptions,
    /// Maximum number of connections. When it is reached, a new connection replaces the longest idle one
    /// ([`idle_gives_way`](Self#structfield.idle_gives_way)), or is closed at once. Default 500.
    pub max_connections: usize,
    /// Maximum number of connections from one IPv4 address or IPv6 network
    /// ([`ipv6_prefix`](Self#structfield.ipv6_prefix)). When it is reached, a new connection replaces an idle one
    /// from there, or is closed at once. Default 64.
    pub max_connections_per_address: usize,
    /// The number of leading bits of an IPv6 address that make one network, whose addresses share one limit: a host
    /// often has all addresses of a /64. Default 64; with 128 each address counts by itself.
    pub ipv6_prefix: u8,
    /// The idle time, without a packet in either direction, after which a connection can be replaced by a new one
    /// when a limit is reached. The longest idle connection is replaced. Default 60 s; with `None` connections are
    /// never replaced.
    pub idle_gives_way: Option<Duration>,
    /// Maximum time from the first byte of a frame to its last. Default 10 s.
    pub in_frame_timeout: Duration,
    /// Maximum time without a frame from the peer. Default `None`: no limit.
    pub idle_timeout: Option<Duration>,
    /// Maximum time during which the peer accepts no data, and for which
    /// [`Outlet::send_to`](crate::channel::Outlet::send_to) waits for space in the queue. Default 10 s.
    pub write_timeout: Duration,
    /// Maximum time to wait, after this side has closed a connection, until the peer has closed it too. Received data
    /// is discarded meanwhile: closing a socket with unread input would send a reset, which destroys the last sent
    /// packets. Zero closes at once. Default 1 s.
    pub linger: Duration,
    /// Maximum bytes of the unfinished frames of all connections of a channel, besides 16 KiB of each connection. While
    /// it is reached, a connection whose frame needs more is not read, and the time limit of the frame
    /// ([`in_frame_timeout`](Self#structfield.in_frame_timeout)) goes on. The buffer of a frame is up to twice as large as
    /// the frame on the wire. The only connection with a large frame is not limited. Default 64 MiB.
    pub frame_memory: usize,
    /// Maximum bytes queued for one connection. Each packet counts 64 bytes more than its length. Default 1 MiB.
    pub send_queue: usize,
    /// Whether TCP sends small packets at once (`TCP_NODELAY`). Default `true`.
    pub nodelay: bool,
    /// The idle time after which TCP sends keep-alive probes, one in each quarter of it. Three probes without an
    /// answer end the connection. On Linux and Android, sent data that is not acknowledged ends it after the same
    /// time, 105 s by default. Default 60 s; `None` turns it off, and so does more than 32,767 s on Linux, which
    /// accepts no more.
    pub keepalive: Option<Duration>,
    pub(crate) gate: Option<Gate>,
    pub(crate) chain: Chain,
}

type Gate = Arc<dyn Fn(Peer) -> BoxFuture<'static, Result<bool, Panicked>> + Send + Sync>;

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            decode: DecodeOptions::default(),
            max_connections: 500,
            max_connections_per_address: 64,
            ipv6_prefix: Network::IPV6_PREFIX,
            idle_gives_way: Some(Duration::from_secs(60)),
            in_frame_timeout: Duration::from_secs(10),
            idle_timeout: None,
            write_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            frame_memory: 64 * 1_024 * 1_024,
            send_queue: 1_024 * 1_024,
            nodelay: true,
            keepalive: Some(Duration::from_secs(60)),
            gate: None,
            chain: Chain::default(),
        }
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        pub fn $name(mut self, value: $type) -> Self {
            self.$name = value;
            self
        }
    )*};
}

impl StreamOptions {
    setters! {
        decode: DecodeOptions,
        max_connections: usize,
        max_connections_per_address: usize,
        ipv6_prefix: u8,
        idle_gives_way: Option<Duration>,
        in_frame_timeout: Duration,
        idle_timeout: Option<Duration>,
        write_timeout: Duration,
        linger: Duration,
        frame_memory: usize,
        send_queue: usize,
        nodelay: bool,
        keepalive: Option<Duration>,
    }

    /// Decides for each connection whether it is accepted, before any data is read. The function returns a
    /// `bool` or a future of one, which must be ready within
    /// [`in_frame_timeout`](Self#structfield.in_frame_timeout); other connections are accepted meanwhile. If the
    /// function panics, the connection is refused ([`Refusal::Panicked`](crate::channel::Refusal::Panicked)). By
    /// default all are accepted.
    pub fn accept_if<V, K>(mut self, gate: impl Fn(Peer) -> V + Send + Sync + 'static) -> Self
    where
        V: Verdict<K>,
    {
        let user = Arc::new(UserFunction::new("StreamOptions::accept_if"));
        self.gate = Some(Arc::new(move |peer| match user.call(|| gate(peer).into_future()) {
            Ok(verdict) => {
                let user = Arc::clone(&user);
                async move { user.wait(verdict).await }.boxed()
            }
            Err(panicked) => ready(Err(panicked)).boxed(),
        }));
        self
    }

    /// Adds a layer between frames and packets, in both directions. The first one added is next to the wire. All
    /// connections share it.
    ///
    /// ```
    /// use tokio_osc::channel::StreamOptions;
    /// use tokio_osc::middleware::AllowedTypeTags;
    /// use tokio_osc::packet::TypeTagSet;
    /// use tokio_osc::{Channel, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plain = TypeTagSet::of("ifsb").expect("four type tags");
    /// let options = StreamOptions::default().middleware(AllowedTypeTags::new(plain));
    /// let channel = Channel::tcp_with("127.0.0.1:0", Slip::new(), options).await?;
    /// # drop(channel);
    /// # Ok(()) }
    /// ```
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.chain.push(layer);
        self
    }
}

impl fmt::Debug for StreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOptions")
            .field("max_connections", &self.max_connections)
            .field("max_connections_per_address", &self.max_connections_per_address)
            .field("ipv6_prefix", &self.ipv6_prefix)
            .field("idle_gives_way", &self.idle_gives_way)
            .field("in_frame_timeout", &self.in_frame_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("write_timeout", &self.write_timeout)
            .field("linger", &self.linger)
            .field("frame_memory", &self.frame_memory)
            .field("send_queue", &self.send_queue)
            .field("accept_if", &self.gate.is_some())
            .field("middleware", &self.chain)
            .finish_non_exhaustive()
    }
}

/// The result of the function for [`accept_if`](StreamOptions::accept_if): a `bool`, or a future of one. `K`
/// only distinguishes the two.
///
/// ```
/// use std::net::IpAddr;
/// use tokio_osc::channel::StreamOptions;
///
/// async fn is_known(ip: Option<IpAddr>) -> bool {
///     ip.is_some_and(|ip| ip.is_loopback())              // or ask a database
/// }
///
/// let at_once = StreamOptions::default().accept_if(|peer| peer.ip().is_some());
/// let later = StreamOptions::default().accept_if(|peer| is_known(peer.ip()));
/// # drop((at_once, later));
/// ```
pub trait Verdict<K> {
    /// The result as a future.
    fn into_future(self) -> BoxFuture<'static, bool>;
}

/// Marks a function that returns a `bool`.
#[derive(Debug)]
pub struct VerdictAtOnce;

/// Marks a function that returns a future.
#[derive(Debug)]
pub struct VerdictLater;

impl Verdict<VerdictAtOnce> for bool {
    fn into_future(self) -> BoxFuture<'static, bool> {
        ready(self).boxed()
    }
}

impl<V: Future<Output = bool> + Send + 'static> Verdict<VerdictLater> for V {
    fn into_future(self) -> BoxFuture<'static, bool> {
        self.boxed()
    }
}
