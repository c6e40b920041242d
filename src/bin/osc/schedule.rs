//! Timed bundles that wait until they are due: packets go through a server, which hands over their
//! messages when it is time.

use futures::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_osc::{DecodeError, Message, Meta, Packet, Router, ScheduleLimits, Server, ServerHandle, State};

use crate::notes::note;

/// A server that holds what is not due.
pub(crate) struct Schedule {
    server: ServerHandle,
    due: Receiver<(Message, Meta)>,
}

impl Schedule {
    /// Takes all that a stream has. One peer may fill it alone.
    pub(crate) fn of<P>(packets: P) -> Self
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        let (hand_over, due) = channel(1);
        let limits = ScheduleLimits::default();
        let limits = limits.entries_per_peer(limits.entries).bytes_per_peer(limits.bytes);
        let router = Router::with_state(hand_over).fallback(hand);
        let server = Server::new(router).schedule(limits).feed("dump", packets).spawn();
        Self { server, due }
    }

    /// The next message that is due. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<(Packet, Meta)> {
        self.due.recv().await.map(|(message, meta)| (message.into(), meta))
    }

    /// Says what was dropped, and what would still have come.
    pub(crate) async fn end(self) {
        drop(self.due);
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
    // Nobody takes it any more at the end.
    let _ = hand_over.send((message, meta)).await;
}
