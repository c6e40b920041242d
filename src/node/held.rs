//! Packets for unknown names.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::Packet;
use crate::node::SendOutcome;

/// How a node handles a packet for an unknown name.
///
/// ```
/// use tokio_osc::node::UnknownNames;
/// use tokio_osc::Node;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::new();
/// node.unknown_names(UnknownNames::Skip);
/// let report = node.send("video", ("/scene", 3)).await?;
/// assert_eq!(report.sent(), 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownNames {
    /// The send fails with an error that lists the known names. Nothing is sent.
    #[default]
    Refuse,
    /// The packet is sent to the known names. The report lists the unknown ones.
    Skip,
    /// The packet is sent to the known names, and waits for the unknown ones. A name that no channel can have
    /// is still refused.
    Hold(HoldLimits),
}

/// The limits of packets that wait for unknown names, for all names of a node together.
///
/// When a name is added, its packets are sent in order and before anything that is sent later, without
/// waiting: packets that the channel cannot take at once are lost and counted.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::node::{HoldLimits, UnknownNames};
/// use tokio_osc::Node;
///
/// let limits = HoldLimits::new().packets(64).bytes(16 << 10).time(Duration::from_secs(2));
/// Node::new().unknown_names(UnknownNames::Hold(limits));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldLimits {
    packets: usize,
    bytes: usize,
    time: Duration,
}

impl Default for HoldLimits {
    fn default() -> Self {
        Self { packets: 1_024, bytes: 1 << 20, time: Duration::from_secs(10) }
    }
}

impl HoldLimits {
    /// Creates the default limits: 1,024 packets, 1 MiB, 10 s.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many packets may wait. A packet for two names counts twice. When the limit is reached, a send
    /// for the name fails with [`SendErrorKind::Full`](crate::packet::SendErrorKind::Full). Default 1,024.
    pub fn packets(mut self, packets: usize) -> Self {
        self.packets = packets;
        self
    }

    /// Sets how many bytes of packets may wait. Default 1 MiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how long a packet may wait. Then it is dropped and counted. Default 10 s.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }
}

/// The counts of packets for unknown names: `held = waiting + released + failed + expired`.
///
/// ```
/// use tokio_osc::node::{HoldLimits, UnknownNames};
/// use tokio_osc::Node;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::new();
/// node.unknown_names(UnknownNames::Hold(HoldLimits::new()));
/// let _report = node.send("video", ("/scene", 3)).await?;
/// assert_eq!(node.held().waiting, 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HoldStats {
    /// Packets that had to wait, once for each name.
    pub held: u64,
    /// Packets that wait now.
    pub waiting: u64,
    /// Bytes of the packets that wait now.
    pub waiting_bytes: u64,
    /// Packets sent when their name was added.
    pub released: u64,
    /// Packets that the channel could not take at once.
    pub failed: u64,
    /// Packets whose name was not added in time. They were dropped.
    pub expired: u64,
    /// Packets over the limits. They were never held.
    pub refused: u64,
}

#[derive(Debug, Default)]
pub(super) struct HeldPackets {
    limits: HoldLimits,
    /// In order, the oldest first.
    waiting: VecDeque<HeldPacket>,
    bytes: usize,
    counts: HoldStats,
}

#[derive(Debug)]
struct HeldPacket {
    name: Arc<str>,
    packet: Packet,
    since: Instant,
}

impl HeldPackets {
    /// Sets the limits, also for packets that wait already.
    pub(super) fn set_limits(&mut self, limits: HoldLimits) {
        self.limits = limits;
    }

    /// Holds a copy of a packet for a name.
    pub(super) fn hold(&mut self, name: &Arc<str>, packet: &Packet) -> SendOutcome {
        self.expire();
        let size = packet.as_bytes().len();
        if self.waiting.len() >= self.limits.packets || self.bytes.saturating_add(size) > self.limits.bytes {
            self.counts.refused += 1;
            return SendOutcome::full();
        }
        let (name, packet) = (Arc::clone(name), packet.as_ref().to_owned());
        self.waiting.push_back(HeldPacket { name, packet, since: Instant::now() });
        self.bytes += size;
        self.counts.held += 1;
        SendOutcome::Held
    }

    /// Takes the packets of a name, in order.
    pub(super) fn take(&mut self, name: &str) -> Vec<Packet> {
        self.expire();
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (taken, left): (VecDeque<_>, _) = waiting.partition(|held| *held.name == *name);
        self.waiting = left;
        self.bytes -= taken.iter().map(|held| held.packet.as_bytes().len()).sum::<usize>();
        taken.into_iter().map(|held| held.packet).collect()
    }

    pub(super) fn note_released(&mut self, sent: bool) {
        let count = if sent { &mut self.counts.released } else { &mut self.counts.failed };
        *count += 1;
    }

    pub(super) fn counts(&mut self) -> HoldStats {
        self.expire();
        let (waiting, waiting_bytes) = (self.waiting.len() as u64, self.bytes as u64);
        HoldStats { waiting, waiting_bytes, ..self.counts }
    }

    /// Drops packets that waited too long.
    fn expire(&mut self) {
        while let Some(oldest) = self.waiting.front() {
            if oldest.since.elapsed() < self.limits.time {
                return;
            }
            self.bytes -= oldest.packet.as_bytes().len();
            self.waiting.pop_front();
            self.counts.expired += 1;
        }
    }
}
