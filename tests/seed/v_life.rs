//! V. Start and stop: what is not among the tests of the life of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::channel::mpsc;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::{Bundle, Router, Server, ServerHandle, State};

use super::{Item, item};

type Count = Arc<AtomicUsize>;

/// A server that counts, with a bundle that waits for three seconds.
async fn waiting(count: &Count) -> (ServerHandle, mpsc::UnboundedSender<Item>) {
    let router = Router::with_state(Arc::clone(count))
        .route("/a", |State(count): State<Count>| _ = count.fetch_add(1, SeqCst));
    let clock = TokioClock::new();
    let (sender, packets) = mpsc::unbounded();
    sender.unbounded_send(item(Bundle::at(clock.after(Duration::from_secs(3))).with(("/a", ())))).unwrap();
    let server = Server::new(router).feed("test", packets).clock(clock).spawn();
    while server.stats().schedule.pending < 1 {
        tokio::task::yield_now().await;
    }
    (server, sender)
}

/// Row V12.
/// There, the bundles of the old run call the old handlers in the new one.
#[tokio::test(start_paused = true)]
async fn a_restart_is_a_new_server() {
    let (old, new) = (Count::default(), Count::default());
    let (server, _sender) = waiting(&old).await;
    server.shutdown().await;
    let (server, _sender) = waiting(&new).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((old.load(SeqCst), new.load(SeqCst)), (0, 1));
    server.shutdown().await;
}
