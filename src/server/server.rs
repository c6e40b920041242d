//! A server: a router and the channels that feed it. Nothing runs until `run` or `spawn`.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::ServerHandle;
use super::drive::{Source, drive};
use super::ground::Ground;
use super::times::Times;
use super::unit::{Limits, Shared};
use crate::channel::{Channel, Outlet};
use crate::dispatch::{Dispatch, ReplyRate, Router, Subscription};
use crate::packet::{Meta, Packet};
use crate::pattern::{Pattern, PatternError};
use crate::schedule::{Clock, Precision, Queue, ScheduleLimits, SystemClock, TimeOptions};
use crate::wire::DecodeError;

/// Packets that wait for a handler by default.
const INBOX: usize = 1_024;
/// Handler calls that one packet may cause by default.
const MAX_CALLS: usize = 16_384;
/// Steps of matching that one packet may cause by default.
const MAX_STEPS: usize = 1 << 25;

/// A router and the channels that feed it.
///
/// One packet is handled after the other, in the order of arrival; the messages of a bundle
/// together, when its time tag says. A handler that waits does not stop the intake.
///
/// ```
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/synth/*/freq", async |Args(hz): Args<f32>| println!("{hz} Hz"));
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
    dispatch: Arc<dyn Dispatch>,
    sources: Vec<Source>,
    addresses: Vec<(Arc<str>, SocketAddr)>,
    outlets: Vec<Option<Outlet>>,
    clock: Arc<dyn Clock>,
    schedule: ScheduleLimits,
    time: TimeOptions,
    time_on: Vec<(Arc<str>, TimeOptions)>,
    precision: Precision,
    inbox: usize,
    limits: Limits,
}

impl Server {
    /// A server without channels.
    pub fn new<S: Send + Sync + 'static>(router: Router<S>) -> Self {
        Self {
            dispatch: router.into_dispatch(),
            sources: Vec::new(),
            addresses: Vec::new(),
            outlets: Vec::new(),
            clock: Arc::new(SystemClock),
            schedule: ScheduleLimits::default(),
            time: TimeOptions::new(),
            time_on: Vec::new(),
            precision: Precision::default(),
            inbox: INBOX,
            limits: Limits { calls: MAX_CALLS, steps: MAX_STEPS, reply_rate: None },
        }
    }

    /// Adds a channel. Handlers find its name in [`Meta::channel`]; replies leave by the way the
    /// message came.
    pub fn listen(mut self, name: impl Into<Arc<str>>, channel: Channel) -> Self {
        let name = name.into();
        self.addresses.extend(channel.local_addr().ok().map(|address| (Arc::clone(&name), address)));
        let outlet = channel.outlet();
        self.add(name, channel, Some(outlet))
    }

    /// Adds any stream of packets. There is no way back: replies to it are dropped and counted.
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
    pub fn feed<P>(self, name: impl Into<Arc<str>>, packets: P) -> Self
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        self.add(name.into(), packets, None)
    }

    fn add<P>(mut self, name: Arc<str>, packets: P, outlet: Option<Outlet>) -> Self
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        let index = self.outlets.len();
        self.outlets.push(outlet);
        self.sources.push(Source { name, index, packets: packets.boxed() });
        self
    }

    /// The clock that time tags are compared with. Default [`SystemClock`]; a test with paused time
    /// takes a [`TokioClock`](crate::TokioClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The limits of what may wait for its time.
    pub fn schedule(mut self, limits: ScheduleLimits) -> Self {
        self.schedule = limits;
        self
    }

    /// How exactly the server wakes for what is due. Default [`Precision::Tokio`].
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// What becomes of time tags, on all channels that have no options of their own.
    pub fn time(mut self, options: TimeOptions) -> Self {
        self.time = options;
        self
    }

    /// What becomes of the time tags of one channel, instead of what [`time`](Server::time) says:
    /// any that was added with [`listen`](Server::listen) or [`feed`](Server::feed).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::{Channel, LatePolicy, Router, Server, TimeOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let server = Server::new(Router::new())
    ///     .time(TimeOptions::new().late(LatePolicy::DropAfter(Duration::from_millis(50))))
    ///     .listen("show", Channel::udp("127.0.0.1:0").await?)
    ///     .listen("sensors", Channel::udp("127.0.0.1:0").await?)
    ///     .time_on("sensors", TimeOptions::new().honor_time_tags(false));
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// There is no channel of this name yet.
    #[track_caller]
    pub fn time_on(mut self, channel: &str, options: TimeOptions) -> Self {
        let name = self.sources.iter().map(|source| &source.name).find(|name| ***name == *channel);
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        let Some(name) = name else { panic!("there is no channel {channel:?} yet") };
        self.time_on.push((Arc::clone(name), options));
        self
    }

    /// Packets that wait for a handler; when there are so many, the channels are not read. Default
    /// 1,024, at least 1.
    pub fn inbox(mut self, packets: usize) -> Self {
        self.inbox = packets;
        self
    }

    /// Handler calls that one packet may cause; a message beyond is dropped and counted. A bundle of
    /// patterns in a single datagram could else call every handler thousands of times. Default
    /// 16,384.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.limits.calls = calls;
        self
    }

    /// Steps of matching that one packet may cause; a message that needs more is dropped and counted.
    /// A bundle of long patterns could else be matched with every route for seconds. To compare a
    /// part of a pattern with a part of a route costs the product of their lengths, and 64 steps for
    /// each look; a look-up by hash costs none. Default 33,554,432: 7 to 40 ms per packet with the worst
    /// patterns known.
    ///
    /// One message of 20 bytes of patterns, matched with 1,000 routes of 20 bytes each, takes half a
    /// million at most.
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.limits.steps = steps;
        self
    }

    /// Replies that one source may cause: `burst` at once, then `per_second`; those beyond are dropped
    /// and counted. Default: no such limit; both are at least 1.
    ///
    /// Whoever forges the address of a UDP packet has the reply sent to another, and a small question
    /// with a large answer makes a flood of it. The budget of a packet bounds what one question does,
    /// this rate what a victim gets in all. It is for each IP address that has no connection; peers
    /// of streams are not limited. 4,096 addresses have a rate of their own at a time; the others,
    /// while there is no place, share one: nobody loses his limit by many forged addresses.
    ///
    /// ```
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let server = Server::new(Router::new().route("/status", || ("/status", "a long list")))
    ///     .listen("udp", Channel::udp("127.0.0.1:0").await?)
    ///     .reply_rate(100, 20);
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    pub fn reply_rate(mut self, per_second: u32, burst: u32) -> Self {
        self.limits.reply_rate = Some(Arc::new(ReplyRate::new(per_second, burst)));
        self
    }

    /// The messages of a pattern, as a stream that holds at most `capacity` of them. It is a route:
    /// what only a subscription hears does not go to the fallback.
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
    /// `pattern` is no legal OSC address pattern.
    pub fn subscribe<P>(&self, pattern: P, capacity: usize) -> Result<Subscription, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = pattern.try_into().map_err(Into::into)?;
        Ok(Subscription::new(&self.dispatch, pattern, capacity))
    }

    /// The address of a channel, once it was added. A Unix socket or byte stream has none.
    pub fn local_addr(&self, channel: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(name, _)| **name == *channel).map(|&(_, address)| address)
    }

    /// Runs the server in the caller's task, until every channel has ended and nothing waits: for
    /// a socket that is never. Dropping the future stops it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled; with a [`Precision`] of its own, I/O as well.
    ///
    /// # Cancel safety
    /// A dropped server stops at once: a handler that waits is dropped, and so are the packets of
    /// the inbox and of the schedule.
    pub async fn run(self) {
        self.start(CancellationToken::new()).1.await;
    }

    /// Runs the server in a task of its own.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled; with a [`Precision`] of its own, I/O as well.
    pub fn spawn(self) -> ServerHandle {
        let addresses = self.addresses.clone();
        let stop = CancellationToken::new();
        let (shared, running) = self.start(stop.clone());
        ServerHandle::new(tokio::spawn(running), stop, shared, addresses)
    }

    fn start(self, stop: CancellationToken) -> (Arc<Shared>, impl Future<Output = ()> + Send) {
        let queue = Queue::new(self.schedule, self.clock.now());
        let named = |source: &Source| (Arc::clone(&source.name), self.options_of(&source.name));
        let times = Times::new(self.sources.iter().map(named));
        let ground = Arc::new(Ground::new(self.outlets, &times));
        let shared = Arc::new(Shared::new(self.dispatch, ground, self.clock, times, queue, self.limits));
        let running = drive(Arc::clone(&shared), self.sources, self.inbox, self.precision, stop);
        (shared, running)
    }
}

impl Server {
    /// The last options given to the channel, or those for all.
    fn options_of(&self, channel: &str) -> TimeOptions {
        let own = self.time_on.iter().rev().find(|(name, _)| **name == *channel);
        own.map_or(&self.time, |(_, options)| options).clone()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("channels", &self.addresses).finish_non_exhaustive()
    }
}
