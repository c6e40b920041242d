//! The trait of all transports. Operations that do not wait are plain calls; only operations that wait are
//! boxed futures.
//!
//! [`Channel`](super::Channel), [`Outlet`](super::Outlet) and [`Client`](crate::Client) are written once,
//! against this trait, without a `match` over kinds. Only [`Transport::try_send`] accepts packets, whole or
//! not at all, so a dropped future cannot send a part of one. A future is boxed only if the transport is
//! full, so a send that does not wait allocates nothing.

use std::net::SocketAddr;
use std::task::Context;

use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::stream::BoxStream;

use crate::codec::ReadPacket;
use crate::middleware::Chain;
use crate::packet::{Peer, SendError, SendErrorKind};

/// The receiving side of a transport.
pub(crate) type Packets = BoxStream<'static, ReadPacket>;

/// The state of an accepted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The kernel has it, or the queue of the transport.
    Done,
    /// It was accepted whole. The rest is written by [`Transport::flush`].
    Rest,
    /// It waits in a queue for a connection. The number is for [`Transport::withdraw`].
    Queued(u64),
}

/// The sending side of a transport, shared by the outlets of a channel or the clones of a client.
pub(crate) trait Transport: Send + Sync + 'static {
    /// The middleware, which runs before a packet is passed to the transport.
    fn chain(&self) -> &Chain;

    /// Accepts a packet, or fails with [`SendErrorKind::Full`] if that would wait.
    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError>;

    /// Waits until `try_send` of this frame may succeed. Each caller has its own waker. Fails with `Full` if
    /// the transport never waits.
    fn ready<'a>(&'a self, frame: &'a Bytes, to: Peer) -> BoxFuture<'a, Result<(), SendError>>;

    /// Accepts a packet, and may queue it for `flush`.
    fn try_feed(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        self.try_send(frame, to)
    }

    /// Removes a packet from the queue, if it is still there.
    fn withdraw(&self, _queued: u64) {}

    /// Sends the packets queued by `try_feed`, and the rest of dropped sends.
    fn flush(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(ready(Ok(())))
    }

    /// Sends queued packets, and closes. Returns an error if some could not be delivered.
    fn close(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.flush()
    }

    /// Sends or queues a reply, without waiting. Fails with [`SendErrorKind::Full`] if too many replies to its peer
    /// wait.
    fn try_reply(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        self.try_send(frame, to)
    }

    /// The channel is not polled any more. Sends queued replies as far as that does not wait, and returns how many are
    /// dropped.
    fn end_replies(&self) -> usize {
        0
    }

    /// Called instead of a poll of the channel while no task has room for its packets. Sends queued replies, and
    /// returns whether a client that sends by this transport waits for a reply that the channel reads. The task is
    /// woken for either.
    fn poll_unread(&self, _cx: &mut Context<'_>) -> bool {
        false
    }

    /// The destination of replies to a peer.
    fn reply_peer(&self, peer: Peer) -> Peer {
        peer
    }

    /// The local address, if it is always the same.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Sends a packet, and waits while the transport is full: the only loop that does.
///
/// An accepted frame is never withdrawn: if the future is dropped in `flush`, the next sender sends the rest.
pub(crate) async fn send(transport: &dyn Transport, frame: &Bytes, to: Peer) -> Result<(), SendError> {
    // Sends that never wait would otherwise never yield, and would starve the other tasks of the thread.
    tokio::task::coop::consume_budget().await;
    loop {
        match transport.try_send(frame, to) {
            Ok(Taken::Done | Taken::Queued(_)) => return Ok(()),
            Ok(Taken::Rest) => return transport.flush().await,
            Err(error) if error.kind() == SendErrorKind::Full => transport.ready(frame, to).await?,
            Err(error) => return Err(error),
        }
    }
}
