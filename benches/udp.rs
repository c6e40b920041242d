//! Part C of the performance goals: receiving, sending, the whole path and the round trip over UDP,
//! beside plain sockets and other OSC software.
//!
//! Each round lets every candidate do the same, one after the other; a figure is the median of the
//! rounds. What is received waits in the socket's buffer before the clock starts, 64 packets at a
//! time, so that a figure is the work of the receiver alone; the clock is the CPU time of the thread
//! (of the process, where a peer has threads of its own). liblo needs a C compiler and its headers, the
//! Python peers their packages; a goal without its peer is `skipped`. All is on loopback and takes some
//! 10 s.
//!
//! A round trip on an idle machine is mostly the time that two cores take to wake: 60 us for the bare
//! echo, 52 for a request. While something else keeps them awake it is 15 and 17. liblo takes 14 to 15
//! either way.
//!
//! "Runs" are those of `Udp::batch` (feature `batch`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark stops at what is wrong, and rounds"
)]

#[path = "support/goals.rs"]
mod goals;
#[path = "udp/peers.rs"]
mod peers;

use std::hint::black_box;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::StreamExt;
use peers::Peer;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_osc::{Args, Channel, Client, Message, Router, Server, State, Udp};

const ROUNDS: usize = 15;
/// Packets of a round, which a buffer of 4 MiB holds with ease.
const PACKETS: usize = 6_400;
/// Packets that wait when the receiver begins to drain.
const BATCH: usize = 64;
const BUFFER: usize = 4 << 20;
/// Python is slow.
const FEW: usize = 500;
const PINGS: usize = 1_000;
const METHODS: usize = 100;
const ADDRESSES: usize = 100;
const LOOPBACK: &str = "127.0.0.1:0";

/// 32 bytes.
fn message(method: usize) -> Message {
    Message::new(format!("/synth/{method:02}/frequency"), (440.0_f32, 0.5_f32)).expect("it is legal")
}

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut liblo = Peer::liblo();
    let mut python = [Peer::python("python-osc", "pythonosc"), Peer::python("osc4py3", "osc4py3")];
    assert_eq!(message(0).as_bytes().len(), 32);

    let mut table = Table::default();
    // `cargo test --benches` only shows that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 1 };
    for _ in 0..rounds {
        table.note("receive: raw recvfrom", raw_receive(&runtime));
        table.note("receive: tokio recv_from + rosc", tokio_and_rosc(&runtime));
        table.note("receive: Channel", channel(&runtime, Udp::new));
        table.note("full: Server, 100 methods", server(&runtime, Udp::new));
        table.note("send: raw send_to", raw_send());
        table.note("send: Client", client(&runtime, false));
        table.note("send: raw send, connected", raw_send_connected());
        table.note("send: Client, connected", client(&runtime, true));
        #[cfg(feature = "batch")]
        {
            table.note("receive: Channel, runs", channel(&runtime, runs));
            table.note("full: Server, runs", server(&runtime, runs));
            table.note("send: Client, runs", client_of_runs(&runtime));
        }
        table.note("send: 100 raw send_to", raw_fan_out());
        table.note("send: FanOut, 100 addresses", fan_out(&runtime));
        if let Some(liblo) = &mut liblo {
            table.note("full: liblo, 100 methods", liblo.receive(PACKETS));
        }
        for cores in ["", ", cores awake"] {
            let _awake = (!cores.is_empty()).then(Awake::new);
            let name = |who: &str| format!("round trip p50{cores}: {who}");
            table.note(&name("bare tokio echo"), bare_round_trip(&runtime));
            table.note(&name("request"), round_trip(&runtime));
            if let Some(liblo) = &mut liblo {
                table.note(&name("liblo"), liblo.round_trip(PINGS));
            }
        }
    }
    for _ in 0..rounds.min(3) {
        for peer in python.iter_mut().flatten() {
            let name = format!("full: {}, 100 methods", peer.name());
            table.note(&name, peer.receive(FEW));
        }
    }
    table.print();
    let ratios: [(&str, &str, &str); 15] = [
        ("receive: Channel", "receive: raw recvfrom", "<= 1.2"),
        ("receive: tokio recv_from + rosc", "receive: Channel", ">= 1.3"),
        ("full: Server, 100 methods", "receive: raw recvfrom", "<= 1.45"),
        ("full: liblo, 100 methods", "full: Server, 100 methods", ">= 4"),
        ("full: python-osc, 100 methods", "full: Server, 100 methods", ">= 20"),
        ("full: osc4py3, 100 methods", "full: Server, 100 methods", ">= 20"),
        ("full: Server, runs", "receive: raw recvfrom", "<= 0.4"),
        ("receive: Channel", "receive: Channel, runs", ">= 6"),
        ("send: Client", "send: Client, runs", ">= 5"),
        ("send: Client", "send: raw send_to", "<= 1.1"),
        ("send: Client, connected", "send: raw send, connected", "<= 1.06"),
        ("send: FanOut, 100 addresses", "send: 100 raw send_to", "<= 1.0"),
        ("round trip p50: request", "round trip p50: bare tokio echo", "<= 1.1"),
        ("round trip p50, cores awake: request", "round trip p50, cores awake: bare tokio echo", "<= 1.1"),
        ("round trip p50, cores awake: request", "round trip p50, cores awake: liblo", "<= 1.0"),
    ];
    for (over, under, goal) in ratios {
        table.judge(over, under, goal);
    }
    table.limit("receive: tokio recv_from + rosc", "receive: raw recvfrom");
}

/// Keeps each core awake, at the lowest priority, until it is dropped.
struct Awake(Vec<Child>);

impl Awake {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let spin = || Command::new("nice").args(["-n", "19", "sh", "-c", "while :; do :; done"]).spawn();
        Self((0..cores).filter_map(|_| spin().ok()).collect())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The CPU time that this thread has used.
fn thread_time() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

fn since(begin: Duration) -> Duration {
    thread_time().saturating_sub(begin)
}

fn per_packet(spent: Duration, packets: usize) -> f64 {
    spent.as_nanos() as f64 / packets as f64
}

fn buffered_socket() -> UdpSocket {
    let socket = UdpSocket::bind(LOOPBACK).expect("a socket");
    socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER).expect("a buffer");
    socket.set_nonblocking(true).expect("an option");
    socket
}

/// The CPU time per packet of draining batch after batch, sent to each method in turn.
async fn drain_batches(peer: Udp, mut drain: impl AsyncFnMut()) -> f64 {
    let sender = peer.client().await.expect("a client");
    let messages: Vec<_> = (0..METHODS).map(message).collect();
    let mut messages = messages.iter().cycle();
    let mut spent = Duration::ZERO;
    for _ in 0..PACKETS / BATCH {
        sender.send_all(messages.by_ref().take(BATCH).cloned()).await.expect("it is sent");
        let begin = thread_time();
        drain().await;
        spent += since(begin);
    }
    per_packet(spent, PACKETS)
}

fn raw_receive(runtime: &Runtime) -> f64 {
    let socket = buffered_socket();
    let mut buffer = vec![0; 65_536];
    let peer = Udp::new(socket.local_addr().expect("it is bound"));
    runtime.block_on(drain_batches(peer, async || {
        for _ in 0..BATCH {
            black_box(socket.recv_from(&mut buffer).expect("it is received"));
        }
    }))
}

fn tokio_and_rosc(runtime: &Runtime) -> f64 {
    runtime.block_on(async {
        let socket = tokio::net::UdpSocket::from_std(buffered_socket()).expect("a socket");
        let mut buffer = vec![0; 65_536];
        drain_batches(Udp::new(socket.local_addr().expect("it is bound")), async || {
            for _ in 0..BATCH {
                let (len, from) = socket.recv_from(&mut buffer).await.expect("it is received");
                black_box((rosc::decoder::decode_udp(&buffer[..len]).expect("it is legal"), from));
            }
        })
        .await
    })
}

fn channel(runtime: &Runtime, options: impl Fn(SocketAddr) -> Udp) -> f64 {
    runtime.block_on(async {
        let loopback = LOOPBACK.parse().expect("an address");
        let mut channel = options(loopback).receive_buffer(BUFFER).bind().await.expect("a channel");
        drain_batches(options(channel.local_addr().unwrap()), async || {
            for _ in 0..BATCH {
                let (packet, meta) = channel.next().await.expect("it never ends");
                black_box((packet.expect("it is legal"), meta));
            }
        })
        .await
    })
}

fn server(runtime: &Runtime, options: impl Fn(SocketAddr) -> Udp) -> f64 {
    struct Count {
        handled: AtomicUsize,
        all: Notify,
    }
    async fn handle(State(count): State<Arc<Count>>, Args(args): Args<(f32, f32)>) {
        black_box(args);
        if (count.handled.fetch_add(1, Relaxed) + 1) % BATCH == 0 {
            count.all.notify_one();
        }
    }
    runtime.block_on(async {
        let count = Arc::new(Count { handled: AtomicUsize::new(0), all: Notify::new() });
        let mut router = Router::with_state(Arc::clone(&count));
        for method in 0..METHODS {
            router = router.route(format!("/synth/{method:02}/frequency"), handle);
        }
        let loopback = LOOPBACK.parse().expect("an address");
        let channel = options(loopback).receive_buffer(BUFFER).bind().await.expect("a channel");
        let peer = options(channel.local_addr().unwrap());
        let server = Server::new(router).listen("udp", channel).spawn();
        let figure = drain_batches(peer, async || count.all.notified().await).await;
        server.shutdown().await;
        figure
    })
}

fn raw_send() -> f64 {
    let (socket, sink) = (UdpSocket::bind(LOOPBACK).expect("a socket"), buffered_socket());
    let (datagram, address) = (message(0), sink.local_addr().expect("it is bound"));
    let begin = thread_time();
    for _ in 0..PACKETS {
        black_box(socket.send_to(datagram.as_bytes(), address).expect("it is sent"));
    }
    per_packet(since(begin), PACKETS)
}

fn raw_send_connected() -> f64 {
    let (socket, sink) = (UdpSocket::bind(LOOPBACK).expect("a socket"), buffered_socket());
    socket.connect(sink.local_addr().expect("it is bound")).expect("it is there");
    let datagram = message(0);
    let begin = thread_time();
    for _ in 0..PACKETS {
        black_box(socket.send(datagram.as_bytes()).expect("it is sent"));
    }
    per_packet(since(begin), PACKETS)
}

fn client(runtime: &Runtime, connected: bool) -> f64 {
    runtime.block_on(async {
        let sink = buffered_socket();
        let options = Udp::new(sink.local_addr().expect("it is bound"));
        let client = if connected { options.connect().await } else { options.client().await };
        let client = client.expect("a client");
        let begin = thread_time();
        for _ in 0..PACKETS {
            client.send(("/synth/00/frequency", (440.0_f32, 0.5_f32))).await.expect("it is sent");
        }
        per_packet(since(begin), PACKETS)
    })
}

/// Sockets that hear a packet each.
fn ears() -> Vec<UdpSocket> {
    (0..ADDRESSES).map(|_| UdpSocket::bind(LOOPBACK).expect("a socket")).collect()
}

fn addresses(ears: &[UdpSocket]) -> Vec<SocketAddr> {
    ears.iter().map(|socket| socket.local_addr().expect("it is bound")).collect()
}

/// The CPU time per datagram of sending one packet to many addresses.
fn raw_fan_out() -> f64 {
    let (socket, ears, datagram) = (UdpSocket::bind(LOOPBACK).expect("a socket"), ears(), message(0));
    let addresses = addresses(&ears);
    let begin = thread_time();
    for _ in 0..PACKETS / ADDRESSES {
        for address in &addresses {
            black_box(socket.send_to(datagram.as_bytes(), address).expect("it is sent"));
        }
    }
    per_packet(since(begin), PACKETS)
}

fn fan_out(runtime: &Runtime) -> f64 {
    runtime.block_on(async {
        let ears = ears();
        let addresses = addresses(&ears);
        let client = Udp::new(addresses[0]).client().await.expect("a client");
        let all = client.to(addresses).expect("it is of UDP");
        let begin = thread_time();
        for _ in 0..PACKETS / ADDRESSES {
            let report = all.send(("/synth/00/frequency", (440.0_f32, 0.5_f32))).await.expect("it is sent");
            assert_eq!(report.sent, ADDRESSES);
        }
        per_packet(since(begin), PACKETS)
    })
}

/// Datagrams that pass the kernel in runs.
#[cfg(feature = "batch")]
fn runs(address: SocketAddr) -> Udp {
    Udp::new(address).batch(true)
}

#[cfg(feature = "batch")]
fn client_of_runs(runtime: &Runtime) -> f64 {
    runtime.block_on(async {
        let loopback = LOOPBACK.parse().expect("an address");
        let sink = runs(loopback).receive_buffer(BUFFER).bind().await.expect("a channel");
        let client = runs(sink.local_addr().unwrap()).client().await.expect("a client");
        let begin = thread_time();
        let packets = (0..PACKETS).map(|_| ("/synth/00/frequency", (440.0_f32, 0.5_f32)));
        client.send_all(packets).await.expect("it is sent");
        per_packet(since(begin), PACKETS)
    })
}

/// An echo on a thread of its own, without OSC.
fn bare_round_trip(runtime: &Runtime) -> f64 {
    let socket = buffered_socket();
    let address = socket.local_addr().expect("it is bound");
    let echo = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let socket = tokio::net::UdpSocket::from_std(socket).expect("a socket");
            let mut buffer = vec![0; 65_536];
            for _ in 0..PINGS {
                let (len, from) = socket.recv_from(&mut buffer).await.expect("it is received");
                socket.send_to(&buffer[..len], from).await.expect("it is sent");
            }
        });
    });
    let figure = runtime.block_on(async {
        let socket = tokio::net::UdpSocket::bind(LOOPBACK).await.expect("a socket");
        let (datagram, mut buffer) = (message(0), vec![0; 65_536]);
        let mut times = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let begin = Instant::now();
            socket.send_to(datagram.as_bytes(), address).await.expect("it is sent");
            black_box(socket.recv_from(&mut buffer).await.expect("it is received"));
            times.push(begin.elapsed().as_nanos() as f64);
        }
        median(&mut times)
    });
    echo.join().expect("it ends");
    figure
}

fn round_trip(runtime: &Runtime) -> f64 {
    let (address_to, address) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let channel = Channel::udp(LOOPBACK).await.expect("a channel");
            address_to.send(channel.local_addr().unwrap()).expect("it is awaited");
            let router = Router::new()
                .route("/synth/00/frequency", |Args(args): Args<(f32, f32)>| ("/synth/00/frequency", args));
            let server = Server::new(router).listen("udp", channel).spawn();
            let _ = stopped.await;
            server.shutdown().await;
        });
    });
    let address = address.recv().expect("it listens");
    let figure = runtime.block_on(async {
        let client = Client::udp(address).await.expect("a client");
        let mut times = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let packet = ("/synth/00/frequency", (440.0_f32, 0.5_f32));
            let begin = Instant::now();
            let reply = client.request(packet, "/synth/00/frequency").await.expect("it is answered");
            times.push(begin.elapsed().as_nanos() as f64);
            black_box(reply);
        }
        median(&mut times)
    });
    stop.send(()).expect("it serves");
    serving.join().expect("it ends");
    figure
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Figures by name, in the order of their first round.
#[derive(Default)]
struct Table {
    rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    fn note(&mut self, name: &str, figure: f64) {
        match self.rows.iter_mut().find(|(row, _)| row == name) {
            Some((_, figures)) => figures.push(figure),
            None => self.rows.push((name.to_owned(), vec![figure])),
        }
    }

    fn figure(&self, name: &str) -> Option<f64> {
        let (_, figures) = self.rows.iter().find(|(row, _)| row == name)?;
        Some(median(&mut figures.clone()))
    }

    fn print(&self) {
        for (name, figures) in &self.rows {
            println!("{name:<48} {:>10.0} ns", median(&mut figures.clone()));
        }
    }

    /// What nothing above the system call can exceed.
    fn limit(&self, other: &str, least: &str) {
        if let (Some(theirs), Some(bare)) = (self.figure(other), self.figure(least)) {
            println!("limit: {other} / anything is at most {:.2} here: the system call alone", theirs / bare);
        }
    }

    fn judge(&self, over: &str, under: &str, goal: &str) {
        let name = format!("{over} / {under}");
        let (Some(over), Some(under)) = (self.figure(over), self.figure(under)) else {
            return goals::skipped(&name);
        };
        match goal.split_once(' ') {
            Some(("<=", most)) => goals::at_most(&name, over / under, most.parse().expect("a number")),
            Some((_, least)) => goals::at_least(&name, over / under, least.parse().expect("a number")),
            None => {}
        }
    }
}
