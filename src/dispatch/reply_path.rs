//! The path of a reply: by the channel that received the packet, in the peer's time, and within a budget. The
//! sender of a packet can be forged, so a small packet must not cause a flood of replies.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::SourceRate;
use crate::lock::lock;
use crate::packet::{Packet, Peer, SendError, SendErrorKind, SendTo, Sent};
use crate::types::ClockOffset;

/// Replies per packet.
const MAX_REPLIES: usize = 64;
/// Bytes of replies per packet.
const MAX_BYTES: usize = 64 * 1_024;
/// Bytes of replies for each byte of a packet of another host, by default.
const AMPLIFICATION: usize = 64;
/// Replies per second to a source on another host, and at once, by default.
const RATE: (u32, u32) = (1_000, 1_000);

/// Why a reply was not sent.
///
/// ```
/// use tokio_osc::dispatch::ReplyError;
/// use tokio_osc::{Reply, Router};
///
/// let router = Router::new().route("/list", async |reply: Reply| {
///     for n in 0..1_000 {
///         match reply.send(("/item", n)).await {
///             Err(ReplyError::Budget) => break,               // 64 items are sent
///             result => result.unwrap_or_else(|error| eprintln!("{error}")),
///         }
///     }
/// });
/// ```
#[non_exhaustive]
pub enum ReplyError {
    /// The packet has caused 64 replies, 64 KiB of replies, or as many bytes as a packet of its size may cause
    /// ([`Server::reply_amplification`](crate::Server::reply_amplification)).
    Budget,
    /// The source has reached its rate of replies ([`Server::reply_rate`](crate::Server::reply_rate)).
    Rate,
    /// The packet cannot be encoded, or the transport refused it.
    Send(SendError),
}

impl From<SendError> for ReplyError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget => f.write_str("the packet has as many replies, or bytes of them, as it may"),
            Self::Rate => f.write_str("the source has as many replies as it may"),
            Self::Send(error) => error.fmt(f),
        }
    }
}

readable! { enum ReplyError { Budget, Rate, Send(error) } }

impl std::error::Error for ReplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Budget | Self::Rate => None,
            Self::Send(error) => error.source(),
        }
    }
}

/// The reply path of the packet that is being handled: its channel, if that can send, and the remaining
/// budget.
#[derive(Clone, Copy)]
pub(crate) struct ReplyPath<'a> {
    pub(crate) channel: Option<&'a Arc<ReplyChannel>>,
    pub(crate) limits: &'a Arc<ReplyLimits>,
    pub(crate) budget: &'a PacketBudget,
}

impl ReplyPath<'_> {
    pub(crate) fn budget(&self, peer: Peer) -> Arc<ReplyBudget> {
        let mut made = lock(&self.budget.made);
        let made =
            made.get_or_insert_with(|| Arc::new(ReplyBudget::new(self.limits, self.budget.received, peer)));
        Arc::clone(made)
    }

    /// Sends a packet, as the budget allows.
    pub(crate) fn send(&self, packet: Packet, peer: Peer) -> Result<Sent, ReplyError> {
        let channel = self.channel.ok_or(SendError::from(SendErrorKind::Closed))?;
        channel.send(&self.budget(peer), packet, peer)
    }
}

/// The budget of the packet that is being handled, which all its handlers share. Made with the first reply: most
/// packets have none.
#[derive(Debug, Default)]
pub(crate) struct PacketBudget {
    /// Bytes of the packet.
    received: usize,
    // Not a `OnceLock`: that takes a hundred instructions to fill.
    made: Mutex<Option<Arc<ReplyBudget>>>,
}

impl PacketBudget {
    /// Of a packet of this size.
    pub(crate) fn new(received: usize) -> Self {
        Self { received, made: Mutex::default() }
    }

    /// Begins with another packet: its replies are on another account, also while `Reply` handles of the last
    /// one live.
    #[inline]
    pub(crate) fn renew(&mut self, received: usize) {
        self.received = received;
        *self.made.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// For a call that outlives the turn of its packet.
impl From<Arc<ReplyBudget>> for PacketBudget {
    fn from(made: Arc<ReplyBudget>) -> Self {
        Self { received: 0, made: Mutex::new(Some(made)) }
    }
}

/// The reply path of a channel.
pub(crate) struct ReplyChannel {
    pub(crate) outlet: Box<dyn SendTo>,
    pub(crate) clock_offset: SharedOffset,
}

impl ReplyChannel {
    /// Sends a packet if the budget allows it. Time tags are converted to the peer's clock.
    pub(super) fn send(&self, budget: &ReplyBudget, packet: Packet, peer: Peer) -> Result<Sent, ReplyError> {
        budget.take(packet.as_bytes().len(), peer)?;
        let packet = match packet {
            Packet::Message(_) => packet,
            Packet::Bundle(bundle) => self.clock_offset.get().bundle_to_peer(&bundle).into(),
        };
        Ok(self.outlet.send(packet, peer)?)
    }
}

/// The clock offset of a channel, which may change while it is used.
#[derive(Clone, Debug)]
pub(crate) struct SharedOffset(Arc<AtomicI64>);

impl SharedOffset {
    pub(crate) fn new(offset: ClockOffset) -> Self {
        Self(Arc::new(AtomicI64::new(offset.as_nanos())))
    }

    pub(crate) fn get(&self) -> ClockOffset {
        ClockOffset::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, offset: ClockOffset) {
        self.0.store(offset.as_nanos(), Ordering::Relaxed);
    }
}

/// Limits of the replies to a source. Packets with the forged address of a victim would make this host flood it.
#[derive(Clone, Debug)]
pub(crate) struct ReplyLimits {
    pub(crate) rate: Limited<Arc<SourceRate>>,
    /// Bytes of replies for each byte of a packet.
    pub(crate) amplification: Limited<usize>,
}

/// A limit, and the peers that it applies to. A peer with a connection has shown that its address is its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limited<T> {
    /// Sources of datagrams.
    All(T),
    /// Those of them that are on other hosts: a packet of this host has no victim elsewhere.
    OtherHosts(T),
}

impl<T> Limited<T> {
    /// The limit for a peer, and its address; `None` if there is none.
    fn of(&self, peer: Peer) -> Option<(&T, IpAddr)> {
        let source = peer.ip().filter(|_| peer.connection().is_none())?.to_canonical();
        match self {
            Self::All(limit) => Some((limit, source)),
            Self::OtherHosts(limit) => (!source.is_loopback()).then_some((limit, source)),
        }
    }
}

impl Default for ReplyLimits {
    fn default() -> Self {
        let (per_second, burst) = RATE;
        Self {
            rate: Limited::OtherHosts(Arc::new(SourceRate::new(per_second, burst))),
            amplification: Limited::OtherHosts(AMPLIFICATION),
        }
    }
}

/// The remaining reply budget of one packet.
#[derive(Debug)]
pub(crate) struct ReplyBudget {
    replies: AtomicUsize,
    bytes: AtomicUsize,
    /// The limits of its source.
    limits: Arc<ReplyLimits>,
}

impl ReplyBudget {
    /// Creates the budget of a packet with this many bytes.
    pub(crate) fn new(limits: &Arc<ReplyLimits>, received: usize, peer: Peer) -> Self {
        let most = limits.amplification.of(peer).map(|(factor, _)| received.saturating_mul(*factor));
        let bytes = most.unwrap_or(MAX_BYTES).min(MAX_BYTES);
        let (replies, bytes) = (AtomicUsize::new(MAX_REPLIES), AtomicUsize::new(bytes));
        Self { replies, bytes, limits: Arc::clone(limits) }
    }

    /// Reserves a reply of this size to this peer, if the budget suffices.
    pub(crate) fn take(&self, bytes: usize, peer: Peer) -> Result<(), ReplyError> {
        if !self.holds(bytes) {
            return Err(ReplyError::Budget);
        }
        let admitted = self.limits.rate.of(peer).is_none_or(|(rate, source)| rate.take(source));
        admitted.then_some(()).ok_or(ReplyError::Rate)
    }

    fn holds(&self, bytes: usize) -> bool {
        take(&self.bytes, bytes) && (take(&self.replies, 1) || give(&self.bytes, bytes))
    }
}

fn take(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).is_ok()
}

/// Refunds a failed reservation and returns `false`, so that it can end an `||` chain.
fn give(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_add(amount, Ordering::Relaxed);
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::ConnectionId;

    fn budget(limits: ReplyLimits, received: usize, peer: Peer) -> ReplyBudget {
        ReplyBudget::new(&Arc::new(limits), received, peer)
    }

    fn all_of(amplification: usize) -> ReplyLimits {
        ReplyLimits { amplification: Limited::All(amplification), ..ReplyLimits::default() }
    }

    fn there() -> Peer {
        Peer::from(([192, 0, 2, 1], 9_000))
    }

    #[test]
    fn both_limits_hold_on_both_sides() {
        let local = || budget(ReplyLimits::default(), 8, Peer::LOCAL);
        let of_count = local();
        assert!((0..MAX_REPLIES).all(|_| of_count.holds(4)));
        assert!(!of_count.holds(4));

        let of_bytes = local();
        assert!(!of_bytes.holds(MAX_BYTES + 1));
        assert!(of_bytes.holds(MAX_BYTES));
        assert!(!of_bytes.holds(1));
        assert!(of_bytes.holds(0));
    }

    #[test]
    fn a_datagram_of_another_host_causes_a_multiple_of_its_bytes() {
        let small = budget(ReplyLimits::default(), 8, there());
        assert!(!small.holds(8 * AMPLIFICATION + 1));
        assert!(small.holds(8 * AMPLIFICATION));
        assert!(!small.holds(1));
        assert!(budget(ReplyLimits::default(), 60_000, there()).holds(MAX_BYTES), "never more than that");
    }

    #[test]
    fn this_host_and_connections_have_what_any_packet_has() {
        let here = Peer::from(([127, 0, 0, 1], 9_000));
        let connected = there().with_connection(ConnectionId::FIRST);
        for peer in [here, connected, Peer::LOCAL] {
            assert!(budget(ReplyLimits::default(), 8, peer).holds(MAX_BYTES));
        }
        assert!(!budget(all_of(2), 8, here).holds(17), "what is set is for all datagrams");
        assert!(budget(all_of(2), 8, connected).holds(17));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_has_its_rate_whatever_its_port() {
        let rate = Limited::All(Arc::new(SourceRate::new(1, 1)));
        let limits = Arc::new(ReplyLimits { rate, ..ReplyLimits::default() });
        let reply = |peer| ReplyBudget::new(&limits, 8, peer).take(8, peer).is_ok();
        assert!(reply(Peer::from(([127, 0, 0, 1], 1))));
        assert!(!reply(Peer::from(([127, 0, 0, 1], 2))));
        assert!((0..100).all(|_| reply(Peer::LOCAL) && reply(there().with_connection(ConnectionId::FIRST))));
    }
}
