//! Requests and subscriptions of one client: each has its own waker, and a future that is held without being
//! polled delays no other.
#![cfg(feature = "net")]

use std::future::{Future, IntoFuture, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::duplex;
use tokio::net::UdpSocket;
use tokio_osc::channel::Disconnect;
use tokio_osc::client::{Request, RequestError, RequestErrorKind, Subscription};
use tokio_osc::codec::Codec;
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Bytes, Client, Message, Slip};
use tokio_util::codec::Framed;

use crate::support::ms;

fn bytes(address: &str, n: i64) -> Bytes {
    (address, n).into_packet().unwrap().into_bytes()
}

/// Answers `/ping n` by `/pong n`; after `/batch n` it collects n pings and answers them in reverse; to
/// `/push n` it sends `/meter 0` to `/meter n-1`; to `/stale n` `/pong n`.
async fn server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut buffer, mut held, mut batch) = ([0; 2_048], Vec::new(), 0);
        loop {
            let Ok((len, from)) = socket.recv_from(&mut buffer).await else { continue };
            let message = Message::decode(Bytes::copy_from_slice(&buffer[..len])).unwrap();
            let n: i64 = message.parse().unwrap();
            let mut answers = Vec::new();
            match message.address().to_string().as_str() {
                "/batch" => batch = usize::try_from(n).unwrap(),
                "/push" => answers.extend((0..n).map(|n| bytes("/meter", n))),
                "/ping" if batch > 0 => {
                    held.push(n);
                    if held.len() == batch {
                        batch = 0;
                        answers.extend(held.drain(..).rev().map(|n| bytes("/pong", n)));
                    }
                }
                "/ping" | "/stale" => answers.push(bytes("/pong", n)),
                _ => {}
            }
            for answer in answers {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    at
}

async fn client() -> Client {
    Client::udp(server().await).await.unwrap()
}

fn asking(client: &Client, n: i64) -> Request {
    let request = client.request(("/ping", n), "/pong").timeout(ms(1_000));
    request.matching(move |reply| reply.parse::<i64>() == Ok(n))
}

async fn ping(client: &Client, n: i64) -> Result<i64, RequestError> {
    asking(client, n).await.map(|reply| reply.parse().unwrap())
}

async fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx))).await
}

async fn next(subscription: &mut Subscription) -> i64 {
    subscription.next().await.unwrap().parse().unwrap()
}

/// The order of the polls is given: the one that is held was polled last.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_request_that_is_held_after_its_last_poll_delays_no_other() {
    let client = client().await;
    let mut held = client.subscribe("/meter");
    let mut other = client.subscribe("/pong");
    let woken = tokio::spawn(async move { tokio::time::timeout(ms(2_000), next(&mut other)).await });
    tokio::time::sleep(ms(10)).await;
    assert!(poll_once(held.next()).await.is_pending());
    client.send(("/ping", 1_i64)).await.unwrap();
    assert_eq!(woken.await.unwrap().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_subscription_that_is_held_delays_no_request() {
    let client = client().await;
    for n in 0..100 {
        let mut held = client.subscribe("/meter");
        let request = tokio::spawn({
            let client = client.clone();
            async move { ping(&client, n).await.unwrap() }
        });
        let holder = tokio::spawn(async move {
            assert!(poll_once(held.next()).await.is_pending());
            held
        });
        assert_eq!(request.await.unwrap(), n);
        drop(holder.await.unwrap());
    }
}

/// Nothing answers it; it is polled beside a timer, and held while another request is awaited.
#[tokio::test]
async fn a_pinned_request_delays_no_other() {
    let client = client().await;
    let mut pinned = pin!(client.request(("/nothing", 0_i64), "/never").into_future());
    let mut timer = tokio::time::interval(ms(2));
    for n in 0..20 {
        tokio::select! {
            biased;
            reply = &mut pinned => panic!("{reply:?}"),
            _ = timer.tick() => assert_eq!(ping(&client, n).await.unwrap(), n),
        }
    }
}

#[tokio::test]
async fn a_hundred_requests_in_one_task_are_answered_in_reverse() {
    let client = client().await;
    let (mut here, mut other) = (client.subscribe("/pong"), client.subscribe("/pong"));
    let waits = tokio::spawn(async move { next(&mut other).await });
    tokio::time::sleep(ms(5)).await;
    // A poll with a waker that wakes nothing must not push out the other's.
    assert!(here.next().now_or_never().is_none());
    client.send(("/ping", 1_i64)).await.unwrap();
    assert_eq!(tokio::time::timeout(ms(1_000), waits).await.unwrap().unwrap(), 1);
    assert_eq!(next(&mut here).await, 1);

    client.send(("/batch", 100_i64)).await.unwrap();
    let mut all: FuturesUnordered<_> = (0..100).map(|n| ping(&client, n)).collect();
    let mut answered = 0;
    while let Some(reply) = all.next().await {
        reply.unwrap();
        answered += 1;
    }
    assert_eq!(answered, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_hundred_requests_of_as_many_tasks_are_answered() {
    for _ in 0..10 {
        let client = client().await;
        let held = client.subscribe("//*");
        let closed = tokio::spawn({
            let client = client.clone();
            async move { client.closed().await }
        });
        client.send(("/batch", 100_i64)).await.unwrap();
        let ask = |n| {
            let client = client.clone();
            tokio::spawn(async move { ping(&client, n).await.unwrap() })
        };
        let all: Vec<_> = (0..100).map(ask).collect();
        for (n, reply) in (0..).zip(all) {
            assert_eq!(reply.await.unwrap(), n);
        }
        drop(held);
        closed.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_reader_that_is_dropped_has_nothing_to_hand_over() {
    let client = client().await;
    for round in 0..200 {
        let mut reader = client.subscribe("/none");
        let request = tokio::spawn({
            let client = client.clone();
            async move { ping(&client, round).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(poll_once(reader.next()).await.is_pending());
        drop(reader);
        assert_eq!(request.await.unwrap(), round);
    }
}

/// After each number of polls.
#[tokio::test]
async fn a_request_that_is_dropped_takes_nothing_from_others() {
    let client = client().await;
    let mut all = client.subscribe("/pong");
    for polls in 1..40_i64 {
        let mut request = asking(&client, 1_000 + polls).into_future();
        for _ in 0..polls {
            if poll_once(&mut request).await.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(request);
        assert_eq!(ping(&client, polls).await.unwrap(), polls);
        // A `next` that is dropped takes nothing.
        let _ = poll_once(all.next()).await.map(|message| assert!(message.is_some()));
    }
}

#[tokio::test]
async fn an_old_answer_satisfies_no_new_request_while_a_subscription_is_held() {
    let client = client().await;
    let mut held = client.subscribe("/none");
    assert!(poll_once(held.next()).await.is_pending());
    for n in 0..50_i64 {
        client.send(("/stale", 9_999_i64)).await.unwrap();
        // It has arrived, and is not read.
        tokio::time::sleep(ms(1)).await;
        let reply = client.request(("/ping", n), "/pong").await.unwrap();
        assert_eq!(reply.parse::<i64>().unwrap(), n);
    }
}

#[tokio::test]
async fn a_subscription_is_bounded_in_messages_and_in_bytes() {
    let client = client().await;
    let message = i64::try_from(bytes("/meter", 0).len()).unwrap();
    let mut few = client.subscribe("/meter").limits(10, 1 << 20);
    let mut small = client.subscribe("/meter").limits(1_000, 5 * usize::try_from(message).unwrap());
    client.send(("/push", 100_i64)).await.unwrap();
    // The request reads for both.
    assert_eq!(ping(&client, 1).await.unwrap(), 1);
    assert_eq!((next(&mut few).await, few.missed()), (90, 90));
    assert_eq!((next(&mut small).await, small.missed()), (95, 95));
}

/// One that panics does not hold; one may use the client.
#[tokio::test]
async fn conditions_may_panic_and_use_the_client() {
    let client = client().await;
    let bad = client.request(("/ping", 1_i64), "/pong").matching(|_| panic!("a mistake")).timeout(ms(100));
    let bad = tokio::spawn(bad.into_future());
    let again = client.clone();
    let good = client.request(("/ping", 2_i64), "/pong").matching(move |reply| {
        drop(again.subscribe("/x"));
        again.try_send(("/unheard", 0_i64)).unwrap();
        reply.parse::<i64>() == Ok(2)
    });
    assert_eq!(good.await.unwrap().parse::<i64>().unwrap(), 2);
    assert_eq!(bad.await.unwrap().unwrap_err().kind(), RequestErrorKind::Timeout);
}

#[tokio::test]
async fn every_receiver_gets_the_packets_and_the_end_of_a_byte_stream() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let mut held = client.subscribe("/a");
    let all = client.subscribe("//*");
    let closed = tokio::spawn({
        let client = client.clone();
        async move { client.closed().await }
    });
    let reader = tokio::spawn(all.count());
    tokio::task::yield_now().await;
    assert!(poll_once(held.next()).await.is_pending());
    let mut peer = Framed::new(there, Codec::new(Slip::new()));
    for n in 0..1_000_i64 {
        peer.send(("/a", n)).await.unwrap();
    }
    drop(peer);
    assert_eq!(reader.await.unwrap(), 1_000);
    assert!(matches!(closed.await.unwrap(), Disconnect::ByPeer));
    assert_eq!(next(&mut held).await, 0);
}

/// The request fills the pipe; the peer pushes 50 old answers before it reads. They are read while the request
/// is sent, and do not answer it.
#[tokio::test]
async fn a_packet_that_arrives_before_a_request_is_sent_is_not_its_reply() {
    for held in [false, true] {
        let (here, there) = duplex(16);
        let client = Client::io(here, Slip::new());
        let mut all = client.subscribe("/pong");
        if held {
            assert!(poll_once(all.next()).await.is_pending());
        }
        // The pipe is full of earlier packets, so the frame of the request is not accepted.
        while client.try_send(("/full", 0_i64)).is_ok() {}
        let peer = tokio::spawn(async move {
            let mut peer = Framed::new(there, Codec::new(Slip::new()));
            for _ in 0..50 {
                peer.send(("/pong", 9_999_i64)).await.unwrap();
            }
            while peer.next().await.unwrap().unwrap().unwrap().to_string() != "/ping ,h 1" {}
            peer.send(("/pong", 1_i64)).await.unwrap();
            std::future::pending::<()>().await;
        });
        let reply = client.request(("/ping", 1_i64), "/pong").timeout(ms(5_000)).await.unwrap();
        assert_eq!(reply.parse::<i64>().unwrap(), 1);
        let mut heard = Vec::new();
        while let Some(Some(message)) = all.next().now_or_never() {
            heard.push(message.parse::<i64>().unwrap());
        }
        assert_eq!(heard.len(), 51, "the subscription hears the old ones, too");
        peer.abort();
    }
}

/// Tasks ask, hold and drop at random. A lost wake-up would take the timeout of 1 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_wake_up_is_lost_under_stress() {
    let client = client().await;
    let until = Instant::now() + ms(1_000);
    let work = |task: u32| {
        let client = client.clone();
        async move {
            let (mut seed, mut count) = (u64::from(task) + 1, 0_i64);
            let mut random = move || {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed
            };
            let mut held = Vec::new();
            while Instant::now() < until {
                let n = i64::from(task) * 1_000_000 + count;
                match random() % 8 {
                    0 => {
                        let mut subscription = client.subscribe("/none");
                        assert!(poll_once(subscription.next()).await.is_pending());
                        held.push(subscription);
                    }
                    1 if held.len() > 4 => drop(held.swap_remove(0)),
                    2 => {
                        let soon = Duration::from_micros(random() % 50);
                        drop(tokio::time::timeout(soon, ping(&client, -n - 1)).await);
                    }
                    _ => {
                        assert_eq!(ping(&client, n).await.unwrap(), n);
                        count += 1;
                    }
                }
            }
            count
        }
    };
    let tasks: Vec<_> = (0..8).map(|task| tokio::spawn(work(task))).collect();
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }
}
