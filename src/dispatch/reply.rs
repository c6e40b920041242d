//! The extractor to answer with, during the call or after it.

use std::fmt;
use std::sync::Arc;

use super::reply_path::{ReplyBudget, ReplyChannel, ReplyError};
use super::signature::Signature;
use super::{Context, FromContext, Rejection};
use crate::packet::{IntoPacket, Peer, SendError};

/// Sends replies to the sender of a message, during the call or later, any number of times.
///
/// A `Reply` belongs to one received packet. To push messages, use
/// [`Outlet::send_to`](crate::channel::Outlet::send_to) or [`Subscribers`](crate::tools::Subscribers).
///
/// One received packet causes at most 64 packets and 64 KiB of replies, from all handles and return values
/// together. Because the address of a UDP sender may be forged, a datagram of another host also causes at most 64
/// bytes for each of its own ([`Server::reply_amplification`](crate::Server::reply_amplification)).
/// [`Server::reply_rate`](crate::Server::reply_rate) limits the replies to all packets of one source. A handle
/// keeps the socket open.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Reply, Router};
///
/// let router = Router::new().route("/measure", |reply: Reply| {
///     tokio::spawn(async move {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         reply.send(("/measured", 42)).await
///     });
/// });
/// ```
#[derive(Clone)]
pub struct Reply {
    channel: Arc<ReplyChannel>,
    peer: Peer,
    budget: Arc<ReplyBudget>,
}

impl Reply {
    /// Sends a packet to the sender of the message. It never waits, and does the same as
    /// [`try_send`](Reply::try_send).
    ///
    /// # Errors
    /// Same as [`try_send`](Reply::try_send).
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet was sent whole or not at all.
    #[expect(clippy::unused_async, reason = "sending is awaited everywhere, whether or not it has to wait")]
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), ReplyError> {
        self.try_send(packet)
    }

    /// Sends a packet to the sender of the message, for handlers that do not await: on any thread, in a runtime
    /// or not.
    ///
    /// A reply to a datagram waits in a queue of 64 while the socket has no room; one network has at most 8 of them.
    /// A reply on a connection waits in the queue of the connection. The task of the server sends both.
    ///
    /// ```
    /// use tokio_osc::{Args, Reply, Router};
    ///
    /// let router = Router::new().route("/double", |Args(n): Args<i32>, reply: Reply| {
    ///     reply.try_send(("/doubled", n * 2)).ok();
    /// });
    /// ```
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded, the budget is spent, the rate is reached, the queue is full
    /// ([`SendErrorKind::Full`](crate::packet::SendErrorKind::Full)), or the transport refuses the packet.
    pub fn try_send(&self, packet: impl IntoPacket) -> Result<(), ReplyError> {
        let packet = packet.into_packet().map_err(SendError::from)?;
        self.channel.send(&self.budget, packet, self.peer).map(drop)
    }

    /// Returns the peer that receives the reply.
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl<S> FromContext<S> for Reply {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let channel = context.replies.channel.ok_or(Rejection::CannotReply)?;
        let budget = context.replies.budget(context.meta().peer);
        Ok(Self { channel: Arc::clone(channel), peer: context.meta().peer, budget })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("peer", &self.peer).finish_non_exhaustive()
    }
}
