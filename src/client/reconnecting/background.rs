//! The client's side of a reconnecting client: a queue, which stays while the connections change.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::unfold;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::channel::stream::outbox::Outbox;
use crate::channel::transport::{Taken, Transport};
use crate::channel::{Delivery, Disconnect, Events};
use crate::client::inbox::{ClientInbox, WaitFor};
use crate::middleware::Chain;
use crate::packet::{Overflow, Peer, SendError, SendErrorKind};

/// The state of a reconnecting client. An item of [`Client::states`](crate::Client::states).
///
/// ```
/// use tokio_osc::client::ClientState;
///
/// fn lamp(state: &ClientState) -> &'static str {
///     match state {
///         ClientState::Connected => "green",
///         ClientState::Closed => "off",
///         _ => "red",
///     }
/// }
/// assert_eq!(lamp(&ClientState::Connecting), "red");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientState {
    /// It is connecting.
    Connecting,
    /// It is connected.
    Connected,
    /// It is not connected, and waits before the next attempt.
    Waiting {
        /// Why it is not connected.
        reason: Disconnect,
        /// The time until the next attempt.
        retry_in: Duration,
        /// The number of packets handed to the operating system on the broken connection. OSC has no
        /// acknowledgement, so the last of them may be lost.
        unconfirmed: u64,
    },
    /// It was closed.
    Closed,
}

/// The transport of a reconnecting client.
pub(crate) struct Background {
    pub(super) outbox: Arc<Outbox>,
    pub(super) inbox: Arc<ClientInbox>,
    pub(super) overflow: Overflow,
    pub(super) refuses_offline: bool,
    pub(super) chain: Chain,
    pub(super) states: watch::Receiver<ClientState>,
    pub(super) task: AbortHandle,
}

impl Background {
    pub(crate) fn delivery(&self) -> Delivery {
        self.outbox.delivery()
    }

    pub(crate) fn states(&self) -> Events<ClientState> {
        let mut states = self.states.clone();
        states.mark_changed();
        Events::new(unfold(states, async |mut states| {
            states.changed().await.ok()?;
            let state = states.borrow_and_update().clone();
            Some((state, states))
        }))
    }

    async fn closed(&self) -> Result<(), SendError> {
        let end = self.inbox.join(WaitFor::End);
        while poll_fn(|cx| end.poll(cx)).await.is_ok() {}
        let lost = match self.outbox.delivery().queued {
            0 if !self.outbox.is_end_unconfirmed() => return Ok(()),
            0 => "the peer has not closed the connection in time: the last packets may be lost".to_owned(),
            queued => format!("no connection has taken {queued} packets in time"),
        };
        Err(io::Error::new(io::ErrorKind::TimedOut, lost).into())
    }
}

impl Transport for Background {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn try_send(&self, frame: &Bytes, _to: Peer) -> Result<Taken, SendError> {
        if self.refuses_offline && !matches!(*self.states.borrow(), ClientState::Connected) {
            let text = "the client is not connected";
            return Err(io::Error::new(io::ErrorKind::NotConnected, text).into());
        }
        // A copy of exactly its size: a queued packet must not keep the sender's buffer alive.
        let frame = Bytes::copy_from_slice(frame);
        match self.overflow {
            Overflow::DropOldest => self.outbox.push_over_oldest(&frame).map(Taken::Queued),
            Overflow::DropNewest | Overflow::Wait => self.outbox.push(frame).map(Taken::Queued),
        }
    }

    fn ready<'a>(&'a self, frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            if self.overflow != Overflow::Wait {
                return Err(SendErrorKind::Full.into());
            }
            self.outbox.space(frame.len()).await;
            Ok(())
        }
        .boxed()
    }

    fn withdraw(&self, queued: u64) {
        self.outbox.withdraw(queued);
    }

    fn close(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.outbox.close();
        self.closed().boxed()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.task.abort();
    }
}
