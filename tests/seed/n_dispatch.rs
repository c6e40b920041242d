//! N. Dispatch and timed bundles: rows that the tests of time do not cover.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio_osc::packet::Rest;
use tokio_osc::schedule::{Clock, LatePolicy, TimeOptions, TokioClock};
use tokio_osc::{Args, Bundle, Router, Server};

use super::{ended, fed, item};

/// Row N15.
/// What `dispatch_packet` returns: the number of handlers called, 0 for a packet that waits, None for
/// one that was dropped.
#[tokio::test(start_paused = true)]
async fn the_outcome_of_each_packet_is_counted() {
    let clock = TokioClock::new();
    let late = TimeOptions::new().late(LatePolicy::DropAfter(Duration::from_millis(1)));
    let items = [
        item(("/a", ())),
        item(Bundle::at(clock.after(Duration::from_secs(3))).with(("/a", ()))),
        item(Bundle::at(clock.after(Duration::ZERO) - Duration::from_secs(3)).with(("/a", ()))),
    ];
    let router = Router::new().route("/a", || {}).route("/?", || {});
    let packets = futures::stream::iter(items);
    let server = Server::new(router).feed("test", packets).clock(clock).time(late).spawn();
    while server.stats().received < 3 {
        tokio::task::yield_now().await;
    }
    while server.stats().handled < 2 {
        tokio::task::yield_now().await;
    }
    let stats = server.stats();
    assert_eq!((stats.matched, stats.handled), (1, 2), "two handlers at once");
    assert_eq!((stats.schedule.pending, stats.late_dropped), (1, 1));
    assert_eq!(ended(server).await.handled, 4);
}

/// Row N16.
#[tokio::test]
async fn two_routers_dispatch_each_for_itself() {
    let one = Router::new().route("/one", || {});
    let other = Router::new().route("/other", || {});
    let items = || [item(("/one", ())), item(("/other", ())), item(("/other", ()))];
    let (one, other) = tokio::join!(fed(one, items()), fed(other, items()));
    assert_eq!((one.matched, one.unmatched), (1, 2));
    assert_eq!((other.matched, other.unmatched), (2, 1));
}

/// Row P15.
/// There, an exception is swallowed. Here each kind of failure is counted, and the other handlers of the
/// message and the messages behind it have their turn.
#[tokio::test]
async fn a_handler_that_fails_in_any_way_leaves_the_others_their_turn() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let router = Router::new()
        .route("/a", |Args(n): Args<i32>| assert!(n != 1, "on purpose"))
        .route("/a", |Args(n): Args<i32>| if n == 2 { Err("on purpose") } else { Ok(()) })
        .route("/a", |Args((_, _)): Args<(i32, i32)>| {})
        .route("/a", move |_: Rest| _ = count.fetch_add(1, SeqCst));
    let stats = fed(router, [1, 2, 3].map(|n| item(("/a", n)))).await;
    assert_eq!((stats.panicked, stats.failed, stats.rejected), (1, 1, 3));
    assert_eq!(heard.load(SeqCst), 3);
}
