//! Functions of the program that panic: each costs what it touched, and the server runs on.

use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures::{StreamExt, stream};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_osc::channel::{Listener, StreamOptions};
use tokio_osc::codec::FrameError;
use tokio_osc::packet::SendError;
use tokio_osc::schedule::{Clock, Reading, SystemClock};
use tokio_osc::server::ChannelEventKind;
use tokio_osc::{Args, Bundle, Bytes, Channel, Client, Peer, Router, Server, ServerHandle, Slip, TimeTag};
use tokio_util::codec::{Decoder, Encoder};

/// A server with this channel beside one for probes, and a client of that.
async fn beside(server: Server) -> (ServerHandle, Client) {
    let probes = Channel::udp("127.0.0.1:0").await.unwrap();
    let client = Client::udp(probes.local_addr().unwrap()).await.unwrap();
    (server.listen("probes", probes).spawn(), client)
}

fn router() -> Router {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

async fn is_answered(client: &Client) -> bool {
    client.request(("/ping", 1), "/pong").timeout(Duration::from_secs(1)).await.is_ok()
}

async fn until(holds: impl Fn() -> bool) {
    let waits = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waits).await.expect("it holds in the end");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

#[tokio::test]
async fn accept_if_that_panics_costs_its_connection() {
    let at_once = |options: StreamOptions, calls: AtomicUsize| {
        options.accept_if(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("at once"),
            1 => panic_any(Bomb),
            _ => true,
        })
    };
    let later = |options: StreamOptions, calls: AtomicUsize| {
        options.accept_if(move |_| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::task::yield_now().await;
                assert!(call > 1, "later");
                true
            }
        })
    };
    let gates: [&dyn Fn(StreamOptions, AtomicUsize) -> StreamOptions; 2] = [&at_once, &later];
    for gate in gates {
        let options = gate(StreamOptions::default(), AtomicUsize::new(0));
        let channel = Channel::tcp_with("127.0.0.1:0", Slip::new(), options).await.unwrap();
        let address = channel.local_addr().unwrap();
        let (server, probe) = beside(Server::new(router()).listen("tcp", channel)).await;
        for refused in 1..=2 {
            let client = Client::tcp(address, Slip::new()).await.unwrap();
            client.closed().await;
            until(|| server.stats().refused == refused).await;
        }
        assert_eq!(server.stats().hooks_panicked, 2);
        let third = Client::tcp(address, Slip::new()).await.unwrap();
        assert!(is_answered(&third).await && is_answered(&probe).await);
        server.shutdown().await;
    }
}

/// A framing that panics at a frame with this byte in it.
#[derive(Clone)]
struct Fragile(Slip);

impl Decoder for Fragile {
    type Item = <Slip as Decoder>::Item;
    type Error = FrameError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        assert!(!input.contains(&b'!'), "a byte that the framing does not like");
        self.0.decode(input)
    }
}

impl Encoder<Bytes> for Fragile {
    type Error = SendError;

    fn encode(&mut self, frame: Bytes, output: &mut BytesMut) -> Result<(), SendError> {
        assert!(!frame.contains(&b'?'), "a byte that the framing does not like");
        self.0.encode(frame, output)
    }
}

#[tokio::test]
async fn a_framing_that_panics_costs_its_connection() {
    let channel = Channel::tcp("127.0.0.1:0", Fragile(Slip::new())).await.unwrap();
    let address = channel.local_addr().unwrap();
    let router = router().route("/question", || ("/?", ()));
    let (server, probe) = beside(Server::new(router).listen("tcp", channel)).await;
    let good = Client::tcp(address, Slip::new()).await.unwrap();
    for (attempt, attack) in ["/!", "/question"].into_iter().enumerate() {
        let bad = Client::tcp(address, Slip::new()).await.unwrap();
        bad.send((attack, ())).await.unwrap();
        bad.closed().await;
        until(|| server.stats().disconnected == attempt as u64 + 1).await;
        assert!(is_answered(&good).await && is_answered(&probe).await);
    }
    assert_eq!(server.stats().hooks_panicked, 2);
    server.shutdown().await;
}

/// A listener that panics first, and gives connections then.
struct Shaky(mpsc::Receiver<DuplexStream>, usize);

impl Listener for Shaky {
    type Io = DuplexStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<(DuplexStream, Peer)>> {
        if self.1 > 0 {
            self.1 -= 1;
            panic!("nothing to accept");
        }
        self.0.poll_recv(cx).map(|stream| Ok((stream.unwrap(), Peer::LOCAL)))
    }
}

#[tokio::test]
async fn a_listener_that_panics_is_tried_again() {
    let (dial, dialled) = mpsc::channel(8);
    let channel = Channel::listen_on(Shaky(dialled, 2), Slip::new(), StreamOptions::default());
    let (server, probe) = beside(Server::new(router()).listen("own", channel)).await;
    let (here, there) = tokio::io::duplex(1_024);
    dial.send(there).await.unwrap();
    let client = Client::io(here, Slip::new());
    assert!(is_answered(&client).await && is_answered(&probe).await);
    assert_eq!(server.stats().accept_failures, 2);
    server.shutdown().await;
}

#[tokio::test]
async fn a_feed_that_panics_ends_with_an_event_and_the_rest_runs() {
    let server = Server::new(router());
    let mut events = server.events();
    let (server, probe) =
        beside(server.feed("broken", stream::poll_fn(|_| -> Poll<Option<_>> { panic!("no more packets") })))
            .await;
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        if *event.channel == *"broken" {
            let ended = matches!(event.kind, ChannelEventKind::Closed);
            seen.push(format!("{:?}", event.kind));
            if ended {
                break;
            }
        }
    }
    assert_eq!(seen, ["Opening", "Open", "Panicked", "Closing", "Closed"]);
    assert!(is_answered(&probe).await);
    assert_eq!(server.stats().hooks_panicked, 1);
    server.shutdown().await;
}

/// A clock that panics while its flag is set.
#[derive(Debug)]
struct Stopped(&'static AtomicBool);

impl Clock for Stopped {
    fn now(&self) -> Reading {
        assert!(!self.0.load(Ordering::Relaxed), "the clock has stopped");
        SystemClock.now()
    }
}

#[tokio::test]
async fn a_clock_that_panics_costs_its_look_up() {
    static STOPPED: AtomicBool = AtomicBool::new(false);
    let (cue, mut cues) = mpsc::unbounded_channel();
    let router = router().route("/cue", move || cue.send(()).unwrap());
    let (server, probe) = beside(Server::new(router).clock(Stopped(&STOPPED))).await;
    STOPPED.store(true, Ordering::Relaxed);
    let soon = TimeTag::after(Duration::from_millis(20));
    probe.send(Bundle::at(soon).with(("/cue", ()))).await.unwrap();
    assert!(is_answered(&probe).await);
    until(|| server.stats().hooks_panicked > 0).await;
    STOPPED.store(false, Ordering::Relaxed);
    probe.send(Bundle::at(TimeTag::after(Duration::from_millis(20))).with(("/cue", ()))).await.unwrap();
    cues.recv().await.unwrap();
    cues.recv().await.unwrap();
    assert!(is_answered(&probe).await);
    server.shutdown().await;
}

#[tokio::test]
async fn a_signal_that_panics_does_not_end_the_server() {
    let signal = async { panic!("no signal") };
    let (server, probe) = beside(Server::new(router()).with_graceful_shutdown(signal)).await;
    assert!(is_answered(&probe).await);
    server.shutdown().await;
}

#[tokio::test]
async fn a_handler_whose_panic_panics_when_dropped_costs_its_call() {
    let router = router().route("/bomb", || panic_any(Bomb)).route("/later", async || {
        tokio::task::yield_now().await;
        panic_any(Bomb)
    });
    let (server, probe) = beside(Server::new(router)).await;
    for (attempt, bomb) in ["/bomb", "/later"].into_iter().enumerate() {
        probe.send((bomb, ())).await.unwrap();
        assert!(is_answered(&probe).await);
        assert_eq!(server.stats().panicked, attempt as u64 + 1);
    }
    server.shutdown().await;
}
