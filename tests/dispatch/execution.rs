//! When and where handlers run: in order by default, concurrently on routes that opt in.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_osc::dispatch::Lane;
use tokio_osc::packet::Overflow;
use tokio_osc::{Args, Bundle, Bytes, Captures, Packet, Router, Server, State, on};

use super::{Item, ended, feed, handle, item, log, ms, names, note, raw};

/// Counts the messages that came behind a later one.
#[derive(Default)]
struct Order {
    last: AtomicI32,
    overtaken: AtomicUsize,
    seen: AtomicUsize,
}

impl Order {
    fn note(&self, n: i32) {
        self.seen.fetch_add(1, SeqCst);
        if self.last.swap(n, SeqCst) > n {
            self.overtaken.fetch_add(1, SeqCst);
        }
    }

    fn result(&self) -> (usize, usize) {
        (self.seen.load(SeqCst), self.overtaken.load(SeqCst))
    }
}

/// A handler that gives way at some messages, so that others could overtake.
async fn noting(State(order): State<Arc<Order>>, Args(n): Args<i32>) {
    if n % 3 == 0 {
        tokio::task::yield_now().await;
    }
    order.note(n);
}

fn numbered(count: i32) -> Vec<Item> {
    (0..count).map(|n| item(("/n", n))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_none_of_50_000_messages_is_overtaken() {
    let order = Arc::new(Order::default());
    let router = Router::with_state(Arc::clone(&order)).route("/n", noting);
    let stats = handle(router, numbered(50_000)).await;
    let (seen, overtaken) = order.result();
    println!("inline: {seen} handled, {overtaken} overtaken");
    assert_eq!((seen, overtaken, stats.handled), (50_000, 0, 50_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_tasks_none_is_overtaken_on_its_route() {
    let orders = [(); 4].map(|()| Arc::new(Order::default()));
    let router = orders.iter().enumerate().fold(Router::new(), |router, (n, order)| {
        let own = Router::with_state(Arc::clone(order)).route("/n", on(noting).on_task(16 << n));
        router.merge(own)
    });
    let stats = handle(router, numbered(50_000)).await;
    let results = orders.map(|order| order.result());
    println!("on_task, four routes: {results:?} (handled, overtaken)");
    assert_eq!(results, [(50_000, 0); 4]);
    assert_eq!((stats.handled, stats.overflowed), (200_000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_sleeps_delays_its_own_task_only() {
    let begin = Instant::now();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let at = |name: &'static str, pause: u64| {
        let ran = Arc::clone(&ran);
        move || {
            let ran = Arc::clone(&ran);
            async move {
                ran.lock().unwrap().push((name, begin.elapsed()));
                tokio::time::sleep(ms(pause)).await;
            }
        }
    };
    let router = Router::new()
        .route("/slow", on(at("slow", 1_000)).on_task(8))
        .route("/other", on(at("other", 0)).on_task(8))
        .route("/inline", at("inline", 0));
    let items = ["/slow", "/slow", "/other", "/inline"].map(|address| item((address, ())));
    let stats = handle(router, items.into()).await;
    assert_eq!(stats.handled, 4);
    let mut ran = ran.lock().unwrap().clone();
    ran.sort_unstable_by_key(|&(name, at)| (at, name));
    let second = Duration::from_secs(1);
    assert_eq!(ran, [("inline", ms(0)), ("other", ms(0)), ("slow", ms(0)), ("slow", second)]);
}

#[tokio::test(start_paused = true)]
async fn an_inline_handler_that_sleeps_delays_its_successors() {
    let begin = Instant::now();
    let router = Router::new()
        .route("/slow", async || tokio::time::sleep(ms(100)).await)
        .route("/next", move || assert_eq!(begin.elapsed(), ms(100)));
    let stats = handle(router, vec![item(("/slow", ())), item(("/next", ()))]).await;
    assert_eq!((stats.handled, stats.panicked), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_that_share_a_lane_run_one_at_a_time_and_in_order() {
    let running = Arc::new(AtomicBool::new(false));
    let order = Arc::new(Order::default());
    let handler = {
        let (running, order) = (Arc::clone(&running), Arc::clone(&order));
        move |Args(n): Args<i32>| {
            let (running, order) = (Arc::clone(&running), Arc::clone(&order));
            async move {
                assert!(!running.swap(true, SeqCst), "another one runs");
                tokio::task::yield_now().await;
                order.note(n);
                running.store(false, SeqCst);
            }
        }
    };
    let lane = Lane::new(4);
    let router = Router::new()
        .route("/even", on(handler.clone()).on_lane(&lane))
        .route("/odd", on(handler).on_lane(&lane));
    let items = (0..10_000).map(|n| item((if n % 2 == 0 { "/even" } else { "/odd" }, n))).collect();
    let stats = handle(router, items).await;
    assert_eq!(order.result(), (10_000, 0));
    assert_eq!((stats.handled, stats.panicked, stats.overflowed), (10_000, 0, 0));
}

/// How many handlers run at the same time, at most.
#[derive(Default)]
struct Peak {
    now: AtomicUsize,
    most: AtomicUsize,
}

async fn peaking(State(peak): State<Arc<Peak>>) {
    peak.most.fetch_max(peak.now.fetch_add(1, SeqCst) + 1, SeqCst);
    tokio::time::sleep(ms(10)).await;
    peak.now.fetch_sub(1, SeqCst);
}

#[tokio::test(start_paused = true)]
async fn concurrent_routes_and_lanes_of_workers_run_as_many_as_they_say() {
    for handler in [on(peaking).concurrent(5), on(peaking).on_lane(&Lane::new(64).workers(5))] {
        let begin = Instant::now();
        let peak = Arc::new(Peak::default());
        let router = Router::with_state(Arc::clone(&peak)).route("/n", handler);
        let stats = handle(router, numbered(50)).await;
        assert_eq!((stats.handled, stats.overflowed), (50, 0));
        assert_eq!(peak.most.load(SeqCst), 5);
        let took = begin.elapsed();
        assert!(ms(100) <= took && took <= ms(101), "ten rounds, looked at each millisecond: {took:?}");
    }
}

#[tokio::test]
async fn what_a_full_lane_drops_is_counted_and_the_sums_add_up() {
    for (overflow, kept) in [(Overflow::DropNewest, [0, 1, 2, 3]), (Overflow::DropOldest, [0, 97, 98, 99])] {
        let gate = Arc::new(Semaphore::new(0));
        let ran = Arc::new(Mutex::new(Vec::new()));
        let begun = Arc::new(Notify::new());
        let router = Router::new().route(
            "/n",
            on({
                let (gate, ran, begun) = (Arc::clone(&gate), Arc::clone(&ran), Arc::clone(&begun));
                move |Args(n): Args<i32>| {
                    let (gate, ran, begun) = (Arc::clone(&gate), Arc::clone(&ran), Arc::clone(&begun));
                    async move {
                        begun.notify_one();
                        gate.acquire().await.unwrap().forget();
                        ran.lock().unwrap().push(n);
                    }
                }
            })
            .on_lane(&Lane::new(3).overflow(overflow)),
        );
        let (sender, packets) = feed();
        let server = Server::new(router).feed("test", packets).spawn();
        sender.unbounded_send(item(("/n", 0))).unwrap();
        begun.notified().await;
        for n in 1..100 {
            sender.unbounded_send(item(("/n", n))).unwrap();
        }
        while server.stats().matched < 100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        drop(sender);
        let stats = ended(server).await;
        assert_eq!(*ran.lock().unwrap(), kept, "{overflow:?}");
        assert_eq!((stats.handled, stats.overflowed), (4, 96), "{overflow:?}");
    }
}

#[tokio::test]
async fn a_full_lane_that_waits_holds_up_dispatch_but_not_the_intake() {
    let gate = Arc::new(Semaphore::new(0));
    let router = Router::with_state(Arc::clone(&gate)).route(
        "/slow",
        on(async |State(gate): State<Arc<Semaphore>>| gate.acquire().await.unwrap().forget()).on_task(2),
    );
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).inbox(64).spawn();
    for _ in 0..50 {
        sender.unbounded_send(item(("/slow", ()))).unwrap();
    }
    while server.stats().received < 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!((server.stats().handled, server.stats().overflowed), (0, 0));
    gate.add_permits(50);
    drop(sender);
    let stats = ended(server).await;
    assert_eq!((stats.handled, stats.overflowed), (50, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_of_a_bundle_stay_adjacent_in_a_mailbox() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let router = Router::with_state(Arc::clone(&seen)).route(
        "/*",
        on(|State(seen): State<Arc<Mutex<Vec<i32>>>>, Captures(_): Captures<String>, Args(n): Args<i32>| {
            seen.lock().unwrap().push(n);
        })
        .on_task(2),
    );
    let bundles = |source: i32| {
        let bundle = move |n| {
            let n = n * 10 + source;
            item(Bundle::immediately().with(("/a", n)).with(("/b", n)).with(("/c", n)))
        };
        stream::iter((0..5_000).map(bundle))
    };
    let server = Server::new(router).feed("one", bundles(1)).feed("two", bundles(2)).spawn();
    assert_eq!(ended(server).await.handled, 30_000);
    let seen = seen.lock().unwrap();
    assert!(seen.chunks(3).all(|three| three == [three[0]; 3]));
}

#[tokio::test]
async fn shutdown_waits_for_lanes_and_dropping_the_handle_ends_them() {
    for dropped in [false, true] {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::new(());
        let log = log();
        let router = Router::with_state(Arc::clone(&log))
            .route(
                "/slow",
                on({
                    let (gate, held) = (Arc::clone(&gate), Arc::clone(&held));
                    move |State(log): State<Arc<super::Log>>| {
                        let (gate, held) = (Arc::clone(&gate), Arc::clone(&held));
                        async move {
                            gate.acquire().await.unwrap().forget();
                            log.lock().unwrap().push("slow".to_owned());
                            drop(held);
                        }
                    }
                })
                .on_task(8),
            )
            .route("/now", note("now"));
        let (sender, packets) = feed();
        let server = Server::new(router).feed("test", packets).spawn();
        for address in ["/slow", "/slow", "/now"] {
            sender.unbounded_send(item((address, ()))).unwrap();
        }
        while server.stats().handled < 1 {
            tokio::task::yield_now().await;
        }
        if dropped {
            drop(server);
            while Arc::strong_count(&held) > 1 {
                tokio::task::yield_now().await;
            }
            assert_eq!(names(&log), ["now"]);
        } else {
            let shutdown = tokio::spawn(server.shutdown());
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(!shutdown.is_finished(), "two calls wait");
            gate.add_permits(2);
            assert_eq!(shutdown.await.unwrap().handled, 3);
            assert_eq!(names(&log), ["now", "slow", "slow"]);
        }
    }
}

#[tokio::test]
async fn a_dropped_run_ends_its_lanes_too() {
    let held = Arc::new(());
    let router = Router::new().route(
        "/slow",
        on({
            let held = Arc::clone(&held);
            move || {
                let held = Arc::clone(&held);
                async move {
                    std::future::pending::<()>().await;
                    drop(held);
                }
            }
        })
        .on_task(8),
    );
    let (sender, packets) = feed();
    let server = tokio::spawn(Server::new(router).feed("test", packets).run());
    sender.unbounded_send(item(("/slow", ()))).unwrap();
    while Arc::strong_count(&held) < 3 {
        tokio::task::yield_now().await;
    }
    server.abort();
    while Arc::strong_count(&held) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_of_nothing_but_malformed_packets_leaves_the_others_their_turn() {
    let malformed =
        || stream::repeat_with(|| (Packet::decode(Bytes::from_static(b"HTTP")), item(raw("/")).1));
    let (sender, packets) = feed();
    let router = Router::new()
        .route("/wait", async || {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        })
        .route("/n", || {});
    let server = Server::new(router).feed("bad", malformed()).feed("good", packets).spawn();
    for _ in 0..10 {
        sender.unbounded_send(item(("/wait", ()))).unwrap();
        sender.unbounded_send(item(("/n", ()))).unwrap();
    }
    while server.stats().handled < 20 {
        tokio::task::yield_now().await;
    }
    let stats = server.shutdown().await;
    assert!(stats.malformed > 0);
    assert_eq!(stats.handled, 20);
}
