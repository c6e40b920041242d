//! The one trait that every kind of transport implements. What does not wait is a plain call; only what waits is a
//! boxed future.
//!
//! [`Channel`](super::Channel), [`Outlet`](super::Outlet) and [`Client`](crate::Client) are written once, on
//! this trait: above it there is no `match` over kinds. A packet is taken in [`Transport::try_send`] alone,
//! whole or not at all, so no dropped future can tear one. A box is made only when the transport is full, so
//! a send that need not wait allocates nothing.

use std::net::SocketAddr;
use std::task::Context;

use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::stream::BoxStream;

use crate::codec::ReadPacket;
use crate::middleware::Chain;
use crate::packet::{Peer, SendError, SendErrorKind};

/// The packets that a transport receives.
pub(crate) type Packets = BoxStream<'static, ReadPacket>;

/// What became of a packet that a transport has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The kernel has it, or the queue that the transport promises.
    Done,
    /// It is taken whole; a rest waits for [`Transport::flush`].
    Rest,
    /// It waits in a queue for a connection; [`Transport::withdraw`] takes this number.
    Queued(u64),
}

/// What sends packets, shared by the outlets of a channel or the clones of a client.
pub(crate) trait Transport: Send + Sync + 'static {
    /// The middleware. It runs before a packet is handed to the transport.
    fn chain(&self) -> &Chain;

    /// Takes a packet, or fails with [`SendErrorKind::Full`] where that would wait.
    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError>;

    /// Waits until `try_send` of this frame may succeed. Each caller has a waker of its own. Fails with
    /// `Full` where a transport lets no sender wait.
    fn ready<'a>(&'a self, frame: &'a Bytes, to: Peer) -> BoxFuture<'a, Result<(), SendError>>;

    /// Takes a packet, and may keep it for `flush`.
    fn try_feed(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        self.try_send(frame, to)
    }

    /// Takes a packet out of the queue, if it still waits there.
    fn withdraw(&self, _queued: u64) {}

    /// Sends what `try_feed` and dropped sends have left.
    fn flush(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(ready(Ok(())))
    }

    /// Sends what waits, and closes. What could not be delivered is an error.
    fn close(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.flush()
    }

    /// Takes a reply: sends it or queues it, and never waits. Fails with [`SendErrorKind::Full`] where its peer
    /// has more replies waiting than it may.
    fn try_reply(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        self.try_send(frame, to)
    }

    /// In the place of a poll of the channel, while nothing has room for its packets: sends replies that wait, and
    /// says whether a client that sends by this transport waits for a reply that the channel reads. The task is
    /// woken for either.
    fn poll_unread(&self, _cx: &mut Context<'_>) -> bool {
        false
    }

    /// Where replies to a peer go.
    fn reply_peer(&self, peer: Peer) -> Peer {
        peer
    }

    /// The local address, if there is always the same one.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Sends a packet, and waits while the transport is full: the only loop that does.
///
/// A frame that was taken is never taken back: a future that is dropped in `flush` leaves the rest for the
/// next sender.
pub(crate) async fn send(transport: &dyn Transport, frame: &Bytes, to: Peer) -> Result<(), SendError> {
    // Sends that never wait would otherwise never yield, and starve the other tasks of the thread.
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
