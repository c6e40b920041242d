//! What channels cost a server: polls of what is idle, turns of what is busy, and counts that several
//! tasks write at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::channel::mpsc;
use futures::{SinkExt, Stream, stream};
use tokio::sync::Semaphore;
use tokio_osc::packet::DecodeError;
use tokio_osc::{Args, Message, Meta, Packet, Peer, Router, Server, on};

type Item = (Result<Packet, DecodeError>, Meta);

fn item(n: i32) -> Item {
    (Ok(Message::new("/n", n).unwrap().into()), Meta::from_peer(Peer::LOCAL))
}

/// A stream that gives nothing, and counts how often it is asked.
struct Idle {
    polls: Arc<AtomicUsize>,
    /// Whether it is woken by its own poll, as a spent budget of the runtime does.
    restless: bool,
}

impl Stream for Idle {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        if self.restless {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

#[tokio::test]
async fn an_idle_channel_is_not_polled_when_another_is_busy() {
    const PACKETS: i32 = 1_000;
    let handled = Arc::new(Semaphore::new(0));
    let router = Router::new().route("/n", {
        let handled = Arc::clone(&handled);
        move |Args(_): Args<i32>| handled.add_permits(1)
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let (mut feed, packets) = mpsc::channel(1);
    let mut server = Server::new(router).feed("busy", packets);
    for n in 0..10 {
        server = server.feed(format!("idle{n}"), Idle { polls: Arc::clone(&polls), restless: false });
    }
    let server = server.spawn();
    for n in 0..PACKETS {
        feed.send(item(n)).await.unwrap();
        handled.acquire().await.unwrap().forget();
    }
    assert_eq!(polls.load(Ordering::Relaxed), 10, "each once, when it was opened");
    server.shutdown().await;
}

#[tokio::test]
async fn a_channel_that_wakes_itself_gives_way_to_the_others() {
    let handled = Arc::new(Semaphore::new(0));
    let router = Router::new().route("/n", {
        let handled = Arc::clone(&handled);
        move |Args(_): Args<i32>| handled.add_permits(1)
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let (mut feed, packets) = mpsc::channel(1);
    let server = Server::new(router)
        .feed("restless", Idle { polls: Arc::clone(&polls), restless: true })
        .feed("calm", packets)
        .spawn();
    for n in 0..100 {
        feed.send(item(n)).await.unwrap();
        handled.acquire().await.unwrap().forget();
    }
    // Two tasks that wake themselves take turns: this one counts the passes of the loop.
    let before = polls.load(Ordering::Relaxed);
    let mut passes = 0;
    let counting = tokio::spawn(std::future::poll_fn(move |cx| {
        passes += 1;
        cx.waker().wake_by_ref();
        if passes <= 100 { Poll::Pending } else { Poll::Ready(()) }
    }));
    counting.await.unwrap();
    let polled = polls.load(Ordering::Relaxed) - before;
    assert!((50..=200).contains(&polled), "once in each pass of the loop, not {polled} times");
    server.shutdown().await;
}

#[tokio::test]
async fn busy_channels_take_turns() {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let router = Router::new().route("/n", {
        let order = Arc::clone(&order);
        move |Args(n): Args<i32>| order.lock().unwrap().push(n)
    });
    let busy = |n: i32| stream::iter((0..50).map(move |_| item(n)));
    Server::new(router).feed("a", busy(0)).feed("b", busy(1)).feed("c", busy(2)).run().await;
    let order = order.lock().unwrap();
    assert_eq!(order.len(), 150);
    assert!(order.chunks(3).all(|turn| turn == [0, 1, 2]), "{order:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_count_is_lost_when_lanes_and_the_loop_count_at_the_same_time() {
    const PACKETS: u16 = 20_000;
    let router = Router::new()
        .route("/n", |Args(_): Args<i32>| {})
        .route("/n", on(|Args(_): Args<i32>| {}).on_task(1_024))
        .route("/n", on(async |Args(_): Args<i32>| {}).concurrent(4))
        .route("/n", async |Args(_): Args<i32>| {});
    let server = Server::new(router).feed("busy", stream::iter((0..PACKETS.into()).map(item))).spawn();
    server.wait().await;
    let stats = server.stats();
    assert_eq!((stats.received, stats.ran, stats.matched), (PACKETS.into(), PACKETS.into(), PACKETS.into()));
    assert_eq!(stats.handled, 4 * u64::from(PACKETS));
}
