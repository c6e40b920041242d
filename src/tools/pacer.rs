//! Control streams at a rate that the receiver can take: the latest value of each address.

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

/// What may wait by default.
const LIMITS: QueueLimits =
    QueueLimits { packets: 1_024, bytes: 1 << 20, overhead: 0, overflow: Overflow::DropNewest };
/// What may go out at once by default, as a part of what may go out in a second.
const BURSTS_PER_SECOND: u32 = 50;

/// Slows a client down to the rate that its receiver can take, and keeps only the latest value of each address.
///
/// A fader that moves sends hundreds of values a second. Where they come faster than they may go
/// out, a new value takes the place of the one of the same address that still waits; the
/// address that waited first goes first. Packets that are more than a value are given to
/// [`send_in_order`](PacerHandle::send_in_order).
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
    /// At most `rate` packets a second, in the long run.
    ///
    /// # Panics
    /// `rate` is zero.
    #[track_caller]
    pub fn new(destination: D, rate: u32) -> Self {
        #[expect(clippy::expect_used, reason = "a wrong literal in the caller's source; documented")]
        let rate = NonZeroU32::new(rate).expect("a pacer sends at least one packet a second");
        let burst = (rate.get() / BURSTS_PER_SECOND).max(1);
        Self { destination, pace: Pace::new(rate, burst), limits: LIMITS }
    }

    /// How many packets may go out at once after a pause. In any time, it is no more than these and
    /// what the rate gives. Default what the rate gives in 20 ms, at least 1; Tokio's timer has steps of
    /// 1 ms, so that a rate over 1,000 is reached with a burst only.
    pub fn burst(mut self, packets: u32) -> Self {
        self.pace.burst = packets.max(1);
        self
    }

    /// How many packets may wait: addresses with a value, and packets to be sent in order. Beyond, a
    /// send is refused. Default 1,024.
    pub fn capacity(mut self, packets: usize) -> Self {
        self.limits.packets = packets;
        self
    }

    /// How many bytes of packets may wait. Default 1 MiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Starts the task that sends. It ends when the last clone of the handle is dropped, at once; to
    /// send the queued packets, [`close`](PacerHandle::close).
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled.
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

/// A [`Pacer`] that runs. Cloning it is a reference count.
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
    /// Ended with the last clone.
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
    /// Packets that could be encoded, and were given to a pacer that was not closed.
    pub offered: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the destination did not take, or not for all its peers; or on which it panicked.
    pub failed: u64,
    /// Panics of the destination.
    pub panicked: u64,
    /// Values in whose place a newer one of the same address was sent.
    pub superseded: u64,
    /// Packets that found too much waiting.
    pub refused: u64,
    /// Packets that wait, or are being sent.
    pub waiting: u64,
}

impl PacerHandle {
    /// Sends a value when there is room in the rate. It never waits. Of an address, the value that
    /// was given last goes out, in the place in the line of the first that still waits.
    ///
    /// A bundle has no address: it is sent [in order](PacerHandle::send_in_order).
    ///
    /// # Errors
    /// The packet cannot be encoded; too much waits already ([`Pacer::capacity`],
    /// [`Pacer::bytes`]): `Full`, and an older value stays; or the pacer is closed. What the
    /// destination refuses later is [counted](PacerStats::failed).
    pub fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        let packet = packet.into_packet()?;
        match &packet {
            Packet::Message(message) => self.put(Some(message.address().as_bytes()), &packet),
            Packet::Bundle(_) => self.put(None, &packet),
        }
    }

    /// Sends a packet that no other takes the place of, when there is room in the rate. It never
    /// waits.
    ///
    /// Order is kept around it: values given before it are sent before it, and values given after it
    /// take the place of none before it.
    ///
    /// # Errors
    /// As [`send`](PacerHandle::send).
    pub fn send_in_order(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.put(None, &packet.into_packet()?)
    }

    /// Waits until nothing waits.
    ///
    /// # Cancel safety
    /// Nothing is lost; call it again.
    pub async fn flush(&self) {
        self.queue.drained().await;
    }

    /// Accepts no more packets, sends the queued ones at the rate, and returns when the task has ended.
    ///
    /// # Cancel safety
    /// Once polled, the pacer is closed, also if the future is dropped; queued packets are sent while there
    /// is a clone of the handle.
    pub async fn close(&self) {
        self.queue.close();
        self.queue.abandoned().await;
    }

    /// The outcome of the packets so far.
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
        // The packet is taken after the pause, not before: a value that comes meanwhile still takes the
        // place of the one that is about to leave.
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

/// The task's end of the queue. However the task ends, also before its first turn, nothing waits for
/// it any longer. `run` has it as its first parameter, so that the destination is dropped before it:
/// [`PacerHandle::close`] returns when the destination is gone.
struct QueueEnd(Arc<PacketQueue<()>>);

impl Drop for QueueEnd {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A rate with bursts: when the line would be on time, if each packet took its whole share.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// The share of a packet.
    interval: Duration,
    burst: u32,
    /// When the shares of all packets so far are used up.
    spent_until: Option<Instant>,
}

impl Pace {
    fn new(rate: NonZeroU32, burst: u32) -> Self {
        let nanos = 1_000_000_000_u64.div_ceil(u64::from(rate.get()));
        Self { interval: Duration::from_nanos(nanos), burst, spent_until: None }
    }

    /// When the next packet may go out.
    fn next(&self) -> Instant {
        let ahead = self.interval * (self.burst - 1);
        let now = Instant::now();
        self.spent_until.and_then(|until| until.checked_sub(ahead)).map_or(now, |next| next.max(now))
    }

    fn note(&mut self, now: Instant) {
        self.spent_until = Some(self.spent_until.map_or(now, |until| until.max(now)) + self.interval);
    }
}
