//! Handlers that block their thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_osc::dispatch::Lane;
use tokio_osc::packet::Overflow;
use tokio_osc::{Args, Channel, Client, Router, Server, ServerHandle, on};

async fn serve(router: Router<()>) -> (ServerHandle, Client) {
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    (Server::new(router).listen("udp", channel).spawn(), client)
}

/// Ten handlers of 300 ms take 0.38 s in osc4py3's threads.
#[tokio::test]
async fn ten_handlers_that_block_run_beside_each_other_and_hold_up_nothing() {
    let router = Router::new()
        .route("/block", on(|| std::thread::sleep(Duration::from_millis(300))).blocking(10))
        .route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let (server, client) = serve(router).await;
    let begin = Instant::now();
    client.send_all([("/block", ()); 10]).await.unwrap();
    // One thread runs this test, the server and the answers: a handler that blocked it would be seen here.
    client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(250)).await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(250), "{:?}", begin.elapsed());
    while server.stats().handled < 11 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("ten handlers of 300 ms: {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    server.shutdown().await;
}

#[tokio::test]
async fn one_blocking_call_at_a_time_keeps_the_order_and_its_replies_arrive() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let router = {
        let seen = Arc::clone(&seen);
        let handler = move |Args(n): Args<i32>| {
            seen.lock().unwrap().push(n);
            ("/done", n)
        };
        Router::new().route("/n", on(handler).blocking(1))
    };
    let (server, client) = serve(router).await;
    let mut done = client.subscribe("/done");
    client.send_all((0..50).map(|n| ("/n", n))).await.unwrap();
    for n in 0..50 {
        assert_eq!(done.recv().await.unwrap().parse::<i32>().unwrap(), n);
    }
    assert_eq!(*seen.lock().unwrap(), (0..50).collect::<Vec<_>>());
    server.shutdown().await;
}

#[tokio::test]
async fn blocking_calls_are_bounded_and_what_finds_no_room_is_counted() {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    fn work() {
        MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
    let lane = Lane::new(4).workers(3).blocking().overflow(Overflow::DropNewest);
    let (server, client) = serve(Router::new().route("/work", on(work).on_lane(&lane))).await;
    client.send_all([("/work", ()); 40]).await.unwrap();
    let counted = loop {
        let stats = server.stats();
        if stats.handled + stats.overflowed == 40 {
            break stats;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert!(counted.overflowed > 0 && counted.handled >= 4, "{counted}");
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
    server.shutdown().await;
}

#[tokio::test]
async fn a_blocking_handler_may_await_and_its_panic_is_counted() {
    let waits = async |Args(n): Args<i32>| {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(n != 13, "unlucky");
        ("/waited", n)
    };
    let (server, client) = serve(Router::new().route("/wait", on(waits).blocking(2))).await;
    client.send(("/wait", 13)).await.unwrap();
    let reply = client.request(("/wait", 7), "/waited").await.unwrap();
    assert_eq!(reply.parse::<i32>().unwrap(), 7);
    while server.stats().panicked == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
}
