//! A server over loopback and over fed streams: order, isolation, time, and what the numbers say.
#![cfg(feature = "net")]

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;
use tokio_osc::dispatch::Rejection;
use tokio_osc::packet::{DecodeError, DecodeErrorKind, EncodeErrorKind, IntoPacket, SendErrorKind};
use tokio_osc::schedule::{Clock, HorizonPolicy, ScheduleLimits, TokioClock};
use tokio_osc::{
    Address, Args, Bundle, Captures, Channel, Client, Message, Meta, Packet, Peer, Reply, Router, Server,
    ServerHandle, State, TimeTag,
};

use crate::support::{LOOPBACK, ms};

async fn serve<S: Send + Sync + 'static>(router: Router<S>) -> (ServerHandle, SocketAddr) {
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    (Server::new(router).listen("udp", channel).spawn(), address)
}

/// What ran, in order, and when.
#[derive(Default)]
struct Log {
    entries: Mutex<Vec<(String, Instant)>>,
    grown: Notify,
}

impl Log {
    fn note(&self, entry: impl Into<String>) {
        self.entries.lock().unwrap().push((entry.into(), Instant::now()));
        self.grown.notify_waiters();
    }

    fn names(&self) -> Vec<String> {
        self.entries.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    async fn reaches(&self, len: usize) {
        loop {
            let grown = self.grown.notified();
            if self.entries.lock().unwrap().len() >= len {
                return;
            }
            grown.await;
        }
    }
}

#[tokio::test]
async fn ten_thousand_messages_with_64_in_flight_arrive_in_order() {
    struct Count {
        next: Mutex<i32>,
        in_flight: Semaphore,
    }
    let count = Arc::new(Count { next: Mutex::new(0), in_flight: Semaphore::new(64) });
    let router = Router::with_state(Arc::clone(&count)).route(
        "/n",
        |State(count): State<Arc<Count>>, Args(n): Args<i32>| {
            let mut next = count.next.lock().unwrap();
            assert_eq!(n, *next, "in order");
            *next += 1;
            count.in_flight.add_permits(1);
        },
    );
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    for n in 0..10_000 {
        count.in_flight.acquire().await.unwrap().forget();
        client.send(("/n", n)).await.unwrap();
    }
    count.in_flight.acquire_many(64).await.unwrap().forget();
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.handled, stats.panicked), (10_000, 10_000, 0));
}

#[tokio::test]
async fn one_malformed_datagram_between_two_good_ones_costs_itself_only() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let sender = UdpSocket::bind(LOOPBACK).await.unwrap();
    for datagram in [&b"/a\0\0,\0\0\0"[..], b"/a\0\0,i\0\0", b"/b\0\0,\0\0\0"] {
        sender.send_to(datagram, channel.local_addr().unwrap()).await.unwrap();
    }
    let items: Vec<_> = channel.by_ref().take(3).collect().await;
    assert_eq!(items[0].0.as_ref().unwrap().to_string(), "/a ,");
    let error: DecodeError = *items[1].0.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::Truncated, 8));
    assert_eq!(items[1].1.peer.address(), Some(sender.local_addr().unwrap()), "the peer is named");
    assert_eq!(items[2].0.as_ref().unwrap().to_string(), "/b ,");

    let log = Arc::new(Log::default());
    let router = Router::with_state(Arc::clone(&log))
        .route("/?", |State(log): State<Arc<Log>>, address: Address| log.note(address.to_string()));
    let (server, address) = serve(router).await;
    for datagram in [&b"/a\0\0,\0\0\0"[..], b"", b"/b\0\0,\0\0\0"] {
        sender.send_to(datagram, address).await.unwrap();
    }
    log.reaches(2).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.handled, stats.malformed), (3, 2, 1));
}

#[tokio::test]
async fn under_udp_framed_too_a_bad_datagram_is_one_item() {
    use tokio_osc::codec::Datagram;
    use tokio_util::udp::UdpFramed;

    let mut framed = UdpFramed::new(UdpSocket::bind(LOOPBACK).await.unwrap(), Datagram::new());
    let address = framed.get_ref().local_addr().unwrap();
    let sender = UdpSocket::bind(LOOPBACK).await.unwrap();
    for datagram in [&b"/a\0\0,\0\0\0"[..], b"HTTP", b"/b\0\0,\0\0\0"] {
        sender.send_to(datagram, address).await.unwrap();
    }
    let mut texts = Vec::new();
    for _ in 0..3 {
        let (packet, peer) = framed.next().await.unwrap().unwrap();
        assert_eq!(peer, sender.local_addr().unwrap());
        texts.push(packet.map_or_else(|error| error.to_string(), |packet| packet.to_string()));
    }
    assert_eq!(texts, ["/a ,", "neither a message nor a bundle, at byte 0", "/b ,"]);
}

type Feed = mpsc::UnboundedSender<(Result<Packet, DecodeError>, Meta)>;

fn feed() -> (Feed, impl futures::Stream<Item = (Result<Packet, DecodeError>, Meta)>) {
    mpsc::unbounded()
}

async fn push(feed: &mut Feed, packet: impl IntoPacket) {
    feed.send((Ok(packet.into_packet().unwrap()), Meta::from_peer(Peer::LOCAL))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_timed_bundle_runs_at_exactly_its_time_as_one_unit() {
    let log = Arc::new(Log::default());
    let router = Router::with_state(Arc::clone(&log)).route(
        "/*",
        |State(log): State<Arc<Log>>, address: Address, meta: Meta| async move {
            log.note(format!("{address} begins"));
            tokio::time::sleep(ms(10)).await;
            log.note(format!("{address} ends {:?}", meta.lateness));
        },
    );
    let clock = TokioClock::new();
    let begin = Instant::now();
    let bundle = Bundle::at(clock.after(ms(300))).with(("/1", ())).with(("/2", ())).with(("/3", ()));
    let (mut sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).clock(clock).spawn();
    push(&mut sender, bundle).await;
    push(&mut sender, ("/before", ())).await;
    tokio::time::sleep(ms(305)).await;
    push(&mut sender, ("/during", ())).await;
    log.reaches(10).await;

    let entries = log.entries.lock().unwrap().clone();
    let names: Vec<_> = entries.iter().map(|(name, at)| (name.as_str(), at.duration_since(begin))).collect();
    assert_eq!(
        names,
        [
            ("/before begins", ms(0)),
            ("/before ends 0ns", ms(10)),
            ("/1 begins", ms(300)),
            ("/1 ends 0ns", ms(310)),
            ("/2 begins", ms(310)),
            ("/2 ends 0ns", ms(320)),
            ("/3 begins", ms(320)),
            ("/3 ends 0ns", ms(330)),
            ("/during begins", ms(330)),
            ("/during ends 0ns", ms(340)),
        ]
    );
    drop(sender);
    let stats = server.shutdown().await;
    assert_eq!((stats.schedule.pushed, stats.schedule.run, stats.discarded), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn late_and_immediate_bundles_run_at_once_and_inner_ones_when_they_say() {
    let log = Arc::new(Log::default());
    let router = Router::with_state(Arc::clone(&log)).route(
        "/*",
        |State(log): State<Arc<Log>>, address: Address, meta: Meta| {
            log.note(format!("{address} late {:?}", meta.lateness));
        },
    );
    let clock = TokioClock::new();
    let begin = Instant::now();
    let late = Bundle::at(clock.after(ms(0)) - ms(5_000)).with(("/late", ()));
    let unset = Bundle::at(TimeTag::from_bits(0)).with(("/unset", ()));
    let private = Bundle::at(TimeTag::new(42, 0)).with(("/seconds_since_boot", ()));
    let nested = Bundle::immediately()
        .with(("/first", ()))
        .with(Bundle::at(clock.after(ms(50))).with(("/inner", ())))
        .with(Bundle::immediately().with(("/second", ())))
        .with(("/third", ()));
    let (mut sender, packets) = feed();
    let running = Server::new(router).feed("test", packets).clock(clock).spawn();
    for bundle in [late, unset, private, nested] {
        push(&mut sender, bundle).await;
    }
    drop(sender);
    log.reaches(7).await;
    let names = ["/late late 5s", "/unset late 0ns", "/seconds_since_boot late 0ns", "/first late 0ns"];
    assert_eq!(log.names()[..4], names);
    assert_eq!(log.names()[4..], ["/second late 0ns", "/third late 0ns", "/inner late 0ns"]);
    let entries = log.entries.lock().unwrap().clone();
    let at: Vec<_> = entries.iter().map(|(_, at)| at.duration_since(begin).as_millis()).collect();
    assert_eq!(at, [0, 0, 0, 0, 0, 0, 50]);
    let stats = running.shutdown().await.schedule;
    assert_eq!((stats.late, stats.unset, stats.beyond_horizon), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_schedule_keeps_its_limits() {
    let router = Router::new().route("/*", || {});
    let clock = TokioClock::new();
    let limits = ScheduleLimits::default().entries(2).entries_per_peer(2).beyond_horizon(HorizonPolicy::Drop);
    let tags =
        [ms(10), ms(20), ms(30), Duration::from_secs(60 * 60 * 24 * 8)].map(|delay| clock.after(delay));
    let (mut sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).clock(clock).schedule(limits).spawn();
    for tag in tags {
        push(&mut sender, Bundle::at(tag).with(("/a", ()))).await;
    }
    tokio::time::sleep(ms(100)).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.schedule.run), (2, 2), "two fit");
    assert_eq!(stats.schedule.dropped_entries, 1, "the newest does not");
    assert_eq!(stats.schedule.dropped_beyond_horizon, 1, "eight days are beyond the horizon");
}

#[tokio::test]
async fn a_handler_that_panics_is_counted_and_the_server_goes_on() {
    let log = Arc::new(Log::default());
    let router = Router::with_state(Arc::clone(&log))
        .route("/now", |Args(n): Args<i32>| assert!(n > 0, "a test panics on purpose"))
        .route("/later", |Args(n): Args<i32>| async move {
            tokio::task::yield_now().await;
            assert!(n > 0, "a test panics on purpose");
        })
        .route("/*", |State(log): State<Arc<Log>>, address: Address| log.note(address.to_string()));
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    for n in [1, 0, 1] {
        client.send(("/now", n)).await.unwrap();
        client.send(("/later", n)).await.unwrap();
    }
    log.reaches(6).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.panicked, stats.handled), (6, 2, 10));
}

#[tokio::test]
async fn all_routes_that_match_run_in_the_order_they_were_added() {
    let log = Arc::new(Log::default());
    let note = |name: &'static str| move |State(log): State<Arc<Log>>| log.note(name);
    let router = Router::with_state(Arc::clone(&log))
        .route("/a/*", note("star"))
        .route("/a/b", note("literal"))
        .route("/{a,c}/b", note("alternatives"))
        .route("//b", note("descend"))
        .route("/a/c", note("other"));
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    client.send(("/a/b", ())).await.unwrap();
    client.send(("/a/?", ())).await.unwrap();
    log.reaches(9).await;
    let names = ["star", "literal", "alternatives", "descend"];
    assert_eq!(log.names()[..4], names, "a literal address");
    assert_eq!(log.names()[4..8], names, "a pattern");
    assert_eq!(log.names()[8..], ["other"]);
    client.send(Message::with_raw_address("/a[", ()).unwrap()).await.unwrap();
    client.send(("/nobody", ())).await.unwrap();
    let probe = client.request(("/a/b", ()), "/never").timeout(ms(1)).await;
    assert!(probe.is_err());
    log.reaches(13).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.matched, stats.unmatched, stats.illegal), (3, 1, 1));
}

#[tokio::test]
async fn extractors_come_in_any_order() {
    let (report, reported) = oneshot::channel();
    let report = Mutex::new(Some(report));
    let router = Router::with_state("state").route(
        "/synth/*/{freq,gain}",
        move |meta: Meta,
              Args((value, rest)): Args<(f32, Option<i32>)>,
              peer: Peer,
              Captures((voice, name)): Captures<(u8, String)>,
              State(state): State<&'static str>,
              message: Message,
              address: Address| {
            let seen = format!(
                "{} {value} {rest:?} {voice} {name} {state} {message} {address} {}",
                meta.channel_name(),
                peer == meta.peer
            );
            report.lock().unwrap().take().unwrap().send(seen).unwrap();
        },
    );
    let (server, address) = serve(router).await;
    Client::udp(address).await.unwrap().send(("/synth/7/gain", 1)).await.unwrap();
    let seen = reported.await.unwrap();
    assert_eq!(seen, "udp 1 None 7 gain state /synth/7/gain ,i 1 /synth/7/gain true");
    server.shutdown().await;
}

#[tokio::test]
async fn a_message_that_does_not_fit_is_rejected_and_counted() {
    let log = Arc::new(Log::default());
    let router = Router::with_state(Arc::clone(&log))
        .route("/n/*", |Args(_): Args<i32>, Captures(_): Captures<u8>| {})
        .route("/n/*", |State(log): State<Arc<Log>>| log.note("any"));
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    client.send(("/n/1", 1)).await.unwrap();
    client.send(("/n/1", "one")).await.unwrap();
    client.send(("/n/one", 1)).await.unwrap();
    client.send(("/n/1", (1, 1))).await.unwrap();
    log.reaches(4).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.rejected), (5, 3));
}

#[tokio::test]
async fn a_pattern_is_captured_as_text_where_the_route_takes_it_as_a_name() {
    type Given = Result<Captures<String>, Rejection>;
    let log = Arc::new(Log::default());
    let note = |State(log): State<Arc<Log>>, captures: Given| match captures {
        Ok(Captures(text)) => log.note(text),
        Err(Rejection::NoCaptures) => log.note("NoCaptures"),
        Err(rejection) => log.note(rejection.to_string()),
    };
    let router = Router::with_state(Arc::clone(&log))
        .route("/any/*/freq", note)
        .route("/list/{1,2}/freq", note)
        .route("/list/*/freq", |Captures(_): Captures<u8>| {})
        .route("/list/{1,2}/freq", |State(log): State<Arc<Log>>| log.note("without"));
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    for pattern in ["/any/{1,2}/freq", "/any/*/f*", "/any//freq", "/list/*/freq"] {
        client.send((pattern, ())).await.unwrap();
    }
    log.reaches(5).await;
    let stats = server.shutdown().await;
    assert_eq!(log.names(), ["{1,2}", "NoCaptures", "NoCaptures", "NoCaptures", "without"]);
    assert_eq!((stats.handled, stats.rejected), (5, 1), "a `*` is not a number");
}

#[tokio::test]
async fn replies_come_from_the_receiving_socket() {
    let router = Router::new()
        .route("/message", || ("/reply", 1))
        .route("/bundle", || Bundle::immediately().with(("/reply", 2)))
        .route("/many", || async { vec![("/reply", 3), ("/reply", 4)] })
        .route("/none", || None::<Message>)
        .route("/error", || Err::<(), _>("no"))
        .route("/unencodable", || ("/reply", "\0"));
    let (server, address) = serve(router).await;
    let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
    for request in ["/message", "/bundle", "/none", "/error", "/unencodable", "/many"] {
        let packet = Message::new(request, ()).unwrap();
        socket.send_to(packet.as_bytes(), address).await.unwrap();
    }
    let mut buffer = [0; 1_024];
    let mut replies = Vec::new();
    for _ in 0..4 {
        let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(from, address);
        replies.push(Packet::decode(buffer[..len].to_vec().into()).unwrap().to_string());
    }
    let bundle = "#bundle 0x0000000000000001\n/reply ,i 2\n#end";
    assert_eq!(replies, ["/reply ,i 1", bundle, "/reply ,i 3", "/reply ,i 4"]);
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.replies, stats.failed), (6, 4, 2));
}

#[tokio::test]
async fn replies_have_a_budget() {
    let router = Router::new()
        .route("/many", || vec![("/reply", 1); 100])
        .route("/large", || vec![("/reply", vec![0_u8; 30_000]); 3]);
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    let done = client.request(("/many", ()), "/reply").timeout(Duration::from_secs(5)).await;
    assert!(done.is_ok());
    client.request(("/large", ()), "/reply").timeout(Duration::from_secs(5)).await.unwrap();
    let stats = server.shutdown().await;
    assert_eq!((stats.replies, stats.replies_dropped), (64 + 2, 36 + 1));
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_address() {
    let first = Channel::udp(LOOPBACK).await.unwrap();
    let error = Channel::udp(first.local_addr().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&first.local_addr().unwrap().to_string()), "{error}");
}

#[tokio::test]
async fn a_packet_that_is_invalid_or_too_large_is_an_error_of_send() {
    let client = Client::udp("127.0.0.1:9").await.unwrap();
    let kind = |error: &tokio_osc::packet::SendError| {
        assert_eq!(error.kind(), SendErrorKind::Encode);
        error.encode_error().unwrap().kind()
    };
    let error = client.send(("no-slash", 1)).await.unwrap_err();
    assert_eq!(kind(&error), EncodeErrorKind::Address);
    let error = client.send(("/a", "\0")).await.unwrap_err();
    assert_eq!(kind(&error), EncodeErrorKind::NulInText);
    let error = client.send(Bundle::immediately().with(("/a[", 1))).await.unwrap_err();
    assert_eq!(kind(&error), EncodeErrorKind::Address);
    let fits = 65_507 - 12 - 3;
    client.send(("/a", vec![0_u8; fits])).await.unwrap();
    let error = client.send(("/a", vec![0_u8; fits + 1])).await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::TooLarge { size: 65_508, limit: 65_507 });
}

#[tokio::test]
async fn shutdown_finishes_handlers_and_frees_the_port() {
    let log = Arc::new(Log::default());
    let gate = Arc::new(Semaphore::new(0));
    let router = {
        let gate = Arc::clone(&gate);
        Router::with_state(Arc::clone(&log)).route("/slow", move |State(log): State<Arc<Log>>| {
            let gate = Arc::clone(&gate);
            async move {
                log.note("begins");
                gate.acquire().await.unwrap().forget();
                log.note("ends");
            }
        })
    };
    let (server, address) = serve(router).await;
    Client::udp(address).await.unwrap().send(("/slow", ())).await.unwrap();
    log.reaches(1).await;
    let shutdown = tokio::spawn(server.shutdown());
    tokio::task::yield_now().await;
    assert!(!shutdown.is_finished(), "a handler runs");
    gate.add_permits(1);
    shutdown.await.unwrap();
    assert_eq!(log.names(), ["begins", "ends"]);
    Channel::udp(address).await.unwrap();
}

#[tokio::test]
async fn dropping_the_handle_stops_the_server() {
    let (server, address) = serve(Router::new()).await;
    drop(server);
    let bound = async {
        while Channel::udp(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), bound).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_waits_does_not_stop_the_intake() {
    let gate = Arc::new(Semaphore::new(0));
    let router = Router::with_state(Arc::clone(&gate)).route(
        "/wait",
        |State(gate): State<Arc<Semaphore>>| async move {
            gate.acquire().await.unwrap().forget();
        },
    );
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let server = Server::new(router).listen("udp", channel).inbox(8).spawn();
    let received = |count| {
        let server = &server;
        async move {
            while server.stats().received < count {
                tokio::task::yield_now().await;
            }
        }
    };
    for _ in 0..9 {
        client.send(("/wait", ())).await.unwrap();
    }
    received(9).await;
    assert_eq!(server.stats().handled, 0, "one waits, eight are in the inbox");
    client.send(("/wait", ())).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.stats().received, 9, "the inbox is full");
    gate.add_permits(10);
    received(10).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.handled), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_requests_on_clones_none_loses_its_reply_when_others_are_cancelled() {
    let router = Router::new().route("/ask/*", |Captures(n): Captures<i32>| async move {
        tokio::task::yield_now().await;
        Message::new(format!("/answer/{n}"), n)
    });
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    let mut asked = Vec::new();
    for n in 0..100 {
        let client = client.clone();
        let task = tokio::spawn(async move {
            let reply = client.request((format!("/ask/{n}"), ()), format!("/answer/{n}"));
            reply.timeout(Duration::from_secs(10)).await.unwrap().parse::<i32>().unwrap()
        });
        if n % 2 == 1 {
            for _ in 0..n % 7 {
                tokio::task::yield_now().await;
            }
            task.abort();
        } else {
            asked.push((n, task));
        }
    }
    for (n, task) in asked {
        assert_eq!(task.await.unwrap(), n);
    }
    server.shutdown().await;
}

/// Takes all that Tokio gives a task in one turn.
async fn use_up_the_turn() {
    let semaphore = Semaphore::new(1);
    poll_fn(|cx| {
        while pin!(semaphore.acquire()).poll(cx).is_ready() {}
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_reply_at_once_needs_room_in_the_socket_and_not_in_the_turn() {
    let router = Router::new().route("/ping", async |reply: Reply| {
        use_up_the_turn().await;
        reply.try_send(("/pong", ())).unwrap();
    });
    let (server, address) = serve(router).await;
    let client = Client::udp(address).await.unwrap();
    client.request(("/ping", ()), "/pong").await.unwrap();
    assert_eq!(server.shutdown().await.panicked, 0);
}
