//! The server, before it runs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::backlog::BacklogLimits;
use super::channels::{ChannelMap, ChannelSpec};
use super::core::{Core, LoopEnd, LoopOptions, Start, run};
use super::dispatch::{Dispatcher, PacketLimits};
use super::events::CHANNEL;
use super::schedule::SharedSchedule;
use super::throttles::Throttles;
use super::{ChannelError, ChannelErrorKind, ChannelEvents, ServerHandle, Shutdown};
use crate::channel::Channel;
use crate::dispatch::{Dispatch, Namespace, ReplyLimits, Router, SourceRate, Subscription};
use crate::packet::{Meta, Overflow, Packet};
use crate::pattern::{Pattern, PatternError};
use crate::schedule::{Clock, Precision, ScheduleLimits, SystemClock, TimeOptions};
use crate::types::Address;
use crate::wire::DecodeError;

/// Default capacity of the inbox.
const INBOX: BacklogLimits = BacklogLimits { packets: 1_024, bytes: 16 * 1_024 * 1_024 };
/// Default limit of handler calls for one packet.
const MAX_CALLS: usize = 16_384;
/// Default limit of matching steps for one packet.
const MAX_STEPS: usize = 1 << 25;
/// Steps of matching that one source may cause in a second by default.
const SOURCE_STEPS: u32 = 1 << 28;

/// Reads channels and calls the handlers of a router.
///
/// Packets are handled one after the other, in the order of arrival. The messages of a bundle run together,
/// at its time tag. While a handler is pending, the server reads on.
///
/// ```
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/synth/*/freq", |Args(hz): Args<f32>| println!("{hz} Hz"));
/// let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?);
/// let address = server.local_addr("udp").expect("this channel exists");
/// let server = server.spawn();
///
/// Client::udp(address).await?.send(("/synth/1/freq", 440.0_f32)).await?;
///
/// server.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "a server does nothing until it is run or spawned"]
pub struct Server {
    router: Arc<dyn Dispatch>,
    pub(super) specs: Vec<ChannelSpec>,
    channels: Arc<ChannelMap>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) schedule: ScheduleLimits,
    pub(super) time: TimeOptions,
    pub(super) limits: PacketLimits,
    /// The prefix of the addresses of events, where routes receive them from `_events` alone.
    pub(super) events_at: Option<Box<[u8]>>,
    pub(super) options: LoopOptions,
}

impl Server {
    /// Creates a server without channels.
    pub fn new<S: Send + Sync + 'static>(router: Router<S>) -> Self {
        Self {
            router: router.into_dispatch(),
            specs: Vec::new(),
            channels: Arc::default(),
            clock: Box::new(SystemClock),
            schedule: ScheduleLimits::default(),
            time: TimeOptions::new(),
            limits: PacketLimits {
                calls: MAX_CALLS,
                steps: MAX_STEPS,
                source_steps: SOURCE_STEPS,
                replies: ReplyLimits::default(),
            },
            events_at: None,
            options: LoopOptions {
                inbox: INBOX,
                inbox_overflow: Overflow::default(),
                precision: Precision::default(),
                signal: None,
                shutdown: Shutdown::new(),
                report_every: None,
            },
        }
    }

    /// Returns the methods of its router: see [`Namespace`]. It can be used while the server runs.
    pub fn namespace(&self) -> Namespace {
        Namespace::of(&self.router)
    }

    /// Adds a channel. Handlers read its name from [`Meta::channel`]. Replies leave by the channel of the
    /// message.
    ///
    /// The name must be a valid part of an address: printable ASCII except space and `#*,/?[]{}`.
    ///
    /// # Panics
    /// Panics if the name is not a legal one, begins with `_` or is taken: see
    /// [`try_listen`](Server::try_listen).
    #[track_caller]
    pub fn listen(self, name: impl Into<Arc<str>>, channel: Channel) -> Self {
        legal(self.try_listen(name, channel))
    }

    /// Same as [`listen`](Server::listen), for a name that is known only at run time.
    ///
    /// # Errors
    /// Returns an error if the name is not a legal part of an address, begins with `_`, which is reserved, or is
    /// taken.
    pub fn try_listen(self, name: impl Into<Arc<str>>, channel: Channel) -> Result<Self, ChannelError> {
        self.add(ChannelSpec::channel(name.into(), channel))
    }

    /// Adds any stream of packets. Replies to it are dropped and counted.
    ///
    /// ```
    /// use futures::stream;
    /// use tokio_osc::{Args, Message, Meta, Peer, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let router = Router::new().route("/n", |Args(n): Args<i32>| assert_eq!(n, 7));
    /// let packets = vec![(Ok(Message::new("/n", 7)?.into()), Meta::from_peer(Peer::LOCAL))];
    /// Server::new(router).feed("replay", stream::iter(packets)).run().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// Same as [`listen`](Server::listen).
    #[track_caller]
    pub fn feed<P>(self, name: impl Into<Arc<str>>, packets: P) -> Self
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        legal(self.try_feed(name, packets))
    }

    /// Same as [`feed`](Server::feed), for a name that is known only at run time.
    ///
    /// # Errors
    /// Same as [`try_listen`](Server::try_listen).
    pub fn try_feed<P>(self, name: impl Into<Arc<str>>, packets: P) -> Result<Self, ChannelError>
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        self.add(ChannelSpec::stream(name.into(), packets))
    }

    fn add(mut self, spec: ChannelSpec) -> Result<Self, ChannelError> {
        ChannelError::check_name(&spec.name)?;
        if self.specs.iter().any(|other| other.name == spec.name) {
            return Err(ChannelError::new(ChannelErrorKind::Duplicate, spec.name));
        }
        self.specs.push(spec);
        Ok(self)
    }

    /// Subscribes to the messages of a pattern. The stream holds at most `capacity` messages. A subscription
    /// is a route: its messages do not go to the fallback.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::{Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let server = Server::new(Router::new()).listen("udp", channel);
    /// let mut meters = server.subscribe("/meter/*", 256)?;
    /// let server = server.spawn();
    ///
    /// client.send(("/meter/1", 0.5_f32)).await?;
    /// let (message, _meta) = meters.next().await.expect("the server runs");
    /// assert_eq!(message.to_string(), "/meter/1 ,f 0.5");
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `pattern` is not a legal OSC address pattern.
    pub fn subscribe<P>(&self, pattern: P, capacity: usize) -> Result<Subscription, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = pattern.try_into().map_err(Into::into)?;
        Ok(Subscription::new(&self.router, pattern, capacity))
    }

    /// Returns the address of an added channel. `None` for a Unix socket or a byte stream.
    pub fn local_addr(&self, channel: &str) -> Option<SocketAddr> {
        self.specs.iter().find(|spec| *spec.name == *channel)?.local
    }

    /// Returns the events of the channels from now on, as a stream that holds at most 256 events. If it is
    /// called before the server runs, no event is missed.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::server::ChannelEventKind;
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new()).listen("udp", Channel::udp("127.0.0.1:0").await?);
    /// let mut events = server.events();
    /// let server = server.spawn();
    /// while let Some(event) = events.next().await {
    ///     if let ChannelEventKind::Bound(address) = event.kind {
    ///         println!("{} listens at {address}", event.channel);
    ///         break;
    ///     }
    /// }
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> ChannelEvents {
        self.channels.events.subscribe()
    }

    /// Sends the same events to the server's own router, as messages from [`Peer::LOCAL`] with
    /// addresses such as `/osc/channel/udp/bound` where the prefix is `/osc`: see the table at
    /// [`ChannelEventKind`](crate::server::ChannelEventKind). They come by a channel named `_events`, with the
    /// limits that hold for all messages. When the server ends, it reads nothing more, and they stop;
    /// the stream of [`events`](Server::events) has them all.
    ///
    /// ```
    /// use tokio_osc::{Args, Captures, Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let router = Router::new().route(
    ///     "/osc/channel/*/bound",
    ///     |Captures(name): Captures<String>, Args(port): Args<i32>| println!("{name} is at {port}"),
    /// );
    /// let server = Server::new(router)
    ///     .events_to_routes("/osc")
    ///     .listen("udp", Channel::udp("127.0.0.1:0").await?)
    ///     .spawn();
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// A route whose address or pattern begins with `PREFIX/channel/` receives messages of that channel alone. No peer
    /// can forge an event: a message of another channel, even a pattern, does not match the route. To receive events
    /// from peers, such as those of another server, see [`events_of_peers`](Server::events_of_peers).
    ///
    /// [`Peer::LOCAL`]: crate::Peer::LOCAL
    ///
    /// # Panics
    /// Panics if `prefix` is not a literal address.
    #[track_caller]
    pub fn events_to_routes(mut self, prefix: &str) -> Self {
        assert!(Address::new(prefix.to_owned()).is_some(), "{prefix:?} is not a literal address");
        let messages = self.channels.events.to_router(prefix.into());
        let packets = messages.map(|(message, meta)| (Ok(message.into()), meta));
        self.specs.insert(0, ChannelSpec::stream(CHANNEL.into(), packets));
        self.events_at = Some(format!("{prefix}/channel/").into_bytes().into());
        self
    }

    /// Lets the routes of [`events_to_routes`](Server::events_to_routes) receive messages of peers, too. Must be called
    /// after it.
    pub fn events_of_peers(mut self) -> Self {
        self.events_at = None;
        self
    }

    /// Runs the server in the caller's task, until every channel has ended and nothing is pending. With a
    /// socket, it runs forever. Dropping the future stops it.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime with time enabled; with a [`Precision`] other than the default, I/O must be
    /// enabled as well.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server stops at once: a pending handler is dropped, and so are the
    /// packets of the inbox and of the schedule.
    pub async fn run(self) {
        let (core, start) = self.start(false);
        run(core, start).await;
    }

    /// Runs the server in its own task, until every channel has ended and nothing is pending, or until it is
    /// shut down. Before its first channel is added, and after the last one was
    /// [removed](ServerHandle::remove), it waits for another.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime with time enabled; with a [`Precision`] other than the default, I/O must be
    /// enabled as well.
    #[track_caller]
    pub fn spawn(self) -> ServerHandle {
        let shutdown = self.options.shutdown;
        let (core, start) = self.start(true);
        let ended = start.end.ended.clone();
        let task = tokio::spawn(run(Arc::clone(&core), start));
        ServerHandle::new(task, ended, core, shutdown)
    }

    fn start(self, growing: bool) -> (Arc<Core>, Start) {
        let open = |spec: ChannelSpec| spec.open(&self.channels, &self.time);
        let halves = self.specs.into_iter().filter_map(open).collect();
        let dispatcher = Dispatcher {
            router: self.router,
            calls: Arc::default(),
            schedule: Arc::new(SharedSchedule::new(self.schedule, self.clock)),
            calls_per_packet: self.limits.calls,
            steps_per_packet: self.limits.steps,
            source_steps: SourceRate::new(self.limits.source_steps, self.limits.source_steps),
            replies: Arc::new(self.limits.replies),
            events: self.events_at,
            unmatched: Throttles::default(),
        };
        let core = Arc::new(Core::new(dispatcher, self.channels, self.time));
        let end = LoopEnd { core: Arc::clone(&core), ended: CancellationToken::new() };
        (core, Start { options: self.options, halves, growing, end })
    }
}

/// Returns the server, or panics with the error of the name.
#[track_caller]
fn legal(server: Result<Server, ChannelError>) -> Server {
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    match server {
        Ok(server) => server,
        // Not in a closure, so that the panic names the line of the caller.
        Err(error) => panic!("{error}"),
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.specs.iter().map(|spec| &spec.name).collect();
        f.debug_struct("Server").field("channels", &names).finish_non_exhaustive()
    }
}
