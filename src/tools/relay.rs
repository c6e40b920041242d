//! Forwards packets between channels, unchanged.

mod output;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::future::{join, join_all};
use futures::stream::{BoxStream, SelectAll, Stream, StreamExt, select};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::output::{Origin, RelayOutput, To};
use super::guarded::Guarded;
use super::queue::QueueLimits;
use crate::lock::lock;
use crate::node::Destination;
use crate::packet::{DecodeError, MessageRef, Overflow};
use crate::pattern::PatternError;
use crate::user_function::{UserFunction, until_panic};
use crate::{Channel, Meta, Packet, Pattern};

pub use self::output::DestinationStats;

/// Default limit of each queue. Every packet has an additional cost.
const LIMITS: QueueLimits =
    QueueLimits { packets: usize::MAX, bytes: 1 << 20, overhead: 64, overflow: Overflow::DropOldest };
/// Maximum number of packets read before the outputs are polled.
const BURST: usize = 32;

/// Forwards packets from channels to destinations. The bytes of each packet are unchanged, time tags
/// included, for any transports and framings.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::tools::Relay;
/// use tokio_osc::{Channel, Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = Channel::udp("127.0.0.1:0").await?;
/// let mut stage = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let controller = Client::udp(desk.local_addr()?).await?;
/// let relay = Relay::new()
///     .from("desk", desk)
///     .to("stage", Client::tcp(stage.local_addr()?, Slip::new()).await?)
///     .only("/synth//")?
///     .spawn();
///
/// controller.send(("/lights/1", 0.5_f32)).await?;
/// controller.send(("/synth/1/freq", 440.0_f32)).await?;
/// let (packet, _) = stage.next().await.expect("the channel is open");
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
///
/// let stats = relay.shutdown().await;
/// assert_eq!((stats.received, stats.filtered), (2, 1));
/// # Ok(()) }
/// ```
///
/// Each destination has its own queue, so a slow one does not delay the others. An [`Overflow`] policy
/// applies when a queue is full.
///
/// # Loops
///
/// A packet is not sent back to its origin: not to a datagram [`Client`](crate::Client) with the same
/// address, and on a channel joined [both ways](Relay::both_ways) not to the connection. Packets are not
/// marked as relayed, so two relays that face each other, or a relay into a multicast group that it receives,
/// repeat a packet forever. Break the loop with [`only`](Relay::only) or [`filter`](Relay::filter).
///
/// # The other direction
///
/// Replies arrive on the channel of the destination: relay that channel with a second relay, or join channels
/// with connections both ways. A request through a relay reaches the peer, but its reply goes to all
/// destinations of the other direction.
#[must_use = "a relay does nothing until it is run or spawned"]
pub struct Relay {
    sources: RelaySources,
    outputs: Vec<(Arc<str>, To)>,
    only: Vec<Pattern>,
    filters: Vec<Filter>,
    limits: QueueLimits,
}

/// The sources. Each item carries the index of the output to the same channel, if there is one.
struct RelaySources {
    plain: SelectAll<Source>,
    /// Channels that packets are sent to as well. They are read to the end, because their queues are sent while they
    /// are read.
    joined: SelectAll<Source>,
    function: Arc<UserFunction>,
}

impl Default for RelaySources {
    fn default() -> Self {
        let function = Arc::new(UserFunction::new("source of a Relay"));
        Self { plain: SelectAll::new(), joined: SelectAll::new(), function }
    }
}

type Source = BoxStream<'static, (Option<usize>, Item)>;
type Item = (Result<Packet, DecodeError>, Meta);
type Filter = Box<dyn Fn(&Packet, &Meta) -> bool + Send + Sync>;

impl Default for Relay {
    fn default() -> Self {
        Self::new()
    }
}

impl Relay {
    /// Creates a relay without channels.
    pub fn new() -> Self {
        Self {
            sources: RelaySources::default(),
            outputs: Vec::new(),
            only: Vec::new(),
            filters: Vec::new(),
            limits: LIMITS,
        }
    }

    /// Adds a source: a channel or any other stream of packets. A [`filter`](Relay::filter) reads the name
    /// from [`Meta::channel`].
    pub fn from<P>(mut self, name: impl Into<Arc<str>>, packets: P) -> Self
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        let packets = until_panic(packets.boxed(), Arc::clone(&self.sources.function), || {});
        self.sources.plain.push(source(None, name.into(), packets));
        self
    }

    /// Adds a destination with its own queue. The name is used in the [counts](RelayStats::to).
    pub fn to(mut self, name: impl Into<Arc<str>>, destination: impl Destination) -> Self {
        let destination = Guarded::new(destination, "destination of a Relay");
        self.outputs.push((name.into(), To::Destination(destination)));
        self
    }

    /// Adds a channel with connections as a source and as a destination. Each packet is sent to all its connections
    /// except the one that it came from. One such channel is a hub, two are a bridge in both directions. A datagram
    /// channel has no connections, and is a source only.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::tools::Relay;
    /// use tokio_osc::{Channel, Client, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    /// let address = channel.local_addr()?;
    /// let relay = Relay::new().both_ways("hub", channel).spawn();
    ///
    /// let anna = Client::tcp(address, Slip::new()).await?;
    /// let bert = Client::tcp(address, Slip::new()).await?;
    /// let mut heard = bert.subscribe("/said");
    /// let said = async {
    ///     loop {                                             // until the relay has accepted both
    ///         anna.send(("/said", "hello")).await?;
    ///         tokio::task::yield_now().await;
    ///     }
    /// };
    /// tokio::select! {
    ///     message = heard.next() => assert_eq!(message.unwrap().to_string(), r#"/said ,s "hello""#),
    ///     error = said => { let _: Result<(), tokio_osc::packet::SendError> = error; }
    /// }
    /// relay.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn both_ways(mut self, name: impl Into<Arc<str>>, channel: Channel) -> Self {
        let (name, index) = (name.into(), self.outputs.len());
        self.outputs.push((Arc::clone(&name), To::Others { outlet: channel.outlet(), index }));
        self.sources.joined.push(source(Some(index), name, channel));
        self
    }

    /// Forwards only messages whose address overlaps `pattern`. Can be called repeatedly: the address must overlap one
    /// of the patterns. A bundle is forwarded whole if one of its messages, at any depth, would be.
    ///
    /// # Errors
    /// Returns an error if `pattern` is not a valid OSC address pattern.
    pub fn only<P>(mut self, pattern: P) -> Result<Self, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        self.only.push(pattern.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Forwards only packets for which a function returns `true`. Can be called repeatedly: all functions must return
    /// `true`. A panic counts as `false`.
    pub fn filter(mut self, passes: impl Fn(&Packet, &Meta) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Box::new(passes));
        self
    }

    /// Sets how many bytes may be queued for each destination, with 64 bytes added for each packet. A packet
    /// larger than the queue is dropped. Default 1 MiB.
    pub fn queue(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Sets what happens when the queue of a destination is full. Default [`Overflow::DropOldest`].
    ///
    /// With [`Overflow::Wait`] nothing is read meanwhile: peers on connections are slowed down, and datagrams are lost
    /// in the operating system. Packets queued for the connections of a channel that is joined
    /// [both ways](Relay::both_ways) wait too, because they are sent while that channel is read.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.limits.overflow = overflow;
        self
    }

    /// Runs the relay in the caller's task, until every source has ended and the queues are empty. With a
    /// socket, it runs forever. Returns the last counts.
    ///
    /// # Cancel safety
    /// If the future is dropped, the relay stops at once and drops the queued packets.
    pub async fn run(self) -> RelayStats {
        let (shared, running) = self.start(CancellationToken::new());
        running.await;
        shared.stats()
    }

    /// Runs the relay in its own task.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime.
    pub fn spawn(self) -> RelayHandle {
        let stop = CancellationToken::new();
        let (shared, running) = self.start(stop.clone());
        RelayHandle { task: AbortOnDropHandle::new(tokio::spawn(running)), stop, shared }
    }

    fn start(self, stop: CancellationToken) -> (Arc<RelayShared>, impl Future<Output = ()> + Send) {
        let output = |(name, to)| RelayOutput::new(name, to, self.limits);
        let shared = Arc::new(RelayShared {
            outputs: self.outputs.into_iter().map(output).collect(),
            only: self.only,
            filters: self.filters,
            filter: UserFunction::new("Relay::filter"),
            source: self.sources.function.clone(),
            counts: Mutex::default(),
        });
        (Arc::clone(&shared), relay(shared, self.sources, stop))
    }
}

fn source(
    joined: Option<usize>,
    name: Arc<str>,
    packets: impl Stream<Item = Item> + Send + 'static,
) -> Source {
    let named = packets.map(move |(packet, mut meta)| {
        meta.set_channel(Arc::clone(&name));
        (joined, (packet, meta))
    });
    named.boxed()
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.outputs.iter().map(|(name, _)| name).collect();
        f.debug_struct("Relay").field("to", &names).field("only", &self.only).finish_non_exhaustive()
    }
}

/// The handle of a relay that runs in its own task. Returned by [`Relay::spawn`]. Dropping it stops the relay
/// at once; use [`shutdown`](RelayHandle::shutdown) to send queued packets.
///
/// ```
/// use tokio_osc::tools::Relay;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = Channel::udp("127.0.0.1:0").await?;
/// let relay = Relay::new()
///     .from("desk", Channel::udp("127.0.0.1:0").await?)
///     .to("stage", Client::udp(stage.local_addr()?).await?)
///     .spawn();
/// assert!(!relay.is_finished());
/// relay.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "dropping the handle stops the relay"]
pub struct RelayHandle {
    task: AbortOnDropHandle<()>,
    stop: CancellationToken,
    shared: Arc<RelayShared>,
}

impl RelayHandle {
    /// Returns the outcome of the packets so far.
    pub fn stats(&self) -> RelayStats {
        self.shared.stats()
    }

    /// Returns `true` if the relay has ended, because every source ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops reading, sends the queued packets, and returns the final counts. A destination that accepts nothing delays
    /// this up to its own timeout, such as
    /// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout).
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the relay stops at once.
    pub async fn shutdown(self) -> RelayStats {
        self.stop.cancel();
        // It is aborted if this future is dropped.
        let _ = self.task.await;
        self.shared.stats()
    }
}

impl fmt::Debug for RelayHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RelayHandle").field(&self.stats()).finish()
    }
}

/// The counts of a [`Relay`]. For each destination, `received = malformed + filtered + returned + sent +
/// failed + dropped + waiting`.
///
/// ```
/// use tokio_osc::tools::Relay;
/// use tokio_osc::Channel;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let relay = Relay::new().from("desk", Channel::udp("127.0.0.1:0").await?).spawn();
/// let stats = relay.shutdown().await;
/// assert_eq!((stats.received, stats.to.len()), (0, 0));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayStats {
    /// Packets read.
    pub received: u64,
    /// Received packets that could not be decoded.
    pub malformed: u64,
    /// Received packets that a filter refused, or on which it panicked.
    pub filtered: u64,
    /// Panics of filters, sources and destinations. A packet that a destination panics on has failed; a source
    /// that panics has ended.
    pub panicked: u64,
    /// The outcome of the others, for each destination in the order in which they were added.
    pub to: Vec<DestinationStats>,
}

struct RelayShared {
    outputs: Vec<RelayOutput>,
    only: Vec<Pattern>,
    filters: Vec<Filter>,
    filter: UserFunction,
    source: Arc<UserFunction>,
    /// The counts without those of the destinations.
    counts: Mutex<RelayStats>,
}

async fn relay(shared: Arc<RelayShared>, sources: RelaySources, stop: CancellationToken) {
    let RelaySources { mut plain, mut joined, .. } = sources;
    let reading = shared.read(select(&mut plain, &mut joined), stop);
    join(reading, join_all(shared.outputs.iter().map(RelayOutput::run))).await;
    drop(plain);
    shared.outputs.iter().for_each(RelayOutput::close_connections);
    while joined.next().await.is_some() {}
}

impl RelayShared {
    /// Moves packets from the sources to the queues.
    async fn read(
        &self,
        mut packets: impl Stream<Item = (Option<usize>, Item)> + Unpin,
        stop: CancellationToken,
    ) {
        let mut read: usize = 0;
        loop {
            // The outputs are in the same task, and a source that is always ready would starve them.
            if read % BURST == BURST - 1 {
                tokio::task::yield_now().await;
            }
            read = read.wrapping_add(1);
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                next = packets.next() => next,
            };
            let Some((joined, (packet, meta))) = next else { break };
            self.lock().received += 1;
            match packet {
                Ok(packet) if self.passes(&packet, &meta) => {
                    // One destination after the other: a queue that is waited for holds up this packet
                    // and all behind it, so that none overtakes.
                    let origin = Origin { peer: meta.peer, joined };
                    for output in &self.outputs {
                        output.put(&packet, origin).await;
                    }
                }
                Ok(_) => self.lock().filtered += 1,
                Err(error) => {
                    self.lock().malformed += 1;
                    tracing::trace!(
                        target: "tokio_osc::tools",
                        channel = %meta.channel(), peer = %meta.peer, %error, "malformed packet"
                    );
                }
            }
        }
        self.outputs.iter().for_each(RelayOutput::close);
    }

    fn passes(&self, packet: &Packet, meta: &Meta) -> bool {
        let named = self.only.is_empty() || packet.as_ref().messages().any(|message| self.is_named(message));
        let passes = || self.filters.iter().all(|passes| passes(packet, meta));
        named && self.filter.call(passes).unwrap_or(false)
    }

    fn is_named(&self, message: MessageRef<'_>) -> bool {
        if let Ok(address) = Pattern::new(message.address().as_bytes().to_vec()) {
            return self.only.iter().any(|pattern| pattern.overlaps(&address));
        }
        // An address that is not a valid pattern is a name.
        let address = message.to_owned().to_address();
        self.only.iter().any(|pattern| pattern.matches(&address))
    }

    fn stats(&self) -> RelayStats {
        let mut counts = self.lock().clone();
        counts.to = self.outputs.iter().map(RelayOutput::stats).collect();
        let destinations: u64 = self.outputs.iter().map(RelayOutput::panics).sum();
        counts.panicked = self.filter.panics() + self.source.panics() + destinations;
        counts
    }

    fn lock(&self) -> MutexGuard<'_, RelayStats> {
        lock(&self.counts)
    }
}
