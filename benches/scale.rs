//! What grows with what: the cost of one message while there is more and more of something else.
//!
//! Each row is the CPU time per message of the thread that runs the server or the client, in nanoseconds; its
//! last column is the growth from the first size to the last. What is sent lies in the socket before the
//! clock starts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark stops at what is wrong")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures to be printed")]

mod support {
    pub(crate) mod goals;
}

use std::hint::black_box;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::{StreamExt, stream};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};
use support::goals;
use tokio::sync::Notify;
use tokio_osc::channel::StreamOptions;
use tokio_osc::{
    Args, Bundle, Channel, Message, Meta, Packet, Peer, Router, Server, ServerHandle, Slip, State, TimeTag,
    Udp,
};

const SIZES: [usize; 4] = [1, 10, 100, 1_000];
const ROUTES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Messages of a burst, and bursts of a figure.
const BURST: usize = 64;
const BURSTS: usize = 100;
const ROUNDS: usize = 5;
const LOOPBACK: &str = "127.0.0.1:0";

fn main() {
    // `cargo test --benches` only shows that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 1 };
    allow_many_sockets();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let row = |name: &str, sizes: [usize; 4], most: f64, work: &dyn Fn(usize) -> f64| {
        // Interleaved: a slow moment of the machine hits all sizes.
        let mut figures: [Vec<f64>; 4] = Default::default();
        for _ in 0..rounds {
            figures.iter_mut().zip(sizes).for_each(|(figures, size)| figures.push(work(size)));
        }
        let medians = figures.map(|mut figures| {
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        });
        let growth = medians[3] / medians[0];
        let cells = |values: [String; 4]| values.map(|value| format!("{value:>9}")).join(" |");
        println!(
            "{name:<36} | {} | {} | {growth:>5.2}",
            cells(sizes.map(|size| size.to_string())),
            cells(medians.map(|figure| format!("{figure:.0}")))
        );
        goals::at_most(&format!("growth: {name}"), growth, most);
    };
    println!("what, ns per message                 | sizes | figures | growth");
    row("idle channels", SIZES, 1.25, &|size| runtime.block_on(idle_channels(size)));
    row("TCP connections, one busy", SIZES, 1.25, &|size| runtime.block_on(connections(size, 1, BURST)));
    row("TCP connections, all busy", SIZES, 1.5, &|size| runtime.block_on(connections(size, size, 8)));
    row("routes", ROUTES, 1.5, &|size| runtime.block_on(routes(size)));
    row("subscriptions", SIZES, 1.5, &|size| runtime.block_on(subscriptions(size)));
    row("bundles that wait", SIZES, 1.5, &|size| runtime.block_on(pending(size)));
    row("bundles due in a second, each", SIZES, 1.0, &|size| runtime.block_on(due(size)));
}

fn allow_many_sockets() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most.min(8_192), most).unwrap();
}

/// The CPU time that this thread has used.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

fn since(begin: Duration) -> Duration {
    thread_time().saturating_sub(begin)
}

/// Messages that were handled.
#[derive(Default)]
struct Count {
    handled: AtomicUsize,
    changed: Notify,
}

impl Count {
    fn router() -> (Arc<Self>, Router<Arc<Self>>) {
        let count = Arc::new(Self::default());
        let handle = |State(count): State<Arc<Self>>, Args(hz): Args<f32>| {
            black_box(hz);
            count.handled.fetch_add(1, Relaxed);
            count.changed.notify_one();
        };
        (Arc::clone(&count), Router::with_state(count).route("/synth/1/freq", handle))
    }

    async fn reaches(&self, handled: usize) {
        while self.handled.load(Relaxed) < handled {
            self.changed.notified().await;
        }
    }
}

fn message() -> Message {
    Message::new("/synth/1/freq", 440.0_f32).unwrap()
}

/// The CPU time per message of what a server does with burst after burst.
async fn per_message(count: &Count, burst: usize, bursts: usize, mut send: impl FnMut()) -> f64 {
    let mut spent = Duration::ZERO;
    for round in 1..=bursts {
        send();
        let begin = thread_time();
        count.reaches(round * burst).await;
        spent += since(begin);
    }
    spent.as_nanos() as f64 / (burst * bursts) as f64
}

async fn udp() -> Channel {
    Udp::new(LOOPBACK).receive_buffer(1 << 20).bind().await.unwrap()
}

/// One of so many UDP channels is busy.
async fn idle_channels(size: usize) -> f64 {
    let (count, router) = Count::router();
    let busy = udp().await;
    let to = busy.local_addr().unwrap();
    let mut server = Server::new(router).listen("busy", busy);
    for number in 1..size {
        server = server.listen(format!("idle{number}"), Channel::udp(LOOPBACK).await.unwrap());
    }
    let server = server.spawn();
    let figure = over_udp(&count, to).await;
    server.shutdown().await;
    figure
}

async fn over_udp(count: &Count, to: SocketAddr) -> f64 {
    let (socket, message) = (UdpSocket::bind(LOOPBACK).unwrap(), message());
    per_message(count, BURST, BURSTS, || {
        for _ in 0..BURST {
            socket.send_to(message.as_bytes(), to).unwrap();
        }
    })
    .await
}

/// So many of the connections send so many messages at a time.
async fn connections(size: usize, busy: usize, each: usize) -> f64 {
    let (count, router) = Count::router();
    let options = StreamOptions::default().max_connections(2 * size).max_connections_per_address(2 * size);
    let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
    let to = channel.local_addr().unwrap();
    let server = Server::new(router).listen("stage", channel).spawn();
    let mut peers = Vec::with_capacity(size);
    for number in 1..=size {
        peers.push(TcpStream::connect(to).unwrap());
        connected(&server, number).await;
    }
    let message = message();
    let frame = [message.as_bytes(), &[0xc0][..]].concat().repeat(each);
    let bursts = (BURST * BURSTS / (busy * each)).max(4);
    let figure = per_message(&count, busy * each, bursts, || {
        for peer in &mut peers[..busy] {
            peer.write_all(&frame).unwrap();
        }
    })
    .await;
    drop(peers);
    server.shutdown().await;
    figure
}

async fn connected(server: &ServerHandle, connections: usize) {
    while server.stats().connected < connections as u64 {
        tokio::task::yield_now().await;
    }
}

/// One of so many literal routes.
async fn routes(size: usize) -> f64 {
    let (count, mut router) = Count::router();
    for number in 1..size {
        router = router.route(format!("/synth/voice{number}/freq"), || {});
    }
    from_memory(&count, router, Vec::new()).await
}

/// So many bundles wait for a time far ahead.
async fn pending(size: usize) -> f64 {
    let (count, router) = Count::router();
    let bundle = Bundle::at(TimeTag::after(Duration::from_secs(3_600))).with(("/far", 1)).build().unwrap();
    from_memory(&count, router, vec![bundle.into(); size]).await
}

/// Messages from memory, behind what is to wait.
async fn from_memory(count: &Count, router: Router<Arc<Count>>, first: Vec<Packet>) -> f64 {
    const MESSAGES: usize = BURST * BURSTS;
    let arrives = |packet: Packet| (Ok(packet), Meta::from_peer(Peer::LOCAL));
    let message = message();
    let messages = (0..MESSAGES).map(move |_| arrives(message.clone().into()));
    let packets = first.into_iter().map(arrives).chain(messages);
    let server = Server::new(router).feed("memory", stream::iter(packets).chain(stream::pending())).spawn();
    let begin = thread_time();
    count.reaches(MESSAGES).await;
    let spent = since(begin);
    server.shutdown().await;
    spent.as_nanos() as f64 / MESSAGES as f64
}

/// So many subscriptions of a client, one of which hears what arrives.
async fn subscriptions(size: usize) -> f64 {
    let peer = UdpSocket::bind(LOOPBACK).unwrap();
    let client = Udp::new(peer.local_addr().unwrap()).client().await.unwrap();
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, client.local_addr().unwrap().port()));
    let others: Vec<_> = (1..size).map(|number| client.subscribe(format!("/meter/{number}"))).collect();
    let mut heard = client.subscribe("/synth/1/freq");
    let message = message();
    let mut spent = Duration::ZERO;
    for _ in 0..BURSTS {
        for _ in 0..BURST {
            peer.send_to(message.as_bytes(), to).unwrap();
        }
        let begin = thread_time();
        for _ in 0..BURST {
            black_box(heard.next().await);
        }
        spent += since(begin);
    }
    drop(others);
    spent.as_nanos() as f64 / (BURST * BURSTS) as f64
}

/// So many bundles, spread over one second, each with its own time.
async fn due(size: usize) -> f64 {
    let (count, router) = Count::router();
    let now = std::time::SystemTime::now() + Duration::from_millis(50);
    let bundles: Vec<_> = (0..size)
        .map(|number| {
            let at = now + Duration::from_secs(1) * number as u32 / size as u32;
            let bundle = Bundle::at(TimeTag::at(at)).with(("/synth/1/freq", 440.0_f32)).build().unwrap();
            (Ok(bundle.into()), Meta::from_peer(Peer::LOCAL))
        })
        .collect();
    let server = Server::new(router).feed("memory", stream::iter(bundles).chain(stream::pending())).spawn();
    let begin = thread_time();
    count.reaches(size).await;
    let spent = since(begin);
    server.shutdown().await;
    spent.as_nanos() as f64 / size as f64
}
