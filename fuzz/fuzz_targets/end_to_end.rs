//! A whole server, played by a script: bytes on a connection of its own, decoded datagrams, timed
//! bundles, requests that are held, dropped and awaited, and a clock that the script advances.
//!
//! - Nothing panics, and the server comes to its end.
//! - The accounts add up.
//! - Each request that is awaited gets its own answer, whatever the other connection sends.
//! - No bundle runs early, twice, or not at all.
#![no_main]

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_osc::dispatch::Lane;
use tokio_osc::packet::{DecodeError, Overflow};
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::{
    Args, Bundle, Bytes, Captures, Channel, Client, LengthPrefix, Message, Meta, Packet, Peer, Router,
    Server, ServerHandle, Slip, TimeTag, on,
};

/// What runs in time is at most this late: Tokio's timer has ticks of a millisecond.
const TICK: Duration = Duration::from_millis(2);
/// In virtual time: nothing here takes so long.
const SOON: Duration = Duration::from_secs(600);

fuzz_target!(|data: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs no more than memory");
    runtime.block_on(async {
        let mut script = Script(data);
        let mut stage = Stage::new(&mut script);
        while let Some(step) = script.byte() {
            stage.play(step, &mut script).await;
        }
        stage.end().await;
    });
});

/// What the fuzzer has chosen, read from front to back.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// A number below 65,536; 0 at the end of the script.
    fn number(&mut self) -> u64 {
        u64::from(self.byte().unwrap_or_default()) << 8 | u64::from(self.byte().unwrap_or_default())
    }

    fn index(&mut self) -> usize {
        usize::from(self.byte().unwrap_or_default())
    }

    /// As many bytes as the next byte says, and as there are.
    fn bytes(&mut self) -> &'a [u8] {
        let len = self.index().min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

type Item = (Result<Packet, DecodeError>, Meta);
/// A request that checks its own answer.
type Waiting = Pin<Box<dyn Future<Output = ()>>>;

struct Datagrams(UnboundedReceiver<Item>);

impl Stream for Datagrams {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.0.poll_recv(cx)
    }
}

/// When each bundle of the script has run.
type Ran = Mutex<HashMap<i64, Vec<Instant>>>;

/// The server and its peers.
struct Stage {
    server: ServerHandle,
    ran: Arc<Ran>,
    /// A connection that gets the bytes of the script as they are.
    wild: Option<DuplexStream>,
    datagrams: UnboundedSender<Item>,
    /// A connection that gets packets only.
    client: Client,
    clock: TokioClock,
    /// When each bundle is due.
    due: HashMap<i64, Instant>,
    held: Vec<Waiting>,
    /// The number of the next bundle or request.
    next: i64,
}

impl Stage {
    fn new(script: &mut Script<'_>) -> Self {
        let ran = Arc::<Ran>::default();
        let clock = TokioClock::new();
        let (datagrams, receiver) = unbounded_channel();
        let (wild, wild_end) = duplex(1 + usize::from(script.byte().unwrap_or_default()));
        // Room for all answers of a script: a client that leaves them unread is cut off, as promised.
        let (near, far) = duplex(1 << 20);
        let framed = if script.byte().unwrap_or_default() % 2 == 0 {
            Channel::io(wild_end, Slip::new())
        } else {
            Channel::io(wild_end, LengthPrefix::new())
        };
        let server = Server::new(router(&ran))
            .clock(clock)
            .listen("wild", framed)
            .listen("client", Channel::io(far, Slip::new()))
            .feed("datagrams", Datagrams(receiver))
            .spawn();
        let client = Client::io(near, Slip::new());
        Self {
            server,
            ran,
            wild: Some(wild),
            datagrams,
            client,
            clock,
            due: HashMap::new(),
            held: Vec::new(),
            next: 0,
        }
    }

    async fn play(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 10 {
            0 => self.write(script.bytes()).await,
            // The connection ends, between two packets or in the middle of one.
            1 => self.wild = None,
            2 => {
                let packet = Packet::decode(Bytes::copy_from_slice(script.bytes()));
                let peer = Peer::from(([192, 0, 2, script.byte().unwrap_or_default()], 9_000));
                self.datagrams.send((packet, Meta::from_peer(peer))).expect("the server runs");
            }
            3 => self.bundle(Duration::from_millis(script.number())).await,
            4 => {
                let request = self.request(Duration::from_millis(1 + script.number()));
                self.held.push(request);
            }
            5 => self.poll(script.index()),
            6 => {
                let at = script.index();
                if at < self.held.len() {
                    drop(self.held.swap_remove(at));
                }
            }
            7 => sleep(Duration::from_millis(script.number())).await,
            8 => {
                let request = self.request(SOON);
                request.await;
            }
            _ => tokio::task::yield_now().await,
        }
    }

    /// Some bytes, which the server may leave unread for ever when it has closed the connection.
    async fn write(&mut self, bytes: &[u8]) {
        let Some(wild) = &mut self.wild else { return };
        if !matches!(timeout(SOON, wild.write_all(bytes)).await, Ok(Ok(()))) {
            self.wild = None;
        }
    }

    async fn bundle(&mut self, ahead: Duration) {
        let n = self.number();
        let now = self.clock.now();
        let bundle = Bundle::at(TimeTag::at(now.wall + ahead)).with(("/mark", n));
        self.due.insert(n, now.monotonic + ahead);
        let sent = timeout(SOON, self.client.send(bundle)).await;
        sent.expect("the server reads").expect("the connection is open");
    }

    /// Asks for the answer with a number of its own. It panics when that does not come.
    fn request(&mut self, limit: Duration) -> Waiting {
        let n = self.number();
        let request = self.client.request(("/ping", n), "/pong").timeout(limit).echoing(n);
        Box::pin(async move {
            match request.await {
                Ok(reply) => assert_eq!(reply.parse::<i64>(), Ok(n)),
                // A request that was not polled when its answer came may run out of time.
                Err(error) => assert!(limit < SOON, "request {n}: {error}"),
            }
        })
    }

    /// Polls a request once, with a waker that wakes nothing.
    fn poll(&mut self, at: usize) {
        let Some(request) = self.held.get_mut(at) else { return };
        if request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(self.held.swap_remove(at));
        }
    }

    async fn end(mut self) {
        // Those that are held come to their end, in any order.
        for request in self.held.drain(..) {
            request.await;
        }
        self.request(SOON).await;
        let last = self.due.values().max().copied().unwrap_or_else(Instant::now);
        sleep_until(last + TICK).await;
        tokio::task::yield_now().await;

        let ran = std::mem::take(&mut *self.ran.lock().expect("no handler panics"));
        for (n, due) in &self.due {
            let [at] = ran[n][..] else { panic!("bundle {n} ran {} times", ran[n].len()) };
            assert!(at + Duration::from_micros(1) >= *due, "bundle {n} is early by {:?}", *due - at);
            assert!(at <= *due + TICK, "bundle {n} is late by {:?}", at - *due);
        }
        drop(self.wild);
        let stats = timeout(SOON, self.server.shutdown()).await.expect("the server comes to its end");
        assert_eq!(stats.panicked + stats.hooks_panicked, 0, "{stats}");
        assert_eq!(stats.received + stats.split_off, stats.ran + stats.dropped(), "{stats}");
    }

    fn number(&mut self) -> i64 {
        self.next += 1;
        self.next
    }
}

fn router(ran: &Arc<Ran>) -> Router {
    let ran = Arc::clone(ran);
    let lane = Lane::new(4).overflow(Overflow::DropOldest);
    Router::new()
        .route("/ping", |Args(n): Args<i64>| ("/pong", n))
        .route("/mark", move |Args(n): Args<i64>, meta: Meta| {
            if meta.channel() == "client" {
                ran.lock().expect("no handler panics").entry(n).or_default().push(Instant::now());
            }
        })
        .route("/a/*/b", |Captures(part): Captures<String>| ("/c", part))
        .route("/{x,y}//z", async || tokio::task::yield_now().await)
        .route("/lane", on(async || sleep(TICK).await).on_lane(&lane))
        .route("/latest/?", on(async || sleep(TICK).await).latest())
        .route("/task", on(async |Args(f): Args<Vec<f32>>| ("/sum", f.iter().sum::<f32>())).on_task(4))
        .fallback(|message: Message| message)
}
