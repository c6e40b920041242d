//! One destination of a relay, with its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::channel::Outlet;
use crate::node::SendOutcome;
use crate::packet::SendErrorKind;
use crate::tools::guarded::Guarded;
use crate::tools::queue::{PacketQueue, QueueLimits, QueueStats};
use crate::tools::send_now::send_now;
use crate::{Packet, Peer};

/// The outcome of packets for one destination of a [`Relay`](crate::tools::Relay).
///
/// ```
/// use tokio_osc::tools::Relay;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = Channel::udp("127.0.0.1:0").await?;
/// let relay = Relay::new().to("stage", Client::udp(stage.local_addr()?).await?).spawn();
/// for to in relay.stats().to {
///     println!("{}: {} sent, {} dropped", to.name, to.sent, to.dropped);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationStats {
    /// The name of the destination.
    pub name: Arc<str>,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the destination refused, or refused for some of its peers.
    pub failed: u64,
    /// Packets that came from this destination.
    pub returned: u64,
    /// Packets dropped because the queue was full.
    pub dropped: u64,
    /// Packets that are queued or being sent.
    pub waiting: u64,
}

/// The origin of a packet.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) peer: Peer,
    /// The index of the output to the same channel.
    pub(super) joined: Option<usize>,
}

/// The destination of packets.
pub(super) enum To {
    Destination(Guarded),
    /// All connections of a channel except the origin of the packet.
    Others {
        outlet: Outlet,
        index: usize,
    },
}

/// A destination and its queue.
pub(super) struct RelayOutput {
    name: Arc<str>,
    to: To,
    queue: PacketQueue<Origin>,
    returned: AtomicU64,
}

impl RelayOutput {
    pub(super) fn new(name: Arc<str>, to: To, limits: QueueLimits) -> Self {
        Self { name, to, queue: PacketQueue::new(limits), returned: AtomicU64::new(0) }
    }

    /// Queues a packet by the policy.
    pub(super) async fn put(&self, packet: &Packet, origin: Origin) {
        if self.to.is_origin(origin) {
            self.returned.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // Queued packets are copied: they must not keep a larger buffer alive.
        let packet = if self.queue.is_idle() { packet.clone() } else { packet.as_ref().to_owned() };
        self.queue.put(packet, origin).await;
    }

    /// Sends queued packets, one after the other, until the queue is closed and empty. One at a time keeps
    /// the order of each source, whatever a destination waits for.
    pub(super) async fn run(&self) {
        while self.queue.filled().await {
            let Some((packet, origin)) = self.queue.pop() else { continue };
            let outcome = self.to.send(&packet, origin).await;
            if let Some(error) = outcome.error() {
                tracing::debug!(target: "tokio_osc::tools", to = %self.name, %error, "a packet was not relayed");
            }
            self.queue.note(&outcome);
        }
    }

    /// Accepts no more packets. Queued packets are still sent.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Closes a joined channel: it sends its queued packets, and its stream ends.
    pub(super) fn close_connections(&self) {
        if let To::Others { outlet, .. } = &self.to {
            outlet.close();
        }
    }

    /// The number of panics of the destination.
    pub(super) fn panics(&self) -> u64 {
        match &self.to {
            To::Destination(destination) => destination.function().panics(),
            To::Others { .. } => 0,
        }
    }

    pub(super) fn stats(&self) -> DestinationStats {
        let QueueStats { sent, failed, dropped, waiting, .. } = self.queue.stats();
        let returned = self.returned.load(Ordering::Relaxed);
        DestinationStats { name: Arc::clone(&self.name), sent, failed, returned, dropped, waiting }
    }
}

impl To {
    /// Returns `true` if the packet would only go back to its origin.
    fn is_origin(&self, origin: Origin) -> bool {
        match self {
            Self::Destination(destination) => destination.is_peer(origin.peer),
            Self::Others { outlet, index } => {
                origin.joined == Some(*index) && outlet.connections().iter().all(|peer| *peer == origin.peer)
            }
        }
    }

    async fn send(&self, packet: &Packet, origin: Origin) -> SendOutcome {
        match self {
            Self::Destination(destination) => destination.send(packet).await,
            Self::Others { outlet, index } if origin.joined == Some(*index) => {
                to_others(outlet, packet, origin.peer)
            }
            Self::Others { outlet, .. } => outlet.broadcast(packet).into(),
        }
    }
}

/// Sends to all connections except the origin of the packet, without waiting, like a broadcast.
fn to_others(outlet: &Outlet, packet: &Packet, from: Peer) -> SendOutcome {
    let others = outlet.connections().into_iter().filter(|peer| *peer != from);
    let (mut sent, mut missed) = (0, 0);
    for peer in others {
        let count = if send_now(outlet, peer, packet).is_ok() { &mut sent } else { &mut missed };
        *count += 1;
    }
    match missed {
        0 => SendOutcome::Sent { peers: sent },
        _ => SendOutcome::Partly { sent, missed, error: SendErrorKind::Full.into() },
    }
}
