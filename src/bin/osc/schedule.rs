//! Timed bundles that wait until they are due: packets go through a server, which hands over their
//! messages when it is time.

use futures::stream::{Stream, StreamExt as _, poll_fn};
use tokio::sync::mpsc::{Sender, channel};
use tokio_osc::packet::DecodeError;
use tokio_osc::schedule::ScheduleLimits;
use tokio_osc::{Message, Meta, Packet, Router, Server, ServerHandle, State};

use crate::output::note;

/// A server that holds bundles until they are due.
pub(crate) struct Schedule {
    server: ServerHandle,
}

impl Schedule {
    /// Reads a stream, and yields the messages when they are due. One peer may fill the schedule.
    pub(crate) fn of<P>(packets: P) -> (Self, impl Stream<Item = (Packet, Meta)> + Send + 'static)
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        let (hand_over, mut due) = channel::<(Message, Meta)>(1);
        let limits = ScheduleLimits::default();
        let limits = limits.entries_per_peer(limits.entries).bytes_per_peer(limits.bytes);
        let router = Router::with_state(hand_over).fallback(hand);
        let server = Server::new(router).schedule(limits).feed("dump", packets).spawn();
        let due = poll_fn(move |cx| due.poll_recv(cx));
        (Self { server }, due.map(|(message, meta)| (message.into(), meta)))
    }

    /// Reports the dropped bundles, and those that still wait.
    pub(crate) async fn end(self) {
        let stats = self.server.shutdown().await;
        let dropped = stats.schedule.dropped_entries + stats.schedule.dropped_bytes;
        if dropped > 0 {
            note(format_args!("osc: timed bundles dropped because too many waited: {dropped}"));
        }
        if stats.discarded > 0 {
            note(format_args!("osc: timed bundles that were not due yet: {}", stats.discarded));
        }
    }
}

/// Waits until the message is taken: nothing is lost, and those behind it wait.
async fn hand(State(hand_over): State<Sender<(Message, Meta)>>, message: Message, meta: Meta) {
    // At the end the receiver is gone: bundles that become due then are not printed.
    let _ = hand_over.send((message, meta)).await;
}
