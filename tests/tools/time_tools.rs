//! Clocks of two processes, senders that tag by the other's clock, and a metronome over the network.
#![cfg(feature = "net")]

use std::io::{BufRead, BufReader, Lines, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::net::UdpSocket;
use tokio_osc::client::{RequestError, RequestErrorKind};
use tokio_osc::packet::ClockOffset;
use tokio_osc::schedule::{Clock, Reading, SystemClock, TimeOptions, TokioClock};
use tokio_osc::tools::{ClockSync, Ticker, TimedSender};
use tokio_osc::{Args, Bundle, Channel, Client, Message, Packet, Router, Server, Slip, TimeTag, on};

use crate::support::LOOPBACK;
use crate::support::rig::*;

/// The clock of the other process is ahead by this.
const AHEAD: Duration = Duration::from_millis(250);

/// The system's clock, put forward.
#[derive(Debug)]
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> Reading {
        let Reading { wall, monotonic } = SystemClock.now();
        Reading { wall: wall + AHEAD, monotonic }
    }
}

/// This program again, as a process of its own that runs `other_process`.
struct OtherProcess {
    child: Child,
    address: SocketAddr,
    /// Open until it has ended.
    _output: Lines<BufReader<ChildStdout>>,
}

impl OtherProcess {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["time_tools::other_process", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, address)) = line.split_once("listening ") {
                break address.parse().unwrap();
            }
        };
        Self { child, address, _output: lines }
    }
}

impl Drop for OtherProcess {
    /// It ends when its standard input does.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// Answers with a clock that is ahead, and reports how late timed bundles are by it.
#[tokio::test]
#[ignore = "the other process of the tests below"]
async fn other_process() {
    let router = Router::new().route("/lateness", |meta: tokio_osc::Meta| {
        ("/lateness/is", (meta.lateness.as_secs_f64(), meta.schedule_id().is_some()))
    });
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    println!("listening {}", channel.local_addr().unwrap());
    let server = Server::new(router.merge(ClockSync::responder(Ahead))).clock(Ahead).listen("udp", channel);
    let server = server.spawn();
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(end).await.unwrap().unwrap();
    server.shutdown().await;
}

/// A proxy that delays packets by up to 5 ms, in either direction, and no others.
async fn jittery_proxy(target: SocketAddr, seed: u64) -> SocketAddr {
    let (front, back) = (UdpSocket::bind(LOOPBACK).await.unwrap(), UdpSocket::bind(LOOPBACK).await.unwrap());
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut delay = |delayed: bool| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            Duration::from_micros(if delayed { random % 5_000 } else { 0 })
        };
        let mut buffer = [0; 1_024];
        loop {
            let (len, client) = front.recv_from(&mut buffer).await.unwrap();
            tokio::time::sleep(delay(seed % 2 == 0)).await;
            back.send_to(&buffer[..len], target).await.unwrap();
            let len = back.recv(&mut buffer).await.unwrap();
            tokio::time::sleep(delay(seed % 2 == 1)).await;
            front.send_to(&buffer[..len], client).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn the_offset_of_another_process_lies_within_the_stated_error_100_times_of_100() {
    let other = OtherProcess::start();
    let target = other.address;
    let runs = futures::stream::iter(0..100).map(|run| async move {
        let proxy = jittery_proxy(target, run).await;
        let mut sync = ClockSync::new(Client::udp(proxy).await.unwrap()).pings(6);
        sync.measure().await.unwrap()
    });
    let estimates: Vec<_> = runs.buffer_unordered(20).collect().await;
    let truth = -i64::try_from(AHEAD.as_nanos()).unwrap();
    let off = |offset: ClockOffset| Duration::from_nanos((offset.as_nanos() - truth).unsigned_abs());
    let right = estimates.iter().filter(|estimate| off(estimate.offset) <= estimate.error).count();
    assert_eq!((right, estimates.len()), (100, 100));
    assert!(estimates.iter().all(|estimate| estimate.answers == 6));
    let mut errors: Vec<_> = estimates.iter().map(|estimate| estimate.error).collect();
    errors.sort_unstable();
    println!("stated error: median {:?}, most {:?}", errors[50], errors[99]);
    assert!(errors[50] < Duration::from_millis(5), "and it is worth something");
}

#[tokio::test]
async fn a_bundle_tagged_by_the_measured_offset_is_held_by_the_other_process_until_its_time() {
    let other = OtherProcess::start();
    let client = Client::udp(other.address).await.unwrap();
    let estimate = ClockSync::new(client.clone()).measure().await.unwrap();
    let sender = TimedSender::new(client.clone()).clock_offset(estimate.offset);
    let begin = Instant::now();
    let due = SystemClock.now().wall + ms(40);
    let bundle = sender.bundle_at(due, ("/lateness", ())).unwrap();
    let answer = client.request(bundle, "/lateness/is").await.unwrap();
    let (late, waited): (f64, bool) = answer.parse().unwrap();
    assert!(waited && begin.elapsed() >= ms(40) - estimate.error, "{:?}", begin.elapsed());
    // Without the offset it would have been 210 ms late by the clock that is ahead.
    assert!(late < 0.2, "{late} s late");
}

#[tokio::test]
async fn answers_that_contradict_older_ones_replace_them() {
    let clock = TestClock::starting_at(SystemClock.now().wall);
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let mut sync = ClockSync::new(Client::udp(channel.local_addr().unwrap()).await.unwrap())
        .addresses("/show/time", "/show/time/is")
        .pings(3);
    let responder = ClockSync::responder_at("/time", "/show/time/is", clock.clone());
    let server = Server::new(Router::new().nest("/show", responder)).listen("udp", channel).spawn();
    let before = sync.measure().await.unwrap();
    clock.step(10_000);
    let after = sync.measure().await.unwrap();
    assert_eq!((before.answers, after.answers), (3, 3));
    let moved = before.offset.as_nanos() - after.offset.as_nanos();
    let off = (moved - 10_000_000_000).unsigned_abs();
    assert!(Duration::from_nanos(off) <= before.error + after.error + ms(1), "{moved}");
    assert_eq!(sync.measure().await.unwrap().answers, 6, "what agrees is kept");
    server.shutdown().await;
}

/// An answer that comes during the next question does not count for that one, and spoils only its own.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_not_taken_for_the_next() {
    let (here, there) = tokio::io::duplex(1_024);
    let (asked, clock) = (AtomicU32::new(0), TokioClock::new());
    let router = Router::new().route(
        "/clock/ping",
        on(move |Args(n): Args<i32>| {
            let delay = if asked.fetch_add(1, Relaxed) == 0 { 120 } else { 30 };
            async move {
                tokio::time::sleep(ms(delay)).await;
                ("/clock/pong", (n, clock.tag()))
            }
        })
        .concurrent(8),
    );
    let server = Server::new(router).listen("pipe", Channel::io(here, Slip::new())).spawn();
    let client = Client::io(there, Slip::new());
    let mut sync = ClockSync::new(client).clock(clock).timeout(ms(100));
    let estimate = sync.measure().await.unwrap();
    assert_eq!((estimate.answers, estimate.round_trip), (7, ms(30)));
    server.shutdown().await;
}

#[tokio::test]
async fn missing_and_invalid_answers_are_errors_and_not_estimates() {
    let silent = UdpSocket::bind(LOOPBACK).await.unwrap();
    let client = Client::udp(silent.local_addr().unwrap()).await.unwrap();
    let error = ClockSync::new(client).pings(2).timeout(ms(1)).measure().await.unwrap_err();
    assert_eq!(error.to_string(), "none of 2 questions for the time was answered: no reply within 1 ms");
    assert_eq!(error.last_error().map(RequestError::kind), Some(RequestErrorKind::Timeout));

    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let router = Router::new().route("/clock/ping", |Args(n): Args<i32>| {
        let now = TimeTag::now();
        if n % 2 == 0 {
            Message::new("/clock/pong", (n + 1, now))
        } else {
            Message::new("/clock/pong", "soon")
        }
    });
    let server = Server::new(router).listen("udp", channel).spawn();
    assert!(ClockSync::new(client).timeout(ms(20)).measure().await.is_err());
    server.shutdown().await;
}

#[tokio::test]
async fn a_sender_tags_by_the_peer_s_clock_and_inner_bundles_too() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let mut sender = TimedSender::new(Client::udp(channel.local_addr().unwrap()).await.unwrap())
        .clock(TestClock::new())
        .clock_offset(ClockOffset::peer_ahead(SECOND));
    let clock = TestClock::new();
    let inner = Bundle::at(clock.after(SECOND * 2)).with(("/b", ()));
    sender.send_at(clock.now().wall + SECOND, inner).await.unwrap();
    let (packet, _) = channel.next().await.unwrap();
    let Packet::Bundle(outer) = packet.unwrap() else { panic!("a bundle was sent") };
    let Some(Packet::Bundle(inner)) = outer.elements().next() else { panic!("with one in it") };
    let ahead = |tag: TimeTag| tag.near(clock.now().wall).duration_since(clock.now().wall).unwrap();
    assert!(ahead(outer.time_tag()) > SECOND && ahead(inner.time_tag()) > SECOND * 2);
    sender.set_clock_offset(ClockOffset::ZERO);
    sender.send_in(Duration::ZERO, ("/a", 1)).await.unwrap();
    let (packet, _) = channel.next().await.unwrap();
    assert!(matches!(packet.unwrap(), Packet::Bundle(bundle) if bundle.elements().count() == 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_ticker_sends_ahead_runs_on_the_beat_whatever_delays_it() {
    let rig = Rig::new();
    let mut ticker = Ticker::new(ms(125)).lookahead(ms(100)).clock(rig.clock.clone());
    let mut first = None;
    for on_the_way in [3, 80, 41, 99, 0, 17, 60, 5] {
        let tick = ticker.tick().await;
        first.get_or_insert(tick.due);
        tokio::time::sleep(ms(on_the_way)).await;
        rig.push(Bundle::at(tick.tag).with(("/tick", i32::try_from(tick.number).unwrap())));
    }
    let ran = rig.log.reaches(8).await;
    for (n, ran) in (0..).zip(&ran) {
        assert_eq!((ran.number(), ran.wall), (n, first.unwrap() + ms(125) * i32::unsigned_abs(n)));
        assert_eq!(ran.meta.lateness, Duration::ZERO);
    }
}

#[tokio::test]
async fn both_ends_may_correct_the_offset() {
    // The receiver knows the sender's clock to be behind by 20 ms.
    let log = Arc::new(Log::default());
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let options = TimeOptions::new().clock_offset(ClockOffset::peer_behind(ms(20)));
    let router = router(Arc::clone(&log), TestClock::new());
    let server = Server::new(router).listen("udp", channel).time(options).spawn();
    let begin = Instant::now();
    client.send(Bundle::at(TimeTag::now()).with(("/a", 1))).await.unwrap();
    log.reaches(1).await;
    assert!(begin.elapsed() >= ms(19), "{:?}", begin.elapsed());
    server.shutdown().await;
}

#[tokio::test]
async fn a_delay_beyond_what_a_time_tag_says_is_the_longest_and_not_now() {
    let mut receiver = Channel::udp(LOOPBACK).await.unwrap();
    let stage = TimedSender::new(Client::udp(receiver.local_addr().unwrap()).await.unwrap());
    stage.send_in(Duration::MAX, ("/cue", ())).await.unwrap();
    let Some((Ok(Packet::Bundle(bundle)), _)) = receiver.recv().await else { panic!("a bundle") };
    let now = std::time::SystemTime::now();
    let ahead = bundle.time_tag().near(now).duration_since(now).unwrap();
    assert!(ahead > Duration::from_secs(60 * 365 * 24 * 60 * 60), "{ahead:?}");
}
