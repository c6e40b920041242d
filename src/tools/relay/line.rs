//! One destination of a relay: the queue before it, and how packets leave.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use tokio::sync::Notify;
use tokio::task::unconstrained;

use crate::lock::lock;
use crate::{Destination, FrameErrorKind, Outlet, Overflow, Packet, Peer, SendOutcome};

/// What a packet's place in a queue costs, in bytes.
const PLACE: usize = 64;

/// What became of packets for one destination of a [`Relay`](crate::Relay).
///
/// ```
/// use tokio_osc::{Channel, Client, Relay};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = Channel::udp("127.0.0.1:0").await?;
/// let relay = Relay::new().to("stage", Client::udp(stage.local_addr()?).await?).spawn();
/// for to in relay.counts().to {
///     println!("{}: {} sent, {} dropped", to.name, to.sent, to.dropped);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayedTo {
    /// The name of the destination.
    pub name: Arc<str>,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the destination did not take, or not for all its peers.
    pub failed: u64,
    /// Packets that came from there.
    pub returned: u64,
    /// Packets that found the queue full, or left it for newer ones.
    pub dropped: u64,
    /// Packets that wait, or are being sent.
    pub waiting: u64,
}

/// Where packets leave.
pub(super) enum Exit {
    To(Box<dyn Destination>),
    /// All connections of the channel with this index but the one that a packet came by.
    Others {
        outlet: Outlet,
        source: usize,
    },
}

/// A packet on its way.
#[derive(Clone)]
pub(super) struct Relayed {
    pub(super) packet: Packet,
    pub(super) peer: Peer,
    pub(super) source: usize,
}

impl Relayed {
    fn cost(&self) -> usize {
        self.packet.as_bytes().len() + PLACE
    }
}

/// A destination and what waits for it.
pub(super) struct Line {
    name: Arc<str>,
    exit: Exit,
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    packets: VecDeque<Relayed>,
    bytes: usize,
    in_flight: bool,
    closed: bool,
    counts: RelayedTo,
}

impl Line {
    pub(super) fn new(name: Arc<str>, exit: Exit) -> Self {
        Self { name, exit, queue: Mutex::default(), changed: Notify::new() }
    }

    /// Takes a packet if there is room, or as the policy says.
    pub(super) async fn put(&self, packet: &Relayed, limit: usize, policy: Overflow) {
        if self.exit.is_origin(packet) {
            self.lock().counts.returned += 1;
            return;
        }
        if packet.cost() > limit {
            self.lock().counts.dropped += 1;
            return;
        }
        loop {
            let changed = self.changed.notified();
            {
                let mut queue = self.lock();
                if policy == Overflow::DropOldest {
                    queue.make_room(limit - packet.cost());
                }
                if queue.bytes + packet.cost() <= limit {
                    queue.push(packet);
                    break;
                }
                if policy != Overflow::Wait {
                    queue.counts.dropped += 1;
                    break;
                }
            }
            changed.await;
        }
        self.changed.notify_waiters();
    }

    /// Sends what waits, one after the other, until the line is closed and empty.
    pub(super) async fn run(&self) {
        while let Some(packet) = self.next().await {
            let outcome = self.exit.send(&packet).await;
            if let Some(error) = outcome.error() {
                tracing::debug!(target: "tokio_osc::tools", to = %self.name, %error, "a packet was not relayed");
            }
            let mut queue = self.lock();
            queue.in_flight = false;
            let count = if outcome.is_sent() { &mut queue.counts.sent } else { &mut queue.counts.failed };
            *count += 1;
        }
    }

    async fn next(&self) -> Option<Relayed> {
        loop {
            let changed = self.changed.notified();
            {
                let mut queue = self.lock();
                if let Some(packet) = queue.packets.pop_front() {
                    queue.bytes -= packet.cost();
                    queue.in_flight = true;
                    drop(queue);
                    self.changed.notify_waiters();
                    return Some(packet);
                }
                if queue.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes nothing more; what waits is sent.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Closes a channel that is joined: it sends what is queued, and its stream ends.
    pub(super) fn close_connections(&self) {
        if let Exit::Others { outlet, .. } = &self.exit {
            outlet.close();
        }
    }

    pub(super) fn counts(&self) -> RelayedTo {
        let queue = self.lock();
        let waiting = queue.packets.len() as u64 + u64::from(queue.in_flight);
        RelayedTo { name: Arc::clone(&self.name), waiting, ..queue.counts.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl Queue {
    /// What has to wait is copied: it must not keep a larger buffer alive.
    fn push(&mut self, relayed: &Relayed) {
        let mut relayed = relayed.clone();
        if self.in_flight || !self.packets.is_empty() {
            relayed.packet = relayed.packet.as_ref().to_owned();
        }
        self.bytes += relayed.cost();
        self.packets.push_back(relayed);
    }

    /// Drops the oldest until no more than so many bytes wait.
    fn make_room(&mut self, bytes: usize) {
        while self.bytes > bytes {
            let Some(oldest) = self.packets.pop_front() else { return };
            self.bytes -= oldest.cost();
            self.counts.dropped += 1;
        }
    }
}

impl Exit {
    /// Whether the packet would go back to where it came from, and nowhere else.
    fn is_origin(&self, relayed: &Relayed) -> bool {
        match self {
            Self::To(destination) => destination.is_peer(relayed.peer),
            Self::Others { outlet, source } => {
                *source == relayed.source && outlet.connections().iter().all(|peer| *peer == relayed.peer)
            }
        }
    }

    async fn send(&self, relayed: &Relayed) -> SendOutcome {
        match self {
            Self::To(destination) => destination.send(&relayed.packet).await,
            Self::Others { outlet, source } if *source == relayed.source => to_others(outlet, relayed),
            Self::Others { outlet, .. } => outlet.broadcast(&relayed.packet).into(),
        }
    }
}

/// To all connections but the one that the packet came by; without waiting, as a broadcast.
fn to_others(outlet: &Outlet, relayed: &Relayed) -> SendOutcome {
    let others = outlet.connections().into_iter().filter(|peer| *peer != relayed.peer);
    let (mut sent, mut missed) = (0, 0);
    for peer in others {
        let queued = unconstrained(outlet.send_to(peer, &relayed.packet)).now_or_never();
        let count = if matches!(queued, Some(Ok(()))) { &mut sent } else { &mut missed };
        *count += 1;
    }
    match missed {
        0 => SendOutcome::Sent { peers: sent },
        _ => SendOutcome::Partly { sent, missed, error: FrameErrorKind::Full.into() },
    }
}
