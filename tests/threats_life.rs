//! Faults of a server's life, one test per row of the list of threats: 23, 62 to 64. They count the
//! tasks, file descriptors and memory of the whole process, so they run one after the other.
#![cfg(all(feature = "net", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures::stream;
use tokio::runtime::{Builder, Runtime};
use tokio_osc::dispatch::Lane;
use tokio_osc::packet::{IntoPacket, Overflow};
use tokio_osc::{
    Args, Bundle, Channel, Client, Peer, Router, Server, ServerHandle, Shutdown, Slip, TimeTag, Udp, on,
};

use crate::support::counting::{Counting, counted};
use crate::support::fed::{ended, from, item};
use crate::support::{LOOPBACK, until};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SOON: Duration = Duration::from_secs(20);

/// The process for this test alone, with what a first runtime opens and keeps for all others.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    drop(two_threads());
    alone
}

fn bytes(packet: impl IntoPacket) -> Vec<u8> {
    packet.into_packet().unwrap().as_bytes().to_vec()
}

fn file_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Sends datagrams to an address, faster than a server handles them, until it is dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Flood {
    fn of(datagrams: Vec<Vec<u8>>, to: SocketAddr) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        let send = move || {
            while !stopped.load(SeqCst) {
                for datagram in datagrams.iter().cycle().take(32) {
                    // No server listens between two.
                    let _ = socket.send_to(datagram, to);
                }
                // More than a server handles, and without the core that it needs.
                thread::sleep(Duration::from_micros(50));
            }
        };
        Self { stop, thread: Some(thread::spawn(send)) }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn routes() -> Router {
    Router::new()
        .route("/n", |Args(n): Args<i32>| ("/answer", n))
        .route("/slow", tokio::task::yield_now)
        .route("/lane", on(tokio::task::yield_now).on_lane(&Lane::new(64).overflow(Overflow::DropNewest)))
}

/// Threat 62. A thousand servers, one after the other, on the same two ports, each stopped in the middle of
///     traffic.
#[test]
fn a_thousand_starts_and_stops_under_load_leave_nothing() {
    const CYCLES: usize = 1_000;
    let _alone = alone();
    let runtime = two_threads();
    let (udp, tcp) = runtime.block_on(async {
        let udp = Channel::udp(LOOPBACK).await.unwrap().local_addr().unwrap();
        (udp, Channel::tcp(LOOPBACK, Slip::new()).await.unwrap().local_addr().unwrap())
    });
    let later = Bundle::at(TimeTag::after(Duration::from_secs(3_600))).with(("/n", 1));
    let datagrams = vec![bytes(("/n", 1)), bytes(("/slow", ())), bytes(("/lane", ())), bytes(later)];
    let before = (runtime.metrics().num_alive_tasks(), file_descriptors());
    let flood = Flood::of(datagrams, udp);

    let begin = Instant::now();
    let (mut slowest, mut handled, mut discarded) = (Duration::ZERO, 0, 0);
    runtime.block_on(async {
        for cycle in 0..CYCLES {
            let datagrams = Channel::udp(udp).await.expect("the port is free at once");
            let stream = Channel::tcp(tcp, Slip::new()).await.expect("the port is free at once");
            let server = Server::new(routes()).listen("udp", datagrams).listen("tcp", stream).spawn();
            let client = Client::tcp(tcp, Slip::new()).await.unwrap();
            client.send(("/slow", ())).await.unwrap();
            until(|| server.stats().handled >= 8).await;
            let begin = Instant::now();
            // Some are stopped in the other ways.
            let stats = match cycle % 4 {
                0 => server.shutdown_with(Shutdown::new().deadline(Duration::from_secs(5))).await.server,
                1 => {
                    server.remove("udp").await.unwrap();
                    server.shutdown().await
                }
                _ => server.shutdown().await,
            };
            slowest = slowest.max(begin.elapsed());
            handled += stats.handled;
            discarded += stats.discarded;
            let drops = stats.inbox as u64 + stats.schedule.pending as u64;
            assert_eq!(stats.received + stats.split_off, stats.ran + stats.dropped() + drops, "{stats}");
        }
    });
    drop(flood);
    runtime.block_on(until(|| runtime.metrics().num_alive_tasks() == before.0));
    let after = (runtime.metrics().num_alive_tasks(), file_descriptors());
    println!(
        "threat 62: {:.1?} for {CYCLES} starts and stops, {handled} handled, {discarded} discarded; slowest shutdown {slowest:.1?}; \
         tasks {} before, {} after; file descriptors {} before, {} after",
        begin.elapsed(),
        before.0,
        after.0,
        before.1,
        after.1
    );
    assert_eq!(after, before);
    assert!(discarded > 0, "something waited");
}

/// Threat 63. A handle may go wherever it likes.
#[test]
fn dropping_a_server_never_blocks_and_never_panics() {
    async fn busy() -> (ServerHandle, SocketAddr) {
        let router = routes().route("/stuck", std::future::pending::<()>);
        let datagrams = Channel::udp(LOOPBACK).await.unwrap();
        let stream = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let (address, tcp) = (datagrams.local_addr().unwrap(), stream.local_addr().unwrap());
        let server = Server::new(router)
            .events_to_routes("/osc")
            .report_every(Duration::from_millis(1))
            .listen("udp", datagrams)
            .listen("tcp", stream)
            .spawn();
        let client = Client::udp(address).await.unwrap();
        client.send(Bundle::at(TimeTag::after(Duration::from_secs(60))).with(("/n", 1))).await.unwrap();
        client.send(("/lane", ())).await.unwrap();
        client.send(("/stuck", ())).await.unwrap();
        Client::tcp(tcp, Slip::new()).await.unwrap().send(("/n", 1)).await.unwrap();
        // Some of the calls behind the stuck one are in the inbox.
        until(|| server.stats().schedule.pending == 1 && server.stats().received > 3).await;
        (server, address)
    }
    let rebinds = |address: SocketAddr| {
        let begin = Instant::now();
        while UdpSocket::bind(address).is_err() {
            assert!(begin.elapsed() < SOON, "the port is free");
            thread::yield_now();
        }
    };
    let _alone = alone();
    let before = file_descriptors();

    // Within the runtime, and the runtime goes on.
    let runtime = two_threads();
    let address = runtime.block_on(async {
        let (server, address) = busy().await;
        let begin = Instant::now();
        drop(server);
        println!("threat 63: a busy server was dropped in {:.1?}", begin.elapsed());
        until(|| UdpSocket::bind(address).is_ok()).await;
        address
    });
    rebinds(address);
    // Outside of any runtime.
    let (server, address) = runtime.block_on(busy());
    drop(server);
    rebinds(address);
    // On a thread that never saw one.
    let (server, address) = runtime.block_on(busy());
    thread::spawn(move || drop(server)).join().unwrap();
    rebinds(address);
    // After its runtime: it has ended, can still be asked, and takes no channel.
    let (server, address) = runtime.block_on(busy());
    let events = server.events();
    drop(runtime);
    assert!(server.is_finished());
    assert!(server.stats().received > 3);
    assert_eq!(server.report().channels.len(), 0, "all are closed");
    assert!(server.feed("late", stream::empty()).is_err());
    assert_eq!(server.cancel_all(), 0, "what waited went with the runtime");
    rebinds(address);
    let alone = Builder::new_current_thread().build().unwrap();
    alone.block_on(async {
        server.wait().await;
        drop(events);
        assert!(server.remove("udp").await.is_err());
        // In another runtime, which has no driver at all.
        drop(server);
    });
    // Of a runtime that does not run; and one that never begins to.
    let sleeping = Builder::new_current_thread().enable_all().build().unwrap();
    let (server, address) = sleeping.block_on(busy());
    drop(server);
    drop(sleeping);
    rebinds(address);
    let never = Builder::new_current_thread().enable_all().build().unwrap();
    let (server, address) = {
        let _inside = never.enter();
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        let address = socket.local_addr().unwrap();
        let server = Server::new(routes()).feed("none", stream::pending()).spawn();
        (server, address)
    };
    drop(never);
    assert!(server.is_finished() && server.channels().is_empty());
    drop(server);
    rebinds(address);
    // A shutdown whose runtime goes away.
    let runtime = two_threads();
    let (server, address) = runtime.block_on(busy());
    let shutdown = server.shutdown();
    drop(runtime);
    alone.block_on(shutdown);
    rebinds(address);
    drop(alone);
    assert_eq!(file_descriptors(), before);
}

/// Threat 64. A million packets to a server with slow handlers: what is offered is handled, or dropped for a
///     counted reason, and memory stays where it is.
#[test]
fn of_a_million_packets_each_is_accounted_for() {
    const OFFERED: u64 = 1_000_000;
    let _alone = alone();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handled = Arc::new(AtomicU64::new(0));
    let slow = || {
        let handled = Arc::clone(&handled);
        move || {
            let handled = Arc::clone(&handled);
            async move {
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                handled.fetch_add(1, SeqCst);
            }
        }
    };
    let lane = Lane::new(64).overflow(Overflow::DropOldest);
    let router = Router::new()
        .route("/slow", slow())
        .route("/lane", on(slow()).on_lane(&lane))
        .route("/number", |Args(_): Args<i32>| {});
    let work = async {
        let channel = Udp::new(LOOPBACK).receive_buffer(64 * 1_024).bind().await.unwrap();
        let to = channel.local_addr().unwrap();
        let server = Server::new(router).listen("udp", channel).spawn();
        let later = Bundle::at(TimeTag::after(Duration::from_secs(3_600))).with(("/slow", ()));
        let datagrams = [
            bytes(("/slow", ())),
            bytes(("/lane", ())),
            bytes(("/lane", ())),
            bytes(("/number", "none")),
            bytes(("/nobody", ())),
            b"HTTP".to_vec(),
            bytes(later),
        ];
        let sender = thread::spawn(move || {
            let socket = UdpSocket::bind(LOOPBACK).unwrap();
            for n in 0..OFFERED {
                let datagram = &datagrams[usize::try_from(n).unwrap() % datagrams.len()];
                while socket.send_to(datagram, to).is_err() {}
            }
        });
        let lost = || {
            let report = server.report();
            report.channel("udp").unwrap().udp.unwrap().kernel_drops.unwrap()
        };
        while !sender.is_finished() {
            tokio::task::yield_now().await;
        }
        until(|| server.stats().received + lost() == OFFERED).await;
        server.shutdown_with(Shutdown::new()).await
    };
    let begin = Instant::now();
    let (report, heap) = counted(|| runtime.block_on(work));
    let stats = report.server;
    let lost = report.channel("udp").unwrap().udp.unwrap().kernel_drops.unwrap();
    println!(
        "threat 64: {OFFERED} offered in {:.1?}: {} received, {lost} dropped by the kernel; {} handled; peak memory {} KiB",
        begin.elapsed(),
        stats.received,
        stats.handled,
        heap.peak / 1_024
    );
    println!("{report}");
    assert_eq!(stats.received + lost, OFFERED);
    assert_eq!(stats.received, stats.ran + stats.dropped());
    assert_eq!(stats.ran, stats.matched + stats.unmatched);
    assert_eq!(stats.matched, stats.handled + stats.rejected + stats.overflowed);
    assert_eq!(stats.handled, handled.load(SeqCst));
    assert_eq!((stats.panicked, stats.abandoned, stats.cut_off), (0, 0, 0));
    // Scheduled bundles take the memory: a quarter of 65,536, all from one peer.
    assert!(stats.discarded <= 16_384);
    assert!(heap.peak < 16 << 20, "{} KiB", heap.peak / 1_024);
}

/// Threat 66. A flooded socket, on one thread with a clock that ticks: the clock is heard.
#[test]
fn a_hot_socket_starves_no_other_task() {
    const TICKS: usize = 100;
    let _alone = alone();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let late = runtime.block_on(async {
        let server = Server::new(routes()).listen("udp", Channel::udp(LOOPBACK).await.unwrap()).spawn();
        let flood =
            Flood::of(vec![bytes(("/n", 1)), bytes(("/slow", ()))], server.local_addr("udp").unwrap());
        until(|| server.stats().received > 1_000).await;
        let before = server.stats().received;
        let ticking = async {
            let mut late = Vec::new();
            for _ in 0..TICKS {
                let due = Instant::now() + Duration::from_millis(2);
                tokio::time::sleep_until(due.into()).await;
                late.push(due.elapsed());
            }
            late
        };
        let late = tokio::time::timeout(SOON, ticking).await.expect("the clock ticks in spite of the flood");
        assert!(server.stats().received > before, "the flood went on");
        drop(flood);
        server.shutdown().await;
        late
    });
    let mut late = late;
    late.sort_unstable();
    println!("threat 66: a tick is late by {:.1?} (median), {:.1?} (most)", late[TICKS / 2], late[TICKS - 1]);
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// Threat 23.
#[test]
fn distinct_addresses_and_peers_leave_nothing_behind() {
    let _alone = alone();
    two_threads().block_on(flood_of_addresses());
}

async fn flood_of_addresses() {
    let router = Router::new().route("/known", || {}).route("/known/*", || {}).fallback(|| {});
    let flood = |messages: u32| {
        let distinct = move |n: u32| {
            let [_, a, b, c] = n.to_be_bytes();
            let port = u16::from_be_bytes([b, c]).max(1);
            let peer = SocketAddr::from(([10, a, b, c], port));
            from(Peer::from(peer), (format!("/unknown/{n}"), ()))
        };
        stream::iter((0..messages).map(distinct))
    };
    let lookup = async || {
        let begin = Instant::now();
        let known = stream::iter((0..20_000).map(|_| item(("/known", ()))));
        ended(Server::new(Router::new().route("/known", || {})).feed("known", known).spawn()).await;
        begin.elapsed().as_nanos() / 20_000
    };
    let server = Server::new(router).feed("warm", flood(1_000)).feed("flood", flood(1_000_000)).spawn();
    while server.stats().received < 2_000 {
        tokio::task::yield_now().await;
    }
    let (memory, before) = (resident(), lookup().await);
    let stats = ended(server).await;
    let (growth, after) = (resident().saturating_sub(memory), lookup().await);
    println!(
        "threat 23: {} distinct addresses and peers: {growth} bytes of growth; a known address {before} ns before, {after} ns after",
        stats.unmatched
    );
    assert_eq!((stats.unmatched, stats.handled), (1_001_000, 1_001_000));
    assert!(growth < 8 << 20, "{growth}");
}
