//! Queues are bounded in bytes: figures of the heap, by an allocator that counts for the thread of the test.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_osc::dispatch::{Inbox, on};
use tokio_osc::{
    Bundle, Bytes, Channel, Client, Message, Meta, Packet, Peer, Router, Server, ServerHandle, Slip, TimeTag,
};

use crate::support::counting::{Counting, held};

#[global_allocator]
static HEAP: Counting = Counting;

const MIB: usize = 1_024 * 1_024;
/// What a server without connections and lanes holds at most, by default: the inbox, one packet beyond it, the
/// bundles that wait, and the places of both.
const DEFAULT_WORST: usize = 104 * MIB;

fn blob(bytes: usize) -> Message {
    Message::new("/slow", Bytes::from(vec![0; bytes])).unwrap()
}

/// Lets all tasks run until nothing more happens.
async fn settle() {
    let mut before = 0;
    loop {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        if held() == before {
            return;
        }
        before = held();
    }
}

/// A server with a byte stream on which frames of almost 1 MiB come, as many as it takes.
async fn flooded(router: Router) -> (ServerHandle, usize) {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let client = Client::tcp(channel.local_addr().unwrap(), Slip::new()).await.unwrap();
    let server = Server::new(router).listen("tcp", channel).spawn();
    let before = held();
    let message = blob(MIB - 64);
    let flood = async {
        for _ in 0..400 {
            client.send(message.clone()).await.unwrap();
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(4), flood).await;
    let grown = held() - before;
    println!("{} MiB", grown / MIB);
    (server, grown)
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_handler_and_large_frames_fill_the_inbox_in_bytes() {
    let (_server, grown) =
        flooded(Router::new().route("/slow", async || futures::future::pending::<()>().await)).await;
    assert!((16 * MIB..32 * MIB).contains(&grown), "{} MiB", grown / MIB);
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_lane_and_large_frames_fill_the_lane_in_bytes() {
    let slow = on(async || futures::future::pending::<()>().await).on_task(256);
    let (_server, grown) = flooded(Router::new().route("/slow", slow)).await;
    assert!((32 * MIB..50 * MIB).contains(&grown), "{} MiB", grown / MIB);
}

#[tokio::test(flavor = "current_thread")]
async fn a_lane_of_many_workers_counts_what_runs() {
    let slow = on(async || futures::future::pending::<()>().await).concurrent(1_000);
    let (_server, grown) = flooded(Router::new().route("/slow", slow)).await;
    assert!((32 * MIB..50 * MIB).contains(&grown), "{} MiB", grown / MIB);
}

#[tokio::test(flavor = "current_thread")]
async fn an_unread_subscription_holds_a_mebibyte() {
    let (send, packets) = mpsc::channel(1);
    let packets = stream::unfold(packets, |mut packets| async { Some((packets.recv().await?, packets)) });
    let server = Server::new(Router::new()).feed("feed", packets);
    let subscription = server.subscribe("/slow", 1_024).unwrap();
    let server = server.spawn();
    let before = held();
    for _ in 0..100 {
        send.send((Ok(blob(100_000).into()), Meta::from_peer(Peer::LOCAL))).await.unwrap();
    }
    settle().await;
    let grown = held() - before;
    assert!((MIB - 200_000..MIB + 200_000).contains(&grown), "{grown}");
    assert_eq!(subscription.missed(), 89);
    let _ = server.shutdown().await;
}

#[tokio::test(flavor = "current_thread")]
async fn an_inbox_that_is_not_processed_holds_its_bytes() {
    let mut inbox = Inbox::<()>::new(1_024).bytes(MIB);
    let router = Router::new().route("/slow", inbox.on(|(): &mut (), _: Message| {}));
    let (_server, grown) = flooded(router).await;
    assert!(inbox.len() == 2 && grown < 36 * MIB, "{} calls, {} MiB", inbox.len(), grown / MIB);
}

#[tokio::test(flavor = "current_thread")]
async fn the_worst_case_of_a_default_server_is_reached_and_not_exceeded() {
    let (send, packets) = mpsc::channel::<(Packet, Peer)>(1);
    let packets = stream::unfold(packets, |mut packets| async { Some((packets.recv().await?, packets)) });
    let packets = packets.map(|(packet, peer)| (Ok(packet), Meta::from_peer(peer)));
    let router = Router::new().route("/slow", async || futures::future::pending::<()>().await);
    let server = Server::new(router).feed("feed", packets).spawn();
    let before = held();
    let later = TimeTag::after(Duration::from_secs(60));
    for n in 0..70_000_u32 {
        let peer = Peer::from((Ipv4Addr::from_bits(0x0a00_0000 + (n % 16) * 65_536), 9_000));
        let bundle = Bundle::at(later).with(blob(960)).build().unwrap();
        send.send((bundle.into(), peer)).await.unwrap();
    }
    for _ in 0..1_030 {
        let full = send.send((blob(16 * 1_024 - 24).into(), Peer::LOCAL));
        if tokio::time::timeout(Duration::from_millis(500), full).await.is_err() {
            break;
        }
    }
    settle().await;
    let grown = held() - before;
    println!("{} MiB: {:?}", grown / MIB, server.stats().schedule);
    assert!((DEFAULT_WORST / 10 * 9..=DEFAULT_WORST).contains(&grown), "{grown}");
}
