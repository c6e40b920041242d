//! N. Dispatch and timed bundles: what is not among the tests of time.

use std::time::Duration;

use tokio_osc::schedule::{Clock, LatePolicy, TimeOptions, TokioClock};
use tokio_osc::{Bundle, Router, Server};

use super::{ended, fed, item};

/// Row N15.
/// What `dispatch_packet` returns: the number of handlers called, 0 for what waits, None for what
/// was dropped.
#[tokio::test(start_paused = true)]
async fn what_became_of_each_packet_is_counted() {
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
