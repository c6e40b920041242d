//! The task of a reconnecting client: connects, serves the connection until it ends, pauses, connects again.
//!
//! ```text
//!              attempt               fails, or ends             closed
//! Connecting ----------> Connected ----------------> Waiting ----------> Closed
//!      ^                                                |
//!      +------------------- the pause is over ----------+
//! ```
//!
//! Packets that were not sent when a connection ends go back to the queue, and leave on the next connection. A client
//! that is closed continues while its queue is not empty, for as long as a close may take.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::{ClientState, Reconnecting};
use crate::channel::stream::connection::{Connection, Sink};
use crate::channel::stream::outbox::Outbox;
use crate::channel::{Connect, Disconnect};
use crate::client::inbox::{ClientInbox, Source};
use crate::codec::{Codec, Framing, ReadPacket};
use crate::middleware::Chain;
use crate::packet::{Packet, Peer};

/// The minimum time that a closed client has to send its queue.
const CLOSE: Duration = Duration::from_secs(1);

impl<C: Connect, F: Framing> Reconnecting<C, F> {
    pub(super) async fn run(mut self, life: Life) {
        // The time a connection may take to send its queue and to be read to its end.
        let patience = self.options.linger.max(CLOSE);
        let closed = async {
            life.outbox.closed().await;
            sleep(patience).await;
        };
        tokio::select! {
            // The connections first: one that has just passed its own limit has noted the reason.
            biased;
            () = self.connect_again(&life) => {}
            () = closed => {
                if matches!(*life.states.borrow(), ClientState::Connected) {
                    life.outbox.note_unconfirmed_end();
                }
            }
        }
    }

    /// One connection after the other, until the client is closed and has sent its queue.
    async fn connect_again(&mut self, Life { outbox, inbox, states }: &Life) {
        while !outbox.is_closed() || !outbox.is_empty() {
            // The state is `Connecting` before the first attempt: that is not an event.
            states.send_if_modified(|state| {
                !matches!(std::mem::replace(state, ClientState::Connecting), ClientState::Connecting)
            });
            // An attempt that fails at once would take the state away before a watcher has seen it.
            yield_now().await;
            let sent = outbox.delivery().sent;
            let (reason, lasted) = match self.attempts.attempt(&self.options).await {
                Ok(io) => {
                    states.send_replace(ClientState::Connected);
                    let start = Instant::now();
                    (self.serve(io, outbox, inbox).await, start.elapsed())
                }
                Err(error) => (error.into(), Duration::ZERO),
            };
            if outbox.is_closed() && outbox.is_empty() {
                break;
            }
            let retry_in = self.attempts.pause_after(lasted);
            let unconfirmed = outbox.delivery().sent - sent;
            outbox.note_unconfirmed(unconfirmed);
            states.send_replace(ClientState::Waiting { reason, retry_in, unconfirmed });
            tokio::select! {
                () = sleep(retry_in) => {}
                // A close ends one pause: the peer may be back.
                () = outbox.closed(), if !outbox.is_closed() => {}
            }
        }
    }

    /// One connection, from its first packet to its end.
    async fn serve(&mut self, io: C::Io, outbox: &Arc<Outbox>, inbox: &Arc<ClientInbox>) -> Disconnect {
        // In reverse, because each is put before all that wait.
        for packet in self.on_connect.iter().rev() {
            outbox.write_own(packet, &self.options.chain, Peer::LOCAL);
        }
        let sink = ToInbox(Arc::clone(inbox));
        let codec = Codec::with_options(self.framing.clone(), self.options.decode.clone())
            .chain(self.options.chain.clone());
        let connection = Connection::new(io, codec, sink, Arc::clone(outbox), &self.options);
        tokio::select! {
            reason = connection => reason,
            never = stay_alive(self.keep_alive.as_ref(), &self.options.chain, outbox) => match never {},
        }
    }
}

/// The state that the task shares with the client. When the task ends, for any reason, the client ends too.
pub(super) struct Life {
    pub(super) outbox: Arc<Outbox>,
    pub(super) inbox: Arc<ClientInbox>,
    pub(super) states: watch::Sender<ClientState>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.outbox.close();
        self.states.send_replace(ClientState::Closed);
        self.inbox.end(Disconnect::ByUs);
    }
}

async fn stay_alive(keep_alive: Option<&(Duration, Packet)>, chain: &Chain, outbox: &Outbox) -> Infallible {
    let Some((every, packet)) = keep_alive else { return pending().await };
    loop {
        sleep(*every).await;
        if !outbox.has_own() {
            outbox.write_own(packet, chain, Peer::LOCAL);
        }
    }
}

struct ToInbox(Arc<ClientInbox>);

impl Sink for ToInbox {
    fn put(&mut self, packet: ReadPacket) {
        self.0.deliver(packet);
    }

    fn is_full(&self) -> bool {
        false
    }

    /// A peer that waits until its pushes are read would accept no packet from us.
    fn causes_replies(&self) -> bool {
        false
    }
}

/// The task reads, and delivers.
pub(super) struct ReadByTask;

impl Source for ReadByTask {
    fn poll_packet(&mut self, _cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>> {
        Poll::Pending
    }
}
