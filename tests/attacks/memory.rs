//! Queues are bounded in bytes: figures of the heap, by an allocator that counts for the thread of the test.

use std::io;
use std::net::Ipv4Addr;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_osc::channel::{Listener, Outlet, StreamOptions};
use tokio_osc::dispatch::{Inbox, on};
use tokio_osc::packet::IntoPacket;
use tokio_osc::{
    Args, Bundle, Bytes, Channel, Client, Message, Meta, Packet, Peer, Router, Server, ServerHandle, Slip,
    TimeTag,
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

/// Connections within the process: the kernel holds nothing of what they are sent.
struct Pipes(mpsc::Receiver<DuplexStream>);

impl Listener for Pipes {
    type Io = DuplexStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(DuplexStream, Peer)>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(io)) => Poll::Ready(Ok((io, Peer::LOCAL))),
            _ => Poll::Pending,
        }
    }
}

/// A server of pipes.
struct Piped {
    dial: mpsc::Sender<DuplexStream>,
    outlet: Outlet,
    _server: ServerHandle,
}

impl Piped {
    fn new(options: StreamOptions) -> Self {
        let (dial, dialled) = mpsc::channel(1);
        let channel = Channel::listen_on(Pipes(dialled), Slip::new(), options);
        let outlet = channel.outlet();
        let router = Router::new()
            .route("/ping", || ("/pong", ()))
            .route("/large", |_: Message| ("/done", ()))
            .route("/much", |Args(bytes): Args<i32>| {
                ("/much", vec![0xc0_u8; usize::try_from(bytes).unwrap()])
            });
        Self { dial, outlet, _server: Server::new(router).listen("pipes", channel).spawn() }
    }

    async fn connect(&self) -> DuplexStream {
        let (here, there) = duplex(1_024);
        self.dial.send(there).await.unwrap();
        here
    }

    /// Connections that send as much of a frame as they can, and never its end.
    async fn flooded(&self, connections: usize, frame: &'static [u8]) -> JoinSet<()> {
        let mut floods = JoinSet::new();
        for _ in 0..connections {
            let mut peer = self.connect().await;
            floods.spawn(async move {
                // The server may close it.
                let _ = peer.write_all(frame).await;
                let _peer = peer;
                std::future::pending::<()>().await;
            });
        }
        crate::support::until(|| self.outlet.connections().len() == connections).await;
        settle().await;
        floods
    }
}

/// A megabyte without an end.
fn endless() -> &'static [u8] {
    vec![b'x'; MIB - 1].leak()
}

/// What the connections of a channel hold at most, by default, in unfinished frames.
const UNFINISHED_WORST: usize = 74 * MIB;

#[tokio::test(flavor = "current_thread")]
async fn unfinished_frames_of_five_hundred_connections_hold_what_their_channel_allows() {
    let never = Duration::from_secs(3_600);
    let server = Piped::new(StreamOptions::default().in_frame_timeout(never));
    let frame = endless();
    let before = held();
    let _floods = server.flooded(500, frame).await;
    let grown = held() - before;
    println!("{} MiB", grown / MIB);
    assert!((UNFINISHED_WORST / 10 * 9..=UNFINISHED_WORST).contains(&grown), "{grown}");
}

#[tokio::test(flavor = "current_thread")]
async fn large_frames_wait_for_memory_and_small_ones_do_not() {
    let limit = Duration::from_secs(2);
    let options = StreamOptions::default().frame_memory(4 * MIB).in_frame_timeout(limit);
    let server = Piped::new(options);
    let frame = endless();
    let floods = server.flooded(8, frame).await;
    let client = Client::io(server.connect().await, Slip::new());
    client.request(("/ping", ()), "/pong").await.unwrap();
    let large = Message::new("/large", Bytes::from(vec![7; MIB / 2])).unwrap();
    // It is sent when the others are out of time, long before its own time is over.
    tokio::time::sleep(limit / 2).await;
    let begin = tokio::time::Instant::now();
    client.request(large, "/done").await.unwrap();
    println!("after {:?}", begin.elapsed());
    assert!(begin.elapsed() < limit);
    drop(floods);
}

/// What one connection holds at most, by default, for a peer that does not read: its queue, a frame of the largest size
/// under way, and its copy for the transport, in which SLIP may escape each byte.
const UNREAD_WORST: usize = 4 * MIB + 4_096;

#[tokio::test(flavor = "current_thread")]
async fn an_unread_connection_holds_its_queue_and_a_frame_and_an_idle_one_almost_nothing() {
    const CONNECTIONS: usize = 4;
    let server = Piped::new(StreamOptions::default());
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        peers.push(server.connect().await);
    }
    crate::support::until(|| server.outlet.connections().len() == CONNECTIONS).await;
    settle().await;
    let before = held();
    // The first one leaves the queue for the transport, the second one fills the queue.
    for _ in 0..2 {
        for peer in server.outlet.connections() {
            let escaped = Message::new("/large", Bytes::from(vec![0xc0; MIB - 128])).unwrap();
            server.outlet.send_to(peer, escaped).await.unwrap();
        }
        settle().await;
    }
    let unread = (held() - before) / CONNECTIONS;
    assert!((UNREAD_WORST / 10 * 9..=UNREAD_WORST).contains(&unread), "{unread} bytes each");

    let mut readers = JoinSet::new();
    for mut peer in peers {
        readers.spawn(async move {
            let mut buffer = vec![0; 1_024];
            let mut ends = 0;
            // END before and after each frame.
            while ends < 4 {
                let read = peer.read(&mut buffer).await.unwrap();
                ends += memchr::memchr_iter(0xc0, &buffer[..read]).count();
            }
            peer
        });
    }
    let _peers = readers.join_all().await;
    settle().await;
    let idle = held().saturating_sub(before) / CONNECTIONS;
    println!("{unread} bytes each when unread, {idle} when idle");
    assert!(idle < 4_096, "{idle} bytes each");
}

/// What one connection holds at most, by default, for a peer that asks and does not read the replies.
const ASKING_WORST: usize = MIB / 4 * 5;

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_asks_and_does_not_read_holds_its_queue() {
    const CONNECTIONS: usize = 10;
    let server = Piped::new(StreamOptions::default());
    // One reply may have up to 64 KiB.
    let question = ("/much", 65_000).into_packet().unwrap().into_bytes();
    let wire = Bytes::from([b"\xc0", &question[..]].concat());
    settle().await;
    let before = held();
    let mut floods = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut peer, wire) = (server.connect().await, wire.clone());
        floods.spawn(async move { while peer.write_all(&wire).await.is_ok() {} });
    }
    settle().await;
    let each = (held() - before) / CONNECTIONS;
    println!("{each} bytes each");
    assert!((ASKING_WORST / 10 * 9..=ASKING_WORST).contains(&each), "{each}");
}
