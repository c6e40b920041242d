//! What hostile or broken peers, and broken handlers, may do to dispatch: numbers, not adjectives.
//! The names say the threat.
#![cfg(feature = "net")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::stream;
use tokio_osc::packet::BundleBuilder;
use tokio_osc::{Args, Bundle, Captures, Channel, Client, Message, Router, Server, State, on};

use crate::support::fed::{ended, item};

/// Median and 99th percentile, in milliseconds.
fn quantiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    (at(50), at(99))
}

fn many(count: usize, address: &str) -> BundleBuilder {
    (0..count).fold(Bundle::immediately(), |bundle, _| bundle.with((address, ())))
}

/// A thousand routes that each of the hostile messages would reach.
fn thousand_routes(calls: &Arc<AtomicUsize>) -> Router {
    (0..1_000).fold(Router::new(), |router, n| {
        let calls = Arc::clone(calls);
        router.route(format!("/r{n}"), move || _ = calls.fetch_add(1, SeqCst))
    })
}

/// Threat 20.
#[tokio::test]
async fn a_datagram_of_wildcards_calls_no_more_than_the_budget() {
    let bundle = many(2_500, "/*");
    for budget in [16_384, 1_000, 999, 1, 0] {
        let calls = Arc::default();
        let server = Server::new(thousand_routes(&calls)).max_calls(budget);
        let server = server.feed("attack", stream::iter([item(bundle.clone())]));
        let stats = ended(server.spawn()).await;
        assert_eq!((calls.load(SeqCst), stats.handled), (budget, budget as u64));
        let whole = budget / 1_000;
        let short = stats.over_budget + stats.cut_short;
        assert_eq!(short, 2_500 - whole as u64, "messages that were not handled in full");
        let looked_at = budget.div_ceil(1_000) as u64;
        assert_eq!(stats.matched, looked_at, "beyond the budget nothing is even looked up");
    }
}

/// Threat 20.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_answered_during_an_attack_with_wildcards() {
    let calls = Arc::new(AtomicUsize::new(0));
    let router = thousand_routes(&calls).route("/good/ping", |Args(n): Args<i32>| ("/pong", n));
    let channels = (Channel::udp("127.0.0.1:0").await.unwrap(), Channel::udp("127.0.0.1:0").await.unwrap());
    let (bad, good) = (channels.0.local_addr().unwrap(), channels.1.local_addr().unwrap());
    let server = Server::new(router).listen("bad", channels.0).listen("good", channels.1).spawn();
    let attack = tokio::spawn(async move {
        let attacker = Client::udp(bad).await.unwrap();
        // 4,000 messages of 12 bytes and their sizes, in one datagram.
        let datagram = many(4_000, "/*").build().unwrap();
        loop {
            attacker.send(datagram.clone()).await.unwrap();
            // A datagram takes the server longer than this, so the socket is always full.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    while server.stats().received < 100 {
        tokio::task::yield_now().await;
    }
    let client = Client::udp(good).await.unwrap();
    let (begin, before) = (Instant::now(), calls.load(SeqCst));
    let mut times = Vec::new();
    for n in 0..50 {
        let asked = Instant::now();
        let reply = client.request(("/good/ping", n), "/pong").timeout(Duration::from_secs(5)).await;
        assert_eq!(reply.expect("an answer").parse::<i32>().unwrap(), n);
        times.push(asked.elapsed());
    }
    attack.abort();
    let rate = (calls.load(SeqCst) - before) as f64 / begin.elapsed().as_secs_f64();
    let (median, p99) = quantiles(times);
    let stats = server.shutdown().await;
    println!(
        "threat 20: {rate:.0} hostile calls/s; 50 of 50 answered, median {median:.2} ms, p99 {p99:.2} ms; {} over budget",
        stats.over_budget
    );
    assert!(stats.over_budget > 10 * 3_983, "the attack went on all the time: {}", stats.over_budget);
}

/// Patterns that are expensive to match with names of one letter.
fn hostile_patterns() -> Vec<String> {
    vec![
        format!("/{}b", "*a".repeat(2_046)),
        format!("/{}", "?*".repeat(2_047)),
        format!("/{}", "{a,aa}".repeat(682)),
        format!("/{{{}}}*", vec!["aaaaaaab"; 454].join(",")),
        format!("//{}b", "*a".repeat(2_046)),
        format!("{}/*z", "/*".repeat(120)),
        "//*z".to_owned(),
    ]
}

/// Threat 21.
#[tokio::test]
async fn long_patterns_against_10_000_routes_take_bounded_time() {
    let router = || {
        (0..10_000).fold(Router::new(), |router, n| router.route(format!("/{}{n}", "a".repeat(24)), || {}))
    };
    let mut unlimited = Duration::ZERO;
    let mut limited = Duration::ZERO;
    for pattern in hostile_patterns() {
        let message = Message::with_raw_address(&pattern, ()).unwrap();
        let room = 65_507 / (message.as_bytes().len() + 4);
        let bundle =
            (0..room.min(1_000)).fold(Bundle::immediately(), |bundle, _| bundle.with(message.clone()));
        let one = Server::new(router()).max_steps(usize::MAX).feed("one", stream::iter([item(message)]));
        let begin = Instant::now();
        let stats = ended(one.spawn()).await;
        assert_eq!(stats.over_budget, 0);
        let alone = begin.elapsed();
        let full = Server::new(router()).feed("full", stream::iter([item(bundle)]));
        let begin = Instant::now();
        let stats = ended(full.spawn()).await;
        let datagram = begin.elapsed();
        println!(
            "threat 21: {:>14}… one message without a limit {alone:.1?}, a full datagram ({room}) {datagram:.1?}, {} over budget",
            &pattern[..pattern.len().min(14)],
            stats.over_budget
        );
        unlimited = unlimited.max(alone * u32::try_from(room).unwrap());
        limited = limited.max(datagram);
    }
    println!("threat 21: the worst datagram: {limited:.1?}; without the limit it were {unlimited:.1?}");
    assert!(limited * 20 < unlimited, "{limited:?}");
}

/// Threat 21.
#[tokio::test]
async fn the_steps_of_a_packet_are_limited_on_both_sides() {
    let router = || {
        let routes = (0..100).fold(Router::new(), |router, n| router.route(format!("/name{n}/x"), || {}));
        routes.route("/plain", || {})
    };
    let handled = async |steps| {
        let bundle = many(10, "/n?me*1/y").with(("/plain", ()));
        let server = Server::new(router()).max_steps(steps).feed("test", stream::iter([item(bundle)]));
        let stats = ended(server.spawn()).await;
        assert_eq!(stats.matched + stats.unmatched + stats.over_budget, 11);
        assert_eq!(stats.handled, 1, "what a hash finds needs no steps");
        stats.unmatched
    };
    let mut needed = 0;
    while handled(needed).await < 1 {
        needed += 64;
    }
    println!("threat 21: about {needed} steps for one pattern against 101 routes");
    assert_eq!(handled(needed * 10).await, 10);
    assert!(handled(needed * 5).await <= 5);
}

/// Past the hook of panics, which would print a thousand of them.
fn fail_at_each_hundredth(n: i32) {
    if n % 100 == 0 {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

/// Threat 58.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_percent_of_panics_costs_one_percent() {
    let good = Arc::new(AtomicUsize::new(0));
    let handler = |good: &Arc<AtomicUsize>| {
        let good = Arc::clone(good);
        move |Args(n): Args<i32>| {
            fail_at_each_hundredth(n);
            good.fetch_add(1, SeqCst);
        }
    };
    let later = {
        let good = Arc::clone(&good);
        move |Args(n): Args<i32>| {
            let good = Arc::clone(&good);
            async move {
                tokio::task::yield_now().await;
                fail_at_each_hundredth(n);
                good.fetch_add(1, SeqCst);
            }
        }
    };
    let router = Router::new()
        .route("/now", handler(&good))
        .route("/later", later)
        .route("/lane", on(handler(&good)).on_task(64))
        .route("/many", on(handler(&good)).concurrent(4));
    let addresses = ["/now", "/later", "/lane", "/many"];
    let items = (0..100_000).map(move |n| item((addresses[n % 4], i32::try_from(n / 4).unwrap())));
    let stats = ended(Server::new(router).feed("test", stream::iter(items)).spawn()).await;
    println!("threat 58: {} handled, {} panicked", stats.handled, stats.panicked);
    assert_eq!((stats.handled, stats.panicked), (99_000, 1_000));
    assert_eq!(good.load(SeqCst), 99_000);
}

/// Threat 59.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_never_returns_stops_no_other_route() {
    let router = (0..100).fold(
        Router::new().route("/stuck", on(async || std::future::pending::<()>().await).on_task(4)),
        |router, n| router.route(format!("/r{n}"), move |Args(at): Args<i32>| ("/pong", at)),
    );
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let server = Server::new(router).listen("udp", channel).spawn();
    client.send(("/stuck", ())).await.unwrap();
    let mut times = Vec::new();
    for round in 0..10 {
        for n in 0..100 {
            let asked = Instant::now();
            let reply = client.request((format!("/r{n}"), round), "/pong").await.unwrap();
            assert_eq!(reply.parse::<i32>().unwrap(), round);
            times.push(asked.elapsed());
        }
    }
    let (median, p99) = quantiles(times);
    println!(
        "threat 59: one handler stuck; 1,000 requests to 100 others: median {median:.2} ms, p99 {p99:.2} ms"
    );
    assert_eq!(server.stats().handled, 1_000);
    drop(server);
}

/// Threat 60.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_handler_starts_between_the_messages_of_a_bundle() {
    type Trace = Mutex<Vec<(i32, i32)>>;
    let trace: Arc<Trace> = Arc::default();
    let router = Router::with_state(Arc::clone(&trace)).route(
        "/{a,b,c}",
        |State(trace): State<Arc<Trace>>, Args(start): Args<(i32, i32)>, Captures(_): Captures<char>| {
            trace.lock().unwrap().push(start);
            async move {
                if start.1 % 5 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        },
    );
    let mut server = Server::new(router);
    for source in 0..4 {
        let (sender, packets) = futures::channel::mpsc::channel(64);
        let bundles = (0..5_000).map(move |n| {
            let one = (source, n);
            Ok(item(Bundle::immediately().with(("/a", one)).with(("/b", one)).with(("/c", one))))
        });
        tokio::spawn(futures::StreamExt::forward(stream::iter(bundles), sender));
        server = server.feed(format!("feed-{source}"), packets);
    }
    let stats = ended(server.spawn()).await;
    let begun = trace.lock().unwrap();
    let interleaved = begun.chunks(3).filter(|three| *three != [three[0]; 3]).count();
    println!("threat 60: 20,000 bundles from four feeds, {} starts, {interleaved} interleaved", begun.len());
    assert_eq!((stats.handled, interleaved), (60_000, 0));
}
