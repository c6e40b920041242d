//! V. Start and stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::channel::mpsc;
use tokio::time::Instant;
use tokio_osc::{
    Bundle, Channel, ChannelErrorKind, Clock, Router, Server, ServerHandle, Shutdown, State, TokioClock,
};

use super::{Item, LOOPBACK, item};

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

/// `osc_terminate` waits for the earliest pending bundle; here, what waits is dropped at once and
/// counted, or awaited if that is asked for.
#[tokio::test(start_paused = true)]
async fn v11_a_shutdown_waits_for_bundles_only_if_it_is_told_to() {
    let count = Count::default();
    let start = Instant::now();
    let (server, _sender) = waiting(&count).await;
    assert_eq!(server.shutdown().await.discarded, 1);
    assert_eq!((start.elapsed(), count.load(SeqCst)), (Duration::ZERO, 0));

    let (server, _sender) = waiting(&count).await;
    let report = server.shutdown_with(Shutdown::new().drain().deadline(Duration::from_secs(60))).await;
    assert_eq!((report.server.discarded, count.load(SeqCst)), (0, 1));
    assert_eq!(start.elapsed(), Duration::from_secs(3));

    let (server, _sender) = waiting(&count).await;
    let report = server.shutdown_with(Shutdown::new().drain().deadline(Duration::from_secs(1))).await;
    assert_eq!((report.server.discarded, count.load(SeqCst)), (1, 1));
    assert_eq!(start.elapsed(), Duration::from_secs(4));
}

/// There, the bundles of the old run call the old handlers in the new one.
#[tokio::test(start_paused = true)]
async fn v12_a_restart_is_a_new_server() {
    let (old, new) = (Count::default(), Count::default());
    let (server, _sender) = waiting(&old).await;
    server.shutdown().await;
    let (server, _sender) = waiting(&new).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((old.load(SeqCst), new.load(SeqCst)), (0, 1));
    server.shutdown().await;
}

/// A channel that cannot be opened leaves no name behind, and one that was removed neither.
#[tokio::test]
async fn q15_a_name_belongs_to_a_channel_that_is_there() {
    let channel = async || Channel::udp(LOOPBACK).await.unwrap();
    let server = Server::new(Router::new()).listen("stage", channel().await).spawn();
    let taken = server.local_addr("stage").unwrap();
    let error = server.listen("stage", channel().await).unwrap_err();
    assert_eq!(error.kind(), ChannelErrorKind::Duplicate);

    assert!(Channel::udp(taken).await.is_err(), "the port is taken");
    server.listen("desk", channel().await).unwrap();
    server.remove("stage").await.unwrap();
    server.listen("stage", Channel::udp(taken).await.unwrap()).unwrap();
    server.shutdown().await;
}
