//! Limits the rate of control streams: only the latest value of each address is sent.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::guarded::Guarded;
use super::queue::{PacketQueue, QueueLimits, QueueStats};
use crate::Packet;
use crate::node::Destination;
use crate::packet::{IntoPacket, Overflow, SendError};
use crate::user_function::UserFunction;

/// Default limits of the queue.
const LIMITS: QueueLimits =
    QueueLimits { packets: 1_024, bytes: 1 << 20, overhead: 0, overflow: Overflow::DropNewest };
/// Default burst, as a fraction of the packets per second.
const BURSTS_PER_SECOND: u32 = 50;

/// Limits the rate of a client to what its receiver can take, and keeps only the latest value of each address.
///
/// A moving fader sends hundreds of values per second. If values arrive faster than they may be sent, a new
/// value replaces the queued value of the same address; the address that waited longest is sent first.
/// Packets that must not be replaced are sent with [`send_in_order`](PacerHandle::send_in_order).
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::tools::Pacer;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(desk.local_addr()?).await?;
/// let pacer = Pacer::new(client, 100).burst(1).spawn();
/// for value in 0..1_000 {
///     pacer.send(("/fader/1", value))?;
/// }
/// pacer.close().await;                                       // queued packets are sent first
/// let stats = pacer.stats();
/// assert_eq!((stats.sent, stats.superseded), (1, 999));
/// # let (packet, _) = desk.take(1).next().await.unwrap();
/// # assert_eq!(packet?.to_string(), "/fader/1 ,i 999");
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before `spawn`"]
pub struct Pacer<D> {
    destination: D,
    pace: Pace,
    limits: QueueLimits,
}

impl<D: Destination> Pacer<D> {
    /// Creates a pacer with at most `rate` packets per second, on average.
    ///
    /// # Panics
    /// Panics if `rate` is zero.
    #[track_caller]
    pub fn new(destination: D, rate: u32) -> Self {
        #[expect(clippy::expect_used, reason = "a wrong literal in the caller's source; documented")]
        let rate = NonZeroU32::new(rate).expect("a pacer sends at least one packet a second");
        let burst = (rate.get() / BURSTS_PER_SECOND).max(1);
        Self { destination, pace: Pace::new(rate, burst), limits: LIMITS }
    }

    /// Sets how many packets may be sent at once after a pause. In any period, at most this many packets and
    /// those of the rate are sent. Default: the packets of 20 ms, at least 1. Tokio's timer has ticks of 1
    /// ms, so a rate over 1,000 requires a burst.
    pub fn burst(mut self, packets: u32) -> Self {
        self.pace.burst = packets.max(1);
        self
    }

    /// Sets how many packets may be queued: addresses with a value, and packets to be sent in order. Further
    /// sends are refused. Default 1,024.
    pub fn capacity(mut self, packets: usize) -> Self {
        self.limits.packets = packets;
        self
    }

    /// Sets how many bytes of packets may be queued. Default 1 MiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Starts the task that sends. It ends at once when the last clone of the handle is dropped; use
    /// [`close`](PacerHandle::close) to send queued packets.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub fn spawn(self) -> PacerHandle {
        let queue = Arc::new(PacketQueue::new(self.limits));
        let destination = Guarded::new(self.destination, "destination of a Pacer");
        let function = Arc::clone(destination.function());
        let task = tokio::spawn(run(QueueEnd(Arc::clone(&queue)), destination, self.pace));
        PacerHandle { queue, function, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }
}

impl<D> fmt::Debug for Pacer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer").field("pace", &self.pace).finish_non_exhaustive()
    }
}

/// The handle of a running [`Pacer`]. Cloning it increments a reference count.
///
/// ```
/// use tokio_osc::tools::Pacer;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = Channel::udp("127.0.0.1:0").await?;
/// let pacer = Pacer::new(Client::udp(desk.local_addr()?).await?, 100).spawn();
/// pacer.send_in_order(("/scene", 3))?;
/// pacer.flush().await;
/// assert_eq!(pacer.stats().sent, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PacerHandle {
    queue: Arc<PacketQueue<()>>,
    function: Arc<UserFunction>,
    /// Ends with the last clone.
    _task: Arc<AbortOnDropHandle<()>>,
}

/// The outcome of the packets given to a [`Pacer`]:
/// `offered = sent + failed + superseded + refused + waiting`.
///
/// ```
/// use tokio_osc::tools::PacerStats;
///
/// let stats = PacerStats::default();
/// assert_eq!(stats.offered, stats.sent + stats.superseded + stats.waiting);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacerStats {
    /// Packets that were encoded and passed to an open pacer.
    pub offered: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the destination refused, or refused for some of its peers, or on which it panicked.
    pub failed: u64,
    /// Panics of the destination.
    pub panicked: u64,
    /// Values replaced by a newer one of the same address.
    pub superseded: u64,
    /// Packets refused because the queue was full.
    pub refused: u64,
    /// Packets that are queued or being sent.
    pub waiting: u64,
}

impl PacerHandle {
    /// Queues a value. It never waits. Of each address, the latest value is sent, at the position of the
    /// first queued one.
    ///
    /// A bundle has no address and is sent [in order](PacerHandle::send_in_order).
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded, the queue is full ([`Pacer::capacity`], [`Pacer::bytes`]), or
    /// the pacer is closed. If the queue is full, an older value of the address stays. Packets that the destination
    /// refuses later are [counted](PacerStats::failed).
    pub fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        let packet = packet.into_packet()?;
        match &packet {
            Packet::Message(message) => self.put(Some(message.address().as_bytes()), &packet),
            Packet::Bundle(_) => self.put(None, &packet),
        }
    }

    /// Queues a packet that is not replaced by another. It never waits.
    ///
    /// Order is kept around it: values queued before it are sent before it, and later values replace none of
    /// them.
    ///
    /// # Errors
    /// Same as [`send`](PacerHandle::send).
    pub fn send_in_order(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.put(None, &packet.into_packet()?)
    }

    /// Waits until the queue is empty.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost. Call it again to continue.
    pub async fn flush(&self) {
        self.queue.drained().await;
    }

    /// Accepts no more packets, sends the queued ones at the rate, and returns when the task has ended.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the pacer is still closed. Queued packets are sent while a clone of
    /// the handle exists.
    pub async fn close(&self) {
        self.queue.close();
        self.queue.abandoned().await;
    }

    /// Returns the outcome of the packets so far.
    pub fn stats(&self) -> PacerStats {
        let QueueStats { offered, sent, failed, superseded, dropped, waiting } = self.queue.stats();
        let panicked = self.function.panics();
        PacerStats { offered, sent, failed, panicked, superseded, refused: dropped, waiting }
    }

    /// Queued packets are copies, which do not keep a larger buffer alive.
    fn put(&self, address: Option<&[u8]>, packet: &Packet) -> Result<(), SendError> {
        self.queue.try_put(packet.as_ref().to_owned(), (), address)
    }
}

impl fmt::Debug for PacerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PacerHandle").field(&self.stats()).finish()
    }
}

/// Sends queued packets, each when the pace allows it.
async fn run(queue: QueueEnd, destination: Guarded, mut pace: Pace) {
    let QueueEnd(waiting) = &queue;
    while waiting.filled().await {
        // The packet is popped after the pause, so that a value that arrives during the pause still replaces
        // it.
        sleep_until(pace.next()).await;
        let Some((packet, ())) = waiting.pop() else { continue };
        // The share begins when the packet leaves. Noted after the send, a slow destination would lower
        // the rate.
        pace.note(Instant::now());
        let outcome = destination.send(&packet).await;
        if let Some(error) = outcome.error() {
            tracing::debug!(target: "tokio_osc::tools", %error, "a paced packet was not sent");
        }
        waiting.note(&outcome);
    }
}

/// The task's end of the queue. However the task ends, even before its first poll, waiters are released. It
/// is the first parameter of `run`, so that the destination is dropped before it: [`PacerHandle::close`]
/// returns when the destination was dropped.
struct QueueEnd(Arc<PacketQueue<()>>);

impl Drop for QueueEnd {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A rate with bursts: the time at which the line would be free if each packet took its whole share.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// The share of a packet.
    interval: Duration,
    burst: u32,
    /// The time at which the shares of all packets so far end.
    spent_until: Option<Instant>,
}

impl Pace {
    fn new(rate: NonZeroU32, burst: u32) -> Self {
        let nanos = 1_000_000_000_u64.div_ceil(u64::from(rate.get()));
        Self { interval: Duration::from_nanos(nanos), burst, spent_until: None }
    }

    /// The time of the next packet.
    fn next(&self) -> Instant {
        let ahead = self.interval * (self.burst - 1);
        let now = Instant::now();
        self.spent_until.and_then(|until| until.checked_sub(ahead)).map_or(now, |next| next.max(now))
    }

    fn note(&mut self, now: Instant) {
        self.spent_until = Some(self.spent_until.map_or(now, |until| until.max(now)) + self.interval);
    }
}
