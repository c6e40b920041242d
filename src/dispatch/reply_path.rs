//! How a reply leaves: by the channel that the packet came by, on the peer's clock, and within what one
//! packet may cause: its sender can be forged, and a small question must not become a flood of answers.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::ReplyRate;
use crate::packet::{Packet, Peer, SendError, SendErrorKind, SendTo, Sending, Sent};
use crate::types::ClockOffset;

/// Replies per packet.
const MAX_REPLIES: usize = 64;
/// Bytes of replies per packet.
const MAX_BYTES: usize = 64 * 1_024;

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
    /// 64 replies or 64 KiB went out for the packet already.
    Budget,
    /// The source has as many replies as it may
    /// ([`Server::reply_rate`](crate::Server::reply_rate)).
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
            Self::Budget => f.write_str("the budget of 64 replies and 64 KiB is spent"),
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

/// How the packet that is being handled can be answered: by the channel that it came by, if that can
/// send, and within what the packet may still cause.
#[derive(Clone, Copy)]
pub(crate) struct ReplyPath<'a> {
    pub(crate) channel: Option<&'a Arc<ReplyChannel>>,
    pub(crate) rate: Option<&'a Arc<ReplyRate>>,
    /// Made with the first reply: most packets have none.
    pub(crate) budget: &'a OnceLock<Arc<ReplyBudget>>,
}

impl ReplyPath<'_> {
    pub(crate) fn budget(&self) -> &Arc<ReplyBudget> {
        self.budget.get_or_init(|| Arc::new(ReplyBudget::new(self.rate.cloned())))
    }

    /// Sends a packet, as the budget allows.
    pub(crate) async fn send(&self, packet: Packet, peer: Peer) -> Result<Sent, ReplyError> {
        let channel = self.channel.ok_or(SendError::from(SendErrorKind::Closed))?;
        channel.send(self.budget(), packet, peer).await
    }
}

/// How the replies to a channel's packets leave.
pub(crate) struct ReplyChannel {
    pub(crate) outlet: Box<dyn SendTo>,
    pub(crate) clock_offset: SharedOffset,
}

impl ReplyChannel {
    /// The packet as it leaves, if the budget allows it: the tags of bundles are on the peer's clock.
    pub(super) fn prepare(
        &self,
        budget: &ReplyBudget,
        packet: Packet,
        peer: Peer,
    ) -> Result<Packet, ReplyError> {
        budget.take(packet.as_bytes().len(), peer)?;
        Ok(match packet {
            Packet::Message(_) => packet,
            Packet::Bundle(bundle) => self.clock_offset.get().bundle_to_peer(&bundle).into(),
        })
    }

    pub(super) async fn send(
        &self,
        budget: &ReplyBudget,
        packet: Packet,
        peer: Peer,
    ) -> Result<Sent, ReplyError> {
        let packet = self.prepare(budget, packet, peer)?;
        let sent = match self.outlet.send(packet, peer) {
            Sending::Done(sent) => sent,
            Sending::Waits(sending) => sending.await,
        };
        Ok(sent?)
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

/// What one packet may still cause in replies.
#[derive(Debug)]
pub(crate) struct ReplyBudget {
    replies: AtomicUsize,
    bytes: AtomicUsize,
    /// What the source may cause with all its packets.
    rate: Option<Arc<ReplyRate>>,
}

impl ReplyBudget {
    pub(crate) fn new(rate: Option<Arc<ReplyRate>>) -> Self {
        Self { replies: AtomicUsize::new(MAX_REPLIES), bytes: AtomicUsize::new(MAX_BYTES), rate }
    }

    /// Takes a reply of this size to this peer out of it, if that is still there.
    pub(crate) fn take(&self, bytes: usize, peer: Peer) -> Result<(), ReplyError> {
        if !self.holds(bytes) {
            return Err(ReplyError::Budget);
        }
        let admitted = self.rate.as_ref().is_none_or(|rate| rate.admits(peer));
        admitted.then_some(()).ok_or(ReplyError::Rate)
    }

    fn holds(&self, bytes: usize) -> bool {
        take(&self.bytes, bytes) && (take(&self.replies, 1) || give(&self.bytes, bytes))
    }
}

fn take(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).is_ok()
}

/// Gives back what was taken for nothing; false, for that nothing came of it.
fn give(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_add(amount, Ordering::Relaxed);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_on_both_sides() {
        let budget = ReplyBudget::new(None);
        assert!((0..MAX_REPLIES).all(|_| budget.holds(4)));
        assert!(!budget.holds(4));

        let budget = ReplyBudget::new(None);
        assert!(!budget.holds(MAX_BYTES + 1));
        assert!(budget.holds(MAX_BYTES));
        assert!(!budget.holds(1));
        assert!(budget.holds(0));
    }
}
