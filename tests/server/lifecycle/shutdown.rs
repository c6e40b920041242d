//! How a server ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::{Bundle, Channel, Client, LengthPrefix, Message, Server, ServerHandle, Shutdown};

use super::*;

struct Timed {
    server: ServerHandle,
    clock: TokioClock,
    feed: mpsc::UnboundedSender<Item>,
    ran: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

/// A server that notes the addresses of what it runs, and is fed.
fn timed() -> Timed {
    let (clock, gate, ran) =
        (TokioClock::new(), Arc::new(Semaphore::new(0)), Arc::<Mutex<Vec<_>>>::default());
    let (feed, packets) = feed();
    let router = {
        let ran = Arc::clone(&ran);
        waiting(&gate)
            .fallback(move |message: Message| ran.lock().unwrap().push(message.address().to_string()))
    };
    let server = Server::new(router).clock(clock).feed("test", packets).spawn();
    Timed { server, clock, feed, ran, gate }
}

impl Timed {
    fn push(&self, packet: impl IntoPacket) {
        self.feed.unbounded_send(item(packet)).unwrap();
    }

    fn push_after(&self, delay: Duration, packet: impl IntoPacket) {
        self.push(Bundle::at(self.clock.after(delay)).with(packet));
    }

    async fn received(&self, packets: u64) {
        until(|| self.server.stats().received == packets).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_drops_and_counts_scheduled_bundles() {
    let timed = timed();
    timed.push_after(ms(200), ("/later", ()));
    timed.push_after(ms(300), ("/later", ()));
    timed.received(2).await;
    let start = Instant::now();
    let report = timed.server.shutdown_with(Shutdown::new()).await;
    assert_eq!((start.elapsed(), report.server.discarded), (ms(0), 2));
    assert_eq!(report.channel("test").unwrap().discarded, 2);
    assert!(timed.ran.lock().unwrap().is_empty());
    assert_balanced(&report.server);
}

#[tokio::test(start_paused = true)]
async fn a_drained_shutdown_runs_scheduled_bundles() {
    let timed = timed();
    timed.push_after(ms(200), ("/a", ()));
    let inner = Bundle::at(timed.clock.after(ms(500))).with(("/c", ()));
    timed.push(Bundle::at(timed.clock.after(ms(300))).with(("/b", ())).with(inner));
    timed.received(2).await;
    let start = Instant::now();
    let report = timed.server.shutdown_with(Shutdown::new().drain()).await;
    assert_eq!((start.elapsed(), report.server.discarded), (ms(500), 0));
    assert_eq!(*timed.ran.lock().unwrap(), ["/a", "/b", "/c"]);
    assert_eq!((report.server.ran, report.server.split_off), (3, 1));
    assert_balanced(&report.server);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_would_begin_to_wait_during_the_shutdown_is_dropped() {
    let timed = timed();
    timed.push(("/wait", ()));
    let inner = Bundle::at(timed.clock.after(ms(500))).with(("/later", ()));
    timed.push(Bundle::immediately().with(("/now", ())).with(inner));
    timed.received(2).await;
    let (ran, gate) = (timed.ran, timed.gate);
    let shutdown = tokio::spawn(timed.server.shutdown());
    tokio::task::yield_now().await;
    gate.add_permits(1);
    let stats = shutdown.await.unwrap();
    assert_eq!(*ran.lock().unwrap(), ["/now"]);
    assert_eq!((stats.discarded, stats.handled, stats.schedule.pending), (1, 2, 0));
    assert_balanced(&stats);
}

/// Packets in the buffer of a connection when the shutdown begins are received during it.
#[tokio::test(start_paused = true)]
async fn a_bundle_that_leaves_a_buffer_during_the_shutdown_is_dropped() {
    let (gate, clock) = (Arc::new(Semaphore::new(0)), TokioClock::new());
    let (here, mut there) = tokio::io::duplex(65_536);
    let server = Server::new(waiting(&gate)).clock(clock).inbox(1);
    let server = server.listen("pipe", Channel::io(here, LengthPrefix::new())).spawn();
    let later = || Bundle::at(clock.after(ms(500))).with(("/later", ())).into_packet();
    let mut bytes = Vec::new();
    for packet in [("/wait", ()).into_packet(), ("/n", ()).into_packet(), later(), later()] {
        let packet = packet.unwrap();
        bytes.extend(u32::try_from(packet.as_bytes().len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(packet.as_bytes());
    }
    there.write_all(&bytes).await.unwrap();
    until(|| server.stats().received == 2).await;
    let shutdown = tokio::spawn(server.shutdown());
    tokio::task::yield_now().await;
    gate.add_permits(1);
    let stats = shutdown.await.unwrap();
    assert_eq!((stats.received, stats.handled, stats.discarded), (4, 2, 2), "{stats}");
    assert_balanced(&stats);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_shutdown_holds_whatever_is_under_way() {
    let timed = timed();
    timed.push(("/lane/stuck", ()));
    timed.push(("/lane/stuck", ()));
    timed.push(("/stuck", ()));
    (0..3).for_each(|_| timed.push(("/n", ())));
    timed.push_after(ms(400), ("/in-time", ()));
    timed.push_after(ms(4_000), ("/too-late", ()));
    timed.received(8).await;
    let start = Instant::now();
    let report = timed.server.shutdown_with(Shutdown::new().drain().deadline(ms(1_000))).await;
    assert_eq!(start.elapsed(), ms(1_000));
    let stats = report.server;
    assert_eq!((stats.abandoned, stats.cut_off, stats.handled), (3, 3, 0), "{stats}");
    assert_eq!(stats.discarded, 2, "the one in time waited behind a handler that never ends");
    assert_balanced(&stats);
}

/// The call in the lane is all that there is, when the shutdown begins.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_shutdown_holds_where_all_channels_have_ended() {
    let gate = Arc::new(Semaphore::new(0));
    let packets = || futures::stream::iter([item(("/lane/stuck", ()))]);
    let server = Server::new(waiting(&gate)).feed("test", packets()).spawn();
    tokio::time::sleep(ms(10)).await;
    let start = Instant::now();
    let report = soon(server.shutdown_with(Shutdown::new().deadline(ms(1_000)))).await;
    assert_eq!((start.elapsed(), report.server.abandoned), (ms(1_000), 1));

    let signal = tokio::time::sleep(ms(10));
    let server = Server::new(waiting(&gate)).feed("test", packets());
    let server = server.with_graceful_shutdown(signal).on_shutdown(Shutdown::new().deadline(ms(1_000)));
    let start = Instant::now();
    soon(server.run()).await;
    assert_eq!(start.elapsed(), ms(1_010));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_done_does_not_wait_for_the_deadline() {
    let timed = timed();
    timed.push_after(ms(400), ("/in-time", ()));
    timed.received(1).await;
    let start = Instant::now();
    let report = timed.server.shutdown_with(Shutdown::new().drain().deadline(ms(1_000))).await;
    assert_eq!((start.elapsed(), report.server.discarded), (ms(400), 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_closes_connections_that_take_nothing() {
    let (here, _there) = tokio::io::duplex(8);
    let channel = Channel::io(here, tokio_osc::Slip::new());
    let outlet = channel.outlet();
    let server = Server::new(Router::new()).listen("pipe", channel).spawn();
    outlet.broadcast(("/news", vec![0_u8; 1_000])).unwrap();
    let start = Instant::now();
    server.shutdown_with(Shutdown::new().deadline(ms(300))).await;
    assert_eq!(start.elapsed(), ms(300), "without it, a second");
}

#[tokio::test]
async fn a_signal_ends_a_server_that_runs_in_the_callers_task() {
    let gate = Arc::new(Semaphore::new(0));
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(waiting(&gate)).listen("udp", channel);
    let running = server.with_graceful_shutdown(async { drop(stopped.await) }).run();
    let running = tokio::spawn(running);

    let client = Client::udp(address).await.unwrap();
    let asked = {
        let client = client.clone();
        tokio::spawn(async move { client.request(("/wait", ()), "/waited").await })
    };
    until(|| !asked.is_finished()).await;
    // The request is with the server when the next one, which needs no permit, was sent and handled.
    while !running.is_finished() && gate.available_permits() == 0 {
        client.send(("/n", ())).await.unwrap();
        gate.add_permits(1);
    }
    assert!(asked.await.unwrap().is_ok());
    stop.send(()).unwrap();
    soon(running).await.unwrap();
    Channel::udp(address).await.expect("the port is free");
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_server_by_its_options_and_a_later_call_overrides_them() {
    let clock = TokioClock::new();
    let cue = |delay| item(Bundle::at(clock.after(delay)).with(("/n", ())));
    let serve = |packets| {
        let server = Server::new(Router::new()).clock(clock).feed("test", packets);
        server.on_shutdown(Shutdown::new().drain()).with_graceful_shutdown(tokio::time::sleep(ms(10)))
    };
    let start = Instant::now();
    let (feed_one, packets) = feed();
    feed_one.unbounded_send(cue(ms(500))).unwrap();
    soon(serve(packets).run()).await;
    assert_eq!(start.elapsed(), ms(500), "drained");

    let (feed_two, packets) = feed();
    feed_two.unbounded_send(cue(ms(60_000))).unwrap();
    let server = serve(packets).spawn();
    let start = Instant::now();
    tokio::time::sleep(ms(20)).await;
    let stats = server.shutdown_with(Shutdown::new()).await.server;
    assert_eq!((start.elapsed(), stats.discarded), (ms(20), 1));
}

#[tokio::test]
async fn all_waiters_return_when_the_server_has_ended() {
    let (feed, packets) = feed();
    let server = Arc::new(Server::new(Router::new()).feed("test", packets).spawn());
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.wait().await })
        })
        .collect();
    // To stop waiting is nothing to the server.
    assert!(timeout(ms(0), server.wait()).await.is_err());
    feed.unbounded_send(item(("/n", ()))).unwrap();
    until(|| server.stats().received == 1).await;
    assert!(!server.is_finished() && waiters.iter().all(|waiter| !waiter.is_finished()));
    drop(feed);
    for waiter in waiters {
        soon(waiter).await.unwrap();
    }
    assert!(server.is_finished());
    server.wait().await;
    assert_eq!(server.stats().received, 1, "the numbers are still there");
}

#[tokio::test]
async fn a_server_without_channels_ends_at_once_unless_it_has_a_handle() {
    soon(Server::new(Router::new()).run()).await;
    let server = Server::new(Router::new()).spawn();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    let (feed, packets) = feed();
    server.feed("test", packets).unwrap();
    drop(feed);
    soon(server.wait()).await;
}

#[tokio::test]
async fn a_server_can_restart_on_the_same_port_beside_other_servers() {
    let other = Server::new(Router::new().route("/ping", || ("/pong", 0)));
    let other = other.listen("udp", Channel::udp(LOOPBACK).await.unwrap()).spawn();
    let beside = Client::udp(other.local_addr("udp").unwrap()).await.unwrap();

    let mut address = LOOPBACK.to_owned();
    for n in 0..20 {
        let router = Router::new().route("/ping", move || ("/pong", n));
        let channel = Channel::udp(address.as_str()).await.expect("the port is free");
        address = channel.local_addr().unwrap().to_string();
        let server = Server::new(router).listen("udp", channel).spawn();
        let client = Client::udp(server.local_addr("udp").unwrap()).await.unwrap();
        assert_eq!(client.request(("/ping", ()), "/pong").await.unwrap().parse::<i32>().unwrap(), n);
        assert_eq!(beside.request(("/ping", ()), "/pong").await.unwrap().parse::<i32>().unwrap(), 0);
        let stats = server.shutdown().await;
        assert_eq!((stats.received, stats.handled), (1, 1), "numbers of its own");
    }
    assert_eq!(other.shutdown().await.received, 20);
}

#[tokio::test]
async fn a_shutdown_that_is_given_up_stops_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let begun = Arc::new(AtomicUsize::new(0));
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let router = {
        let begun = Arc::clone(&begun);
        waiting(&gate).route("/wait", move || _ = begun.fetch_add(1, SeqCst))
    };
    let server = Server::new(router).listen("udp", channel).spawn();
    Client::udp(address).await.unwrap().send(("/wait", ())).await.unwrap();
    until(|| server.stats().received == 1).await;
    assert!(timeout(ms(1), server.shutdown()).await.is_err(), "a handler waits");
    soon(async {
        while Channel::udp(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(begun.load(SeqCst), 0, "the route behind the handler that waited never ran");
}

#[test]
fn a_runtime_that_ends_drops_the_calls_waiting_in_lanes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, _feed) = runtime.block_on(async {
        let (feed, packets) = feed();
        let server = Server::new(waiting(&Arc::new(Semaphore::new(0)))).feed("test", packets).spawn();
        // One is called, the other is behind it.
        for _ in 0..2 {
            feed.unbounded_send(item(("/lane/stuck", ()))).unwrap();
        }
        until(|| server.stats().ran == 2).await;
        (server, feed)
    });
    drop(runtime);
    assert!(server.is_finished());
    assert!(server.report().channels.is_empty(), "nothing keeps the channel open");
    // What waited is told apart by who ended first, the lane or the server.
    let stats = server.stats();
    assert_eq!(stats.abandoned + stats.overflowed, 2);
}
