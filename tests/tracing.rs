//! What is written for `tracing`: frames, faults of peers, the life of channels and connections, each at
//! its level and with its fields; and that no peer can fill a log.
//!
//! It stays apart: what a line costs is decided once for the process, by the subscribers that there are.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::time::{Duration, Instant};

use futures::stream;
use tokio::net::TcpStream;
use tokio_osc::channel::StreamOptions;
use tokio_osc::{
    Args, Bundle, Bytes, Captures, Channel, Client, Meta, Packet, Peer, Router, Server, Slip, TimeTag, on,
};
use tracing::Level;

use crate::support::LOOPBACK;
use crate::support::capture::{Capture, Line};
use crate::support::fed::{Item, remote as item};

/// What a server writes that gets these packets.
async fn written(level: Level, router: Router, items: Vec<Item>) -> Capture {
    let capture = Capture::new(level);
    let _written = tracing::subscriber::set_default(capture.clone());
    Server::new(router).feed("test", stream::iter(items)).run().await;
    capture
}

/// A line of the application within a handler.
fn say() {
    tracing::info!(target: "tokio_osc::test", "in the handler");
}

#[tokio::test]
async fn a_handler_runs_in_a_span_of_its_own_within_that_of_its_channel() {
    async fn later() {
        tokio::task::yield_now().await;
        say();
    }
    let router =
        Router::new().route("/now", say).route("/later/*", later).route("/lane", on(later).on_task(4));
    let items = vec![item(("/now", ())), item(("/later/x", ())), item(("/lane", ()))];
    let capture = written(Level::DEBUG, router, items).await;
    let spans: Vec<_> = capture.with("in the handler").into_iter().map(|line| line.spans).collect();
    let inside = |route: &str, address: &str| {
        let handler = format!("handler route={route} address={address} peer=192.0.2.1:9000");
        vec!["channel name=test".to_owned(), handler]
    };
    let wanted = [inside("/now", "/now"), inside("/later/*", "/later/x"), inside("/lane", "/lane")];
    assert_eq!(spans, wanted);
}

#[tokio::test]
async fn each_route_s_failures_are_traced_inside_the_span_of_the_channel_and_a_noisy_one_hides_no_other() {
    async fn later() -> Result<(), &'static str> {
        tokio::task::yield_now().await;
        Err("later")
    }
    let router = Router::new()
        .route("/noisy", || Err::<(), _>("always"))
        .route("/rare", later)
        .route("/lane", on(later).on_task(4))
        .route("/panics", || -> () { panic!("as it does") })
        .route("/number", |Args(_): Args<i32>| {});
    let noisy = (0..5).map(|_| item(("/noisy", ())));
    let others = ["/rare", "/lane", "/panics", "/number"].map(|address| item((address, "text")));
    let capture = written(Level::DEBUG, router, noisy.chain(others).collect()).await;
    let told = [
        ("handler failed", "/noisy"),
        ("handler failed", "/rare"),
        ("handler failed", "/lane"),
        ("handler panicked", "/panics"),
        ("rejected", "/number"),
    ];
    for (what, route) in told {
        let lines = capture.with(what);
        let of_route: Vec<_> =
            lines.iter().filter(|line| line.text.contains(&format!("route=\"{route}\""))).collect();
        assert_eq!(of_route.len(), 1, "{what} {route}: {lines:?}");
        let fields = format!("address={route} peer=192.0.2.1:9000 channel=\"test\" route=\"{route}\"");
        assert!(of_route[0].text.contains(&fields), "{:?}", of_route[0]);
        assert_eq!(of_route[0].spans, ["channel name=test"], "{what} {route}");
    }
}

#[tokio::test]
async fn a_peer_whose_clock_is_an_hour_off_is_named_once() {
    let hour = Duration::from_secs(3_600);
    let at = |tag| item(Bundle::at(tag).with(("/now", ())));
    let behind = (0..100).map(|_| at(TimeTag::now() - hour)).collect();
    let capture = written(Level::WARN, Router::new().route("/now", || {}), behind).await;
    let lines = capture.with("stay far from now");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].level, Level::WARN);
    let fields = &lines[0].text;
    assert!(fields.contains("peer=192.0.2.1:9000") && fields.contains("side=\"behind\""), "{fields}");

    let few = (0..7).map(|_| at(TimeTag::now() - hour)).chain([at(TimeTag::now())]).collect();
    let capture = written(Level::WARN, Router::new().route("/now", || {}), few).await;
    assert!(capture.lines().is_empty(), "a few late packets are not a wrong clock");
}

#[tokio::test]
async fn above_their_level_there_are_no_spans() {
    let router = Router::new().route("/now", say);
    let capture = written(Level::INFO, router, vec![item(("/now", ()))]).await;
    let lines = capture.lines();
    assert_eq!(lines.len(), 1, "the application's own, and nothing else: {lines:?}");
    assert!(lines[0].spans.is_empty());
}

#[tokio::test]
async fn each_packet_is_a_line_at_trace_and_at_no_other_level() {
    let items = || vec![item(("/n", 1)), item(("/n", 2))];
    let capture = written(Level::TRACE, Router::new(), items()).await;
    let packets = capture.with("packet");
    let text = "packet channel=test peer=192.0.2.1:9000 bytes=12";
    assert_eq!(packets.iter().map(|line| &*line.text).collect::<Vec<_>>(), [text, text]);
    assert!(packets.iter().all(|line| line.level == Level::TRACE && line.target == "tokio_osc::server"));
    let capture = written(Level::DEBUG, Router::new(), items()).await;
    assert!(capture.with("packet").is_empty());
}

#[tokio::test]
async fn at_info_the_error_of_a_handler_is_a_warning_with_all_that_is_known() {
    let router = Router::new()
        .route("/disk/*", || -> Result<(), &str> { Err("it is full") })
        .route("/later/*", async || -> Result<(), &str> { Err("it is slow") })
        .route("/lane", on(|| -> Result<(), &str> { Err("it is busy") }).on_task(4))
        .route("/number", |Args(_): Args<i32>| {});
    let addresses = ["/disk/1", "/disk/2", "/later/1", "/lane", "/number", "/nowhere"];
    let items = addresses.map(|address| item((address, ()))).into();
    let lines = written(Level::INFO, router, items).await.lines();
    let mut texts: Vec<_> = lines.iter().map(|line| &*line.text).collect();
    texts.sort_unstable();
    let failed = |address: &str, route: &str, error: &str| {
        format!(
            "handler failed address={address} peer=192.0.2.1:9000 channel=\"test\" route=\"{route}\" \
             error=\"{error}\" suppressed=0"
        )
    };
    let wanted = [
        failed("/disk/1", "/disk/*", "it is full"),
        failed("/lane", "/lane", "it is busy"),
        failed("/later/1", "/later/*", "it is slow"),
    ];
    assert_eq!(texts, wanted);
    assert!(lines.iter().all(|line| line.level == Level::WARN && line.target == "tokio_osc::dispatch"));
}

#[tokio::test]
async fn at_debug_what_no_handler_takes_is_a_line_for_each_route_and_kind_of_address() {
    let router = Router::new()
        .route("/synth/*/freq", |Captures(_): Captures<u32>| {})
        .route("/gain", |Args(_): Args<f32>| {});
    let mut items = vec![item(("/synth/{1,3}/freq", 1)), item(("/gain", "loud")), item(("/gain", "louder"))];
    // A flood of one kind hides no other.
    items.extend((0..1_000).map(|n| item((&*format!("/pad/{n}/hit"), n))));
    items.push(item(("/typo", 1)));
    let capture = written(Level::DEBUG, router, items).await;
    let texts = |lines: Vec<Line>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
    let rejected = texts(capture.with("rejected"));
    assert_eq!(
        rejected[0],
        "rejected address=/synth/{1,3}/freq peer=192.0.2.1:9000 channel=\"test\" route=\"/synth/*/freq\" \
         rejection=capture 0: expected u32, the sender wrote `{1,3}`, which is a pattern; use \
         `on(handler).instances(…)` to run once for each name suppressed=0"
    );
    assert!(
        rejected[1]
            .starts_with("rejected address=/gain peer=192.0.2.1:9000 channel=\"test\" route=\"/gain\"")
    );
    let unmatched = texts(capture.with("unmatched"));
    assert_eq!(
        unmatched[0],
        "unmatched address=/pad/0/hit tags=\",i\" peer=192.0.2.1:9000 channel=\"test\" reason=\"no route matches\" \
         suppressed=0"
    );
    assert!(unmatched.iter().any(|line| line.starts_with("unmatched address=/typo ")), "{unmatched:?}");
}

/// 65. Twenty thousand bad packets of each kind.
#[tokio::test]
async fn faults_of_peers_are_one_line_a_second_for_each_kind() {
    const EACH: usize = 20_000;
    let router = Router::new()
        .route("/number", |Args(_): Args<i32>| {})
        .route("/fails", || -> Result<(), &str> { Err("it is full") })
        .route("/panics", || {
            assert!(std::hint::black_box(false), "a test panics on purpose");
        })
        .route("/ask", || ("/answer", 1));
    let bad = Packet::decode(Bytes::from_static(b"HTTP")).unwrap_err();
    let kinds = [
        (Err(bad), Meta::from_peer(Peer::LOCAL)),
        item(("/number", "none")),
        item(("/fails", ())),
        item(("/ask", ())),
    ];
    let mut items: Vec<_> = kinds.into_iter().flat_map(|item| vec![item; EACH]).collect();
    // Each writes to the standard error, which takes its time.
    items.extend(vec![item(("/panics", ())); 50]);
    let begin = Instant::now();
    let capture = written(Level::DEBUG, router, items).await;
    let most = usize::try_from(begin.elapsed().as_secs()).unwrap() + 1;
    let lines = capture.lines();
    for (text, level) in [
        ("malformed packet", Level::DEBUG),
        ("rejected", Level::DEBUG),
        ("handler failed", Level::WARN),
        ("reply not sent", Level::DEBUG),
        ("handler panicked", Level::ERROR),
    ] {
        let lines: Vec<_> = lines.iter().filter(|line| line.text.starts_with(text)).collect();
        assert!((1..=most).contains(&lines.len()), "{text}: {} lines", lines.len());
        assert!(lines.iter().all(|line| line.level == level), "{text}");
        assert!(lines[0].text.contains("suppressed=0"), "{}", lines[0].text);
    }
    println!("threat 65: {} bad packets in {:.1?}: {} lines", EACH * 4, begin.elapsed(), lines.len());
}

#[tokio::test]
async fn connections_that_come_and_go_are_one_line_a_second_for_each_kind() {
    let capture = Capture::new(Level::DEBUG);
    let _written = tracing::subscriber::set_default(capture.clone());
    let options = StreamOptions::default()
        .accept_if(|peer: Peer| peer.connection().is_some_and(|id| id.get() % 2 == 0));
    let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("stage", channel).spawn();
    let begin = Instant::now();
    for _ in 0..200 {
        drop(TcpStream::connect(address).await.unwrap());
    }
    while server.stats().refused < 100 || server.stats().disconnected < 100 {
        tokio::task::yield_now().await;
    }
    let most = usize::try_from(begin.elapsed().as_secs()).unwrap() + 1;
    for kind in ["event=Requested", "event=Refused", "event=Connected", "event=Disconnected"] {
        let lines = capture.with(kind);
        assert!((1..=most).contains(&lines.len()), "{kind}: {} lines", lines.len());
        assert!(lines.iter().all(|line| line.level == Level::DEBUG && line.target == "tokio_osc::channel"));
    }
    let life: Vec<_> =
        capture.lines().into_iter().filter(|line| line.target == "tokio_osc::server").collect();
    assert_eq!(life[0].text, "channel=stage event=Opening");
    server.shutdown().await;
    assert_eq!(capture.with("channel=stage event=Closed").len(), 1);
}

#[tokio::test]
async fn an_accept_that_fails_is_an_error() {
    use std::task::{Context, Poll};

    struct Full;

    impl tokio_osc::channel::Listener for Full {
        type Io = tokio::io::DuplexStream;

        fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<(Self::Io, Peer)>> {
            Poll::Ready(Err(std::io::Error::other("no file descriptors")))
        }
    }

    let capture = Capture::new(Level::ERROR);
    let _written = tracing::subscriber::set_default(capture.clone());
    let channel = Channel::listen_on(Full, Slip::new(), StreamOptions::default());
    let server = Server::new(Router::new()).listen("full", channel).spawn();
    while server.stats().accept_failures == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    let lines = capture.lines();
    assert_eq!(lines[0].text, "accept failed error=other error retry_in=10ms");
}

#[tokio::test(start_paused = true)]
async fn numbers_are_reported_as_often_as_was_asked_and_by_default_never() {
    for (every, wanted) in [(Some(Duration::from_secs(10)), 3), (Some(Duration::MAX), 0), (None, 0)] {
        let capture = Capture::new(Level::INFO);
        let _written = tracing::subscriber::set_default(capture.clone());
        let (here, there) = tokio::io::duplex(64);
        let mut server = Server::new(Router::new()).listen("pipe", Channel::io(here, Slip::new()));
        if let Some(every) = every {
            server = server.report_every(every);
        }
        let server = server.spawn();
        let client = Client::io(there, Slip::new());
        client.send(("/n", ())).await.unwrap();
        tokio::time::sleep(Duration::from_secs(35)).await;
        server.shutdown().await;
        let lines = capture.lines();
        assert_eq!(lines.len(), wanted, "{lines:?}");
        for line in lines {
            assert_eq!((line.level, line.target), (Level::INFO, "tokio_osc::stats"));
            assert!(
                line.text.starts_with("received=1 malformed=0 ran=1 dropped=0 unmatched=1"),
                "{}",
                line.text
            );
        }
    }
}
