//! Routes that come and go while messages flow.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio_osc::dispatch::{LiveRoutes, RouteGuard};
use tokio_osc::{Args, Router, Server, State, on};

use super::{ended, feed, item, log, names, note};

#[tokio::test]
async fn a_route_hears_messages_from_when_it_is_added_to_when_it_is_removed() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log)).route("/*", note("always"));
    let live = router.live();
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    let send = async |count| {
        sender.unbounded_send(item(("/a", ()))).unwrap();
        while server.stats().handled < count {
            tokio::task::yield_now().await;
        }
        names(&log)
    };
    assert_eq!(send(1).await, ["always"]);
    let route = live.route("/a", note("live"));
    assert_eq!(send(3).await, ["always", "live"]);
    let guard = live.merge(Router::with_state(Arc::clone(&log)).route("/?", note("merged"))).guard();
    assert_eq!(send(6).await, ["always", "live", "merged"]);
    assert!(route.remove());
    assert!(!route.remove(), "once");
    assert_eq!(send(8).await, ["always", "merged"]);
    drop(guard);
    assert_eq!(send(9).await, ["always"]);
    server.shutdown().await;
    assert!(!live.route("/a", note("late")).remove(), "there is no router any more");
}

#[tokio::test]
async fn messages_in_flight_finish_inline_and_in_lanes() {
    let gate = Arc::new(Semaphore::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let slow = {
        let (gate, done) = (Arc::clone(&gate), Arc::clone(&done));
        move || {
            let (gate, done) = (Arc::clone(&gate), Arc::clone(&done));
            async move {
                gate.acquire().await.unwrap().forget();
                done.fetch_add(1, SeqCst);
            }
        }
    };
    let router = Router::new();
    let live = router.live();
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    let lane = live.merge(Router::new().route("/lane", on(slow.clone()).on_task(8)));
    let inline = live.route("/inline", slow);
    for address in ["/lane", "/lane", "/lane", "/inline"] {
        sender.unbounded_send(item((address, ()))).unwrap();
    }
    while server.stats().matched < 4 {
        tokio::task::yield_now().await;
    }
    assert!(lane.remove() && inline.remove());
    assert_eq!(done.load(SeqCst), 0, "all of them wait");
    for address in ["/lane", "/inline"] {
        sender.unbounded_send(item((address, ()))).unwrap();
    }
    gate.add_permits(8);
    drop(sender);
    let stats = ended(server).await;
    assert_eq!((done.load(SeqCst), stats.handled, stats.unmatched), (4, 4, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_beside_the_traffic_lose_nothing_of_the_other_routes() {
    let router = Router::with_state(AtomicUsize::new(0))
        .route("/n", |State(count): State<AtomicUsize>| _ = count.fetch_add(1, SeqCst));
    let live = router.live();
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    let changing = tokio::spawn(async move {
        for _ in 0..500 {
            let guard = live.route("/?", || {}).guard();
            tokio::task::yield_now().await;
            drop(guard);
        }
    });
    for _ in 0..20_000 {
        sender.unbounded_send(item(("/n", ()))).unwrap();
    }
    changing.await.unwrap();
    while server.stats().received < 20_000 {
        tokio::task::yield_now().await;
    }
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.matched, stats.panicked), (20_000, 20_000, 0));
    assert!(stats.handled >= 20_000, "{}", stats.handled);
}

#[tokio::test]
async fn a_handler_may_change_the_routes_of_its_own_router_and_keeps_nothing_alive() {
    type Learned = Mutex<Vec<RouteGuard>>;
    let alive = Arc::new(());
    let learned: Arc<Learned> = Arc::default();
    let router = Router::new();
    let live: LiveRoutes<()> = router.live();
    let router = router.route("/learn", {
        let (learned, alive) = (Arc::clone(&learned), Arc::clone(&alive));
        move |Args(address): Args<String>| {
            let alive = Arc::clone(&alive);
            let route = live.route(address, move || drop(Arc::clone(&alive)));
            learned.lock().unwrap().push(route.guard());
        }
    });
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    sender.unbounded_send(item(("/learn", "/new"))).unwrap();
    sender.unbounded_send(item(("/new", ()))).unwrap();
    while server.stats().handled < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&alive), 3);
    server.shutdown().await;
    assert_eq!(Arc::strong_count(&alive), 1, "the router is gone, with all its handlers");
}

#[tokio::test]
async fn a_route_that_owns_the_guard_of_another_one_takes_it_along() {
    let router = Router::new();
    let live = router.live();
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    let other = live.route("/other", || {}).guard();
    let owner = live.route("/owner", move || _ = &other);
    assert!(owner.remove());
    sender.unbounded_send(item(("/other", ()))).unwrap();
    drop(sender);
    assert_eq!(ended(server).await.unmatched, 1);
}
