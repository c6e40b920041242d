//! A server that is fed by hand, by a clock that can be set, and a log of what ran when.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses a part of it")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures::Stream;
use futures::channel::mpsc;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_osc::packet::{DecodeError, IntoPacket, Rest, TimeOverrides};
use tokio_osc::schedule::{Clock, Reading, TokioClock};
use tokio_osc::{Args, Message, Meta, Packet, Peer, Router, Server, ServerHandle};

pub use super::ms;

pub const NANO: Duration = Duration::from_nanos(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3_600);

/// The last number is the peer's.
pub fn peer(number: u8) -> Peer {
    Peer::from(([192, 0, 2, number], 9_000))
}

/// Tokio's time, with a wall clock that can be set.
#[derive(Clone, Debug)]
pub struct TestClock {
    tokio: TokioClock,
    shift: Arc<AtomicI64>,
}

impl TestClock {
    pub fn new() -> Self {
        Self { tokio: TokioClock::new(), shift: Arc::default() }
    }

    pub fn starting_at(wall: SystemTime) -> Self {
        Self { tokio: TokioClock::starting_at(wall), shift: Arc::default() }
    }

    /// Moves the wall clock by a number of milliseconds, forward or back.
    pub fn step(&self, millis: i64) {
        self.shift.fetch_add(millis * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Reading {
        let Reading { wall, monotonic } = self.tokio.now();
        let shift = self.shift.load(Ordering::SeqCst);
        let distance = Duration::from_nanos(shift.unsigned_abs());
        Reading { wall: if shift < 0 { wall - distance } else { wall + distance }, monotonic }
    }
}

/// A message that ran.
#[derive(Clone, Debug)]
pub struct Ran {
    pub message: Message,
    pub meta: Meta,
    /// After the start of the test.
    pub at: Duration,
    /// By the server's clock.
    pub wall: SystemTime,
}

impl Ran {
    pub fn address(&self) -> String {
        self.message.address().to_string()
    }

    pub fn number(&self) -> i32 {
        self.message.parse().unwrap()
    }
}

#[derive(Default)]
pub struct Log {
    ran: Mutex<Vec<Ran>>,
    grown: Notify,
}

impl Log {
    pub fn all(&self) -> Vec<Ran> {
        self.ran.lock().unwrap().clone()
    }

    pub fn len(&self) -> usize {
        self.ran.lock().unwrap().len()
    }

    pub async fn reaches(&self, len: usize) -> Vec<Ran> {
        self.grows_beyond(len - 1).await;
        self.all()
    }

    pub async fn grows_beyond(&self, len: usize) {
        loop {
            let grown = self.grown.notified();
            if self.len() > len {
                return;
            }
            grown.await;
        }
    }
}

type Item = (Result<Packet, DecodeError>, Meta);

/// A way to put packets into a server.
#[derive(Clone)]
pub struct Feed {
    sender: mpsc::UnboundedSender<Item>,
}

impl Feed {
    pub fn new() -> (Self, impl Stream<Item = Item> + Send + 'static) {
        let (sender, packets) = mpsc::unbounded();
        (Self { sender }, packets)
    }

    pub fn push(&self, from: Peer, packet: impl IntoPacket) {
        self.push_with(Meta::from_peer(from), packet);
    }

    pub fn push_with(&self, meta: Meta, packet: impl IntoPacket) {
        self.sender.unbounded_send((Ok(packet.into_packet().unwrap()), meta)).unwrap();
    }
}

/// A server with one channel, `test`, that logs every message it runs. `/sleep` takes as many
/// milliseconds as it says.
pub struct Rig {
    pub clock: TestClock,
    pub server: ServerHandle,
    pub log: Arc<Log>,
    feed: Feed,
    pushed: Mutex<u64>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(TestClock::new(), |server| server)
    }

    pub fn with(clock: TestClock, options: impl FnOnce(Server) -> Server) -> Self {
        let log = Arc::new(Log::default());
        let (feed, packets) = Feed::new();
        let server = Server::new(router(Arc::clone(&log), clock.clone())).feed("test", packets);
        let server = options(server.clock(clock.clone())).spawn();
        Self { clock, server, log, feed, pushed: Mutex::new(0) }
    }

    /// From a peer with the number 1.
    pub fn push(&self, packet: impl IntoPacket) {
        self.push_from(peer(1), packet);
    }

    pub fn push_from(&self, from: Peer, packet: impl IntoPacket) {
        *self.pushed.lock().unwrap() += 1;
        self.feed.push(from, packet);
    }

    /// With time options of its own.
    pub fn push_timed(&self, time: TimeOverrides, packet: impl IntoPacket) {
        *self.pushed.lock().unwrap() += 1;
        let mut meta = Meta::from_peer(peer(1));
        *meta.time_mut() = time;
        self.feed.push_with(meta, packet);
    }

    /// Waits until the server has received what was pushed.
    pub async fn taken_in(&self) {
        while self.server.stats().received < *self.pushed.lock().unwrap() {
            tokio::task::yield_now().await;
        }
    }
}

pub fn router(log: Arc<Log>, clock: TestClock) -> Router<()> {
    let start = Instant::now();
    Router::new()
        .route("/sleep", |Args(millis): Args<i32>| async move {
            tokio::time::sleep(ms(millis.unsigned_abs().into())).await;
        })
        .fallback(move |message: Message, meta: Meta, _: Rest| {
            let ran = Ran { message, meta, at: start.elapsed(), wall: clock.now().wall };
            log.ran.lock().unwrap().push(ran);
            log.grown.notify_waiters();
        })
}

/// Addresses, and when they ran after the start.
pub fn times(ran: &[Ran]) -> Vec<(String, Duration)> {
    ran.iter().map(|ran| (ran.address(), ran.at)).collect()
}

pub fn expect(wanted: &[(&str, Duration)]) -> Vec<(String, Duration)> {
    wanted.iter().map(|&(address, at)| (address.to_owned(), at)).collect()
}
