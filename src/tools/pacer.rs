//! Control streams at a rate that the receiver can take: the latest value of each address.

mod line;
mod pace;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use self::line::Line;
use self::pace::Pace;
use crate::{Destination, IntoPacket, Packet, SendError};

/// Packets that may wait by default.
const PACKETS: usize = 1_024;
/// Bytes of packets that may wait by default.
const BYTES: usize = 1 << 20;
/// What may go out at once by default, as a part of what may go out in a second.
const BURSTS_PER_SECOND: u32 = 50;

/// Slows a client down to what its receiver can take: so many packets a second, and of each address
/// only the latest value.
///
/// A fader that moves sends hundreds of values a second. Where they come faster than they may go
/// out, a new value takes the place of the one of the same address that still waits; who waited
/// first goes first. Packets that are more than a value are given to
/// [`send_in_order`](PacerHandle::send_in_order).
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client, Pacer};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(desk.local_addr()?).await?;
/// let pacer = Pacer::new(client, 100).burst(1).spawn();
/// for value in 0..1_000 {
///     pacer.send(("/fader/1", value))?;
/// }
/// pacer.close().await;                                       // what waits is sent first
/// let counts = pacer.counts();
/// assert_eq!((counts.sent, counts.superseded), (1, 999));
/// # let (packet, _) = desk.take(1).next().await.unwrap();
/// # assert_eq!(packet?.to_string(), "/fader/1 ,i 999");
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before `spawn`"]
pub struct Pacer<D> {
    destination: D,
    pace: Pace,
    packets: usize,
    bytes: usize,
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
        Self { destination, pace: Pace::new(rate, burst), packets: PACKETS, bytes: BYTES }
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
        self.packets = packets;
        self
    }

    /// How many bytes of packets may wait. Default 1 MiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Starts the task that sends. It ends when the last clone of the handle is dropped, at once; to
    /// send what waits, [`close`](PacerHandle::close).
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled.
    pub fn spawn(self) -> PacerHandle {
        let line = Arc::new(Line::new(self.packets, self.bytes));
        let task = tokio::spawn(run(End(Arc::clone(&line)), self.destination, self.pace));
        PacerHandle { shared: Arc::new(Shared { line, task }) }
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
/// use tokio_osc::{Channel, Client, Pacer};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = Channel::udp("127.0.0.1:0").await?;
/// let pacer = Pacer::new(Client::udp(desk.local_addr()?).await?, 100).spawn();
/// pacer.send_in_order(("/scene", 3))?;
/// pacer.flush().await;
/// assert_eq!(pacer.counts().sent, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PacerHandle {
    shared: Arc<Shared>,
}

struct Shared {
    line: Arc<Line>,
    task: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What became of the packets given to a [`Pacer`]:
/// `offered = sent + failed + superseded + refused + waiting`.
///
/// ```
/// use tokio_osc::PacerCounts;
///
/// let counts = PacerCounts::default();
/// assert_eq!(counts.offered, counts.sent + counts.superseded + counts.waiting);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacerCounts {
    /// Packets that could be encoded, and were given to a pacer that was not closed.
    pub offered: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the destination did not take, or not for all its peers.
    pub failed: u64,
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
    /// destination refuses later is [counted](PacerCounts::failed).
    pub fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        let packet = packet.into_packet()?;
        match &packet {
            Packet::Message(message) => self.shared.line.put(Some(message.address().as_bytes()), &packet),
            Packet::Bundle(_) => self.shared.line.put(None, &packet),
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
        self.shared.line.put(None, &packet.into_packet()?)
    }

    /// Waits until nothing waits.
    ///
    /// # Cancel safety
    /// Nothing is lost; call it again.
    pub async fn flush(&self) {
        self.shared.line.drained().await;
    }

    /// Takes nothing more, sends what waits, at the rate, and returns when the task has ended.
    ///
    /// # Cancel safety
    /// Once polled, the pacer is closed, also if the future is dropped; what waits is sent while there
    /// is a clone of the handle.
    pub async fn close(&self) {
        self.shared.line.close();
        self.shared.line.ended().await;
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> PacerCounts {
        self.shared.line.counts()
    }
}

impl fmt::Debug for PacerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PacerHandle").field(&self.counts()).finish()
    }
}

/// Sends what waits, each packet when the pace allows it. What waits is taken at the last moment:
/// the newest value leaves.
async fn run(line: End, destination: impl Destination, mut pace: Pace) {
    while line.filled().await {
        sleep_until(pace.next()).await;
        let Some(packet) = line.pop() else { continue };
        pace.note(Instant::now());
        let outcome = destination.send(&packet).await;
        if let Some(error) = outcome.error() {
            tracing::debug!(target: "tokio_osc::tools", %error, "a paced packet was not sent");
        }
        line.note(outcome.is_sent());
    }
}

/// The task's end of the line, given up when the destination is. However the task ends, nobody waits
/// for it.
struct End(Arc<Line>);

impl Deref for End {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.0
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.give_up();
    }
}
