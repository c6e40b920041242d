//! Channels and clients over byte streams: TCP, Unix sockets, pipes; limits, events and answers.
#![cfg(feature = "net")]

use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Outlet, Refusal, StreamOptions};
use tokio_osc::codec::{Codec, Detect, Framing, LikelyCause};
use tokio_osc::dispatch::Replies;
use tokio_osc::packet::{DecodeErrorKind, SendError, SendErrorKind};
use tokio_osc::{
    Args, Bundle, Bytes, Channel, Client, IntoReply, LengthPrefix, Message, Meta, Packet, Peer, Router,
    Server, ServerHandle, Slip, State,
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::support::{LOOPBACK, ms};

type Failures = tokio::sync::mpsc::UnboundedSender<SendError>;

fn ping_router() -> Router<()> {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

async fn serve(
    router: Router<impl Send + Sync + 'static>,
    framing: impl Framing,
) -> (ServerHandle, std::net::SocketAddr) {
    let channel = Channel::tcp(LOOPBACK, framing).await.unwrap();
    let address = channel.local_addr().unwrap();
    (Server::new(router).listen("stage", channel).spawn(), address)
}

async fn message(channel: &mut Channel) -> (Message, Meta) {
    match channel.next().await.unwrap() {
        (Ok(Packet::Message(message)), meta) => (message, meta),
        other => panic!("{other:?}"),
    }
}

fn framed<I: tokio::io::AsyncRead + tokio::io::AsyncWrite, F: Framing>(
    io: I,
    framing: F,
) -> Framed<I, Codec<F>> {
    Framed::new(io, Codec::new(framing))
}

fn is_timeout(error: &SendError) -> bool {
    error.kind() == SendErrorKind::Io(std::io::ErrorKind::TimedOut)
}

async fn disconnect(events: &mut Events<ConnectionEvent>) -> (Peer, Disconnect) {
    loop {
        if let ConnectionEvent::Disconnected { peer, reason } = events.next().await.unwrap() {
            return (peer, reason);
        }
    }
}

/// The next event that decides something about a connection.
async fn decided(events: &mut Events<ConnectionEvent>) -> ConnectionEvent {
    loop {
        match events.next().await.unwrap() {
            ConnectionEvent::Requested(_) | ConnectionEvent::Accepted(_) => {}
            event => return event,
        }
    }
}

/// A channel over one end of a pipe, polled by a task; what it receives is thrown away.
fn drained(channel: Channel) -> tokio::task::JoinHandle<usize> {
    tokio::spawn(channel.count())
}

#[tokio::test]
async fn a_request_is_answered_on_every_transport_and_framing() {
    async fn round_trip(client: Client) {
        let reply = client.request(("/ping", 7), "/pong").await.unwrap();
        assert_eq!(reply.parse::<i32>().unwrap(), 7);
    }
    for framing in [LengthPrefix::new(), LengthPrefix::new().little_endian().width(2)] {
        let (server, address) = serve(ping_router(), framing.clone()).await;
        round_trip(Client::tcp(address, framing).await.unwrap()).await;
        server.shutdown().await;
    }
    let (server, address) = serve(ping_router(), Slip::new()).await;
    round_trip(Client::tcp(address, Slip::new()).await.unwrap()).await;
    round_trip(Client::tcp(address, Slip::new().flag_at_start(false)).await.unwrap()).await;
    server.shutdown().await;

    let (server, address) = serve(ping_router(), Detect::new()).await;
    round_trip(Client::tcp(address, Slip::new()).await.unwrap()).await;
    round_trip(Client::tcp(address, Slip::new().flag_at_start(false)).await.unwrap()).await;
    round_trip(Client::tcp(address, LengthPrefix::new()).await.unwrap()).await;
    server.shutdown().await;

    let (here, there) = duplex(16);
    let server = Server::new(ping_router()).listen("pipe", Channel::io(here, Slip::new())).spawn();
    round_trip(Client::io(there, Slip::new())).await;
    server.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_serves_replaces_an_abandoned_one_and_spares_one_in_use() {
    let path = std::env::temp_dir().join(format!("tokio-osc-streams-{}.sock", std::process::id()));
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let channel = Channel::unix(&path, Slip::new()).unwrap();
    assert!(channel.local_addr().is_err());
    assert_eq!(Channel::unix(&path, Slip::new()).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);

    let server = Server::new(ping_router()).listen("unix", channel).spawn();
    let client = Client::unix(&path, Slip::new()).await.unwrap();
    assert_eq!(client.request(("/ping", 7), "/pong").await.unwrap().parse::<i32>().unwrap(), 7);
    server.shutdown().await;
    assert!(!path.exists(), "the file has gone with the socket");
}

#[tokio::test]
async fn a_codec_of_tokio_util_is_a_framing() {
    let (here, there) = duplex(64);
    let mut channel = Channel::io(here, LengthDelimitedCodec::new());
    Client::io(there, LengthPrefix::new()).send(("/a", 1)).await.unwrap();
    assert_eq!(message(&mut channel).await.0.to_string(), "/a ,i 1");
}

#[tokio::test]
async fn replies_go_down_the_connection_that_the_message_came_by() {
    let router = Router::new().route("/who", |meta: Meta| ("/you", meta.connection_name().unwrap()));
    let (server, address) = serve(router, Slip::new()).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        let client = Client::tcp(address, Slip::new()).await.unwrap();
        let name: String = client.request(("/who", ()), "/you").await.unwrap().parse().unwrap();
        names.push(name);
    }
    assert_eq!(names, ["stage.1", "stage.2", "stage.3"]);
    server.shutdown().await;
}

#[tokio::test]
async fn a_malformed_packet_is_an_item_and_the_connection_stays() {
    async fn check<F: Framing>(framing: F) {
        let (here, there) = duplex(64);
        let mut channel = Channel::io(here, framing.clone());
        let mut raw = Framed::new(there, framing);
        let good = Bytes::from_static(b"/a\0\0,i\0\0\0\0\0\x07");
        for frame in [good.clone(), Bytes::from_static(b"/a\0\0,i\0\0\0\0"), good] {
            raw.send(frame).await.map_err(Into::into).unwrap();
        }
        assert_eq!(message(&mut channel).await.0.to_string(), "/a ,i 7");
        let (bad, meta) = channel.next().await.unwrap();
        assert_eq!(bad.unwrap_err().kind(), DecodeErrorKind::Unaligned);
        assert_eq!(meta.peer.connection().unwrap().get(), 1);
        assert_eq!(message(&mut channel).await.0.to_string(), "/a ,i 7");
        assert_eq!(channel.outlet().connections().len(), 1);
    }
    check(Slip::new()).await;
    check(LengthPrefix::new()).await;
}

#[tokio::test]
async fn empty_frames_are_passed_over_and_counted() {
    async fn passed_over(framing: impl Framing) -> [u64; 2] {
        let wire = b"\0\0\0\0\0\0\0\0\0\0\0\x08/a\0\0,\0\0\0\0\0\0\0";
        let (here, mut there) = duplex(64);
        let mut channel = Channel::io(here, framing.clone());
        there.write_all(wire).await.unwrap();
        assert_eq!(message(&mut channel).await.0.address(), "/a");
        drop(there);
        assert!(channel.next().await.is_none());

        let (here, mut there) = duplex(64);
        let client = Client::io(here, framing);
        let mut heard = client.subscribe("/*");
        there.write_all(wire).await.unwrap();
        drop(there);
        assert_eq!(heard.by_ref().count().await, 1);
        [channel.outlet().filtered().empty_in, client.filtered().empty_in]
    }
    assert_eq!(passed_over(LengthPrefix::new()).await, [3, 3]);
    assert_eq!(passed_over(Detect::new()).await, [3, 3]);
    assert_eq!(passed_over(LengthDelimitedCodec::new()).await, [3, 3]);
}

#[tokio::test]
async fn the_likely_cause_is_in_the_event() {
    let (here, mut there) = duplex(64);
    let channel = Channel::io(here, LengthPrefix::new());
    let mut events = channel.events();
    let channel = drained(channel);
    there.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (_, reason) = disconnect(&mut events).await;
    let Disconnect::Failed(error) = reason else { panic!("{reason}") };
    assert_eq!(error.likely_cause(), Some(LikelyCause::Http));
    assert_eq!(there.read(&mut [0; 8]).await.unwrap(), 0, "the connection was closed");
    assert_eq!(channel.await.unwrap(), 0, "and with it the channel");
}

#[tokio::test]
async fn packets_queued_for_a_detected_framing_leave_when_the_peer_has_sent() {
    let (here, there) = duplex(64);
    let mut channel = Channel::io(here, Detect::new());
    let report = channel.broadcast(("/welcome", ())).unwrap();
    assert_eq!((report.sent, report.failed.len()), (1, 0));
    let client = Client::io(there, LengthPrefix::new());
    let mut welcome = client.subscribe("/welcome");
    client.send(("/hello", ())).await.unwrap();
    message(&mut channel).await;
    let channel = drained(channel);
    assert_eq!(welcome.next().await.unwrap().to_string(), "/welcome ,");
    channel.abort();
}

#[tokio::test]
async fn connections_over_the_limits_are_closed_at_once() {
    for (options, reason) in [
        (StreamOptions::default().max_connections(2), Refusal::TooMany),
        (StreamOptions::default().max_connections_per_address(2), Refusal::TooManyFromAddress),
    ] {
        let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
        let address = channel.local_addr().unwrap();
        let (mut events, outlet) = (channel.events(), channel.outlet());
        let channel = drained(channel);

        let first = TcpStream::connect(address).await.unwrap();
        assert!(matches!(decided(&mut events).await, ConnectionEvent::Connected(_)));
        let _second = TcpStream::connect(address).await.unwrap();
        assert!(matches!(decided(&mut events).await, ConnectionEvent::Connected(_)));
        let mut third = TcpStream::connect(address).await.unwrap();
        assert!(matches!(
            decided(&mut events).await,
            ConnectionEvent::Refused { reason: why, .. } if why == reason
        ));
        assert_eq!(third.read(&mut [0; 8]).await.unwrap(), 0);

        // A place that is given up is free again.
        drop(first);
        assert!(matches!(disconnect(&mut events).await.1, Disconnect::ByPeer));
        let _fourth = TcpStream::connect(address).await.unwrap();
        assert!(matches!(decided(&mut events).await, ConnectionEvent::Connected(_)));
        assert_eq!(outlet.connections().len(), 2);
        channel.abort();
    }
}

#[tokio::test]
async fn accept_if_refuses_before_a_byte_is_read() {
    async fn check(options: StreamOptions) {
        let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
        let address = channel.local_addr().unwrap();
        let mut events = channel.events();
        let channel = drained(channel);
        let mut first = TcpStream::connect(address).await.unwrap();
        let refused = decided(&mut events).await;
        assert!(matches!(refused, ConnectionEvent::Refused { reason: Refusal::Vetoed, .. }), "{refused:?}");
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
        let _second = TcpStream::connect(address).await.unwrap();
        assert!(matches!(decided(&mut events).await, ConnectionEvent::Connected(_)));
        channel.abort();
    }
    let not_first = |peer: Peer| peer.connection().is_some_and(|id| id.get() > 1);
    check(StreamOptions::default().accept_if(not_first)).await;
    check(StreamOptions::default().accept_if(move |peer| async move {
        tokio::task::yield_now().await;
        not_first(peer)
    }))
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_accept_if_that_does_not_come_is_a_refusal() {
    let (here, _there) = duplex(64);
    let options = StreamOptions::default().accept_if(|_| std::future::pending::<bool>());
    let channel = Channel::io_with(here, Slip::new(), options);
    let mut events = channel.events();
    let start = Instant::now();
    assert_eq!(channel.count().await, 0);
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert!(matches!(decided(&mut events).await, ConnectionEvent::Refused { reason: Refusal::Vetoed, .. }));
}

/// A peer is not a connection before `accept_if` has answered.
#[tokio::test]
async fn a_connection_that_is_not_accepted_yet_is_not_counted() {
    let (go, gone) = tokio::sync::watch::channel(false);
    let options = StreamOptions::default().accept_if(move |_| {
        let mut gone = gone.clone();
        async move { gone.wait_for(|go| *go).await.is_ok() }
    });
    let (here, there) = duplex(1_024);
    let channel = Channel::io_with(here, Slip::new(), options);
    let outlet = channel.outlet();
    let server = Server::new(ping_router()).listen("pipe", channel).spawn();
    assert_eq!((outlet.connections().len(), outlet.broadcast(("/n", 1)).unwrap().sent), (0, 0));
    go.send_replace(true);
    let client = Client::io(there, Slip::new());
    client.request(("/ping", 7), "/pong").await.unwrap();
    assert_eq!((outlet.connections().len(), outlet.broadcast(("/n", 2)).unwrap().sent), (1, 1));
    let stats = server.shutdown().await;
    assert_eq!((stats.connected, stats.disconnected, stats.refused), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_closed_channel_does_not_wait_for_an_answer_to_accept_if() {
    let (here, _there) = duplex(64);
    let options = StreamOptions::default().accept_if(|_| std::future::pending::<bool>());
    let channel = Channel::io_with(here, Slip::new(), options);
    let (mut events, outlet) = (channel.events(), channel.outlet());
    let channel = drained(channel);
    tokio::task::yield_now().await;
    let start = Instant::now();
    outlet.close();
    channel.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(matches!(decided(&mut events).await, ConnectionEvent::Refused { reason: Refusal::Vetoed, .. }));
}

/// Three peers take all the places for packets; the frame of the fourth was there in time.
#[tokio::test(start_paused = true)]
async fn a_channel_that_is_read_late_cuts_off_no_peer() {
    let (dial, dialled) = tokio::sync::mpsc::channel(8);
    let mut channel = Channel::listen_on(
        Dialled(dialled),
        Slip::new(),
        StreamOptions::default().idle_timeout(Some(ms(10_000))),
    );
    let mut events = channel.events();
    let mut peers = Vec::new();
    for _ in 0..4 {
        let (here, there) = duplex(4_096);
        dial.send(here).await.unwrap();
        peers.push(there);
    }
    let mut patient = peers.pop().unwrap();
    patient.write_all(b"\xc0/pat").await.unwrap();
    assert!(channel.next().now_or_never().is_none());
    for flood in &mut peers {
        flood.write_all(&b"\xc0/n\0\0,\0\0\0\xc0".repeat(25)).await.unwrap();
    }
    patient.write_all(b"ient\0\0\0\0,\0\0\0\xc0").await.unwrap();
    tokio::time::advance(ms(11_000)).await;
    for n in 0..76 {
        assert!(tokio::time::timeout(ms(1), channel.next()).await.is_ok(), "only {n} came");
    }
    while let Some(Some(event)) = events.next().now_or_never() {
        assert!(!matches!(event, ConnectionEvent::Disconnected { .. }), "{event:?}");
    }
}

struct Dialled(tokio::sync::mpsc::Receiver<DuplexStream>);

impl tokio_osc::channel::Listener for Dialled {
    type Io = DuplexStream;

    fn poll_accept(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<(DuplexStream, Peer)>> {
        match self.0.poll_recv(cx) {
            std::task::Poll::Ready(Some(stream)) => std::task::Poll::Ready(Ok((stream, Peer::LOCAL))),
            _ => std::task::Poll::Pending,
        }
    }
}

/// Runs a channel over a pipe until its connection has ended, and tells why and after how long.
async fn life(options: StreamOptions, peer: impl AsyncFnOnce(DuplexStream)) -> (Disconnect, Duration) {
    let (here, there) = duplex(64);
    let channel = Channel::io_with(here, Slip::new(), options);
    let mut events = channel.events();
    let start = Instant::now();
    let ((), ended) = tokio::join!(peer(there), async {
        channel.count().await;
        start.elapsed()
    });
    (disconnect(&mut events).await.1, ended)
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_takes_too_long_ends_its_connection() {
    // A byte every five seconds does not count as progress.
    let (reason, after) = life(StreamOptions::default(), async |mut peer: DuplexStream| {
        while peer.write_all(b"/").await.is_ok() {
            tokio::time::sleep(ms(5_000)).await;
        }
    })
    .await;
    assert!(matches!(reason, Disconnect::InFrameTimeout), "{reason}");
    assert_eq!(after, ms(10_000));

    // A frame just in time, every time, is fine; so is silence between frames.
    let (reason, after) = life(StreamOptions::default(), async |mut peer: DuplexStream| {
        for part in [&b"\xc0/a\0\0"[..], b",\0\0\0\xc0/b\0\0", b",\0\0\0\xc0"] {
            peer.write_all(part).await.unwrap();
            tokio::time::sleep(ms(9_999)).await;
        }
        tokio::time::sleep(ms(100_000)).await;
    })
    .await;
    assert!(matches!(reason, Disconnect::ByPeer), "{reason}");
    assert_eq!(after, ms(3 * 9_999 + 100_000));
}

#[tokio::test(start_paused = true)]
async fn a_broken_frame_that_does_not_end_takes_too_long_as_well() {
    let options = StreamOptions::default().in_frame_timeout(ms(1_000));
    let (reason, after) = life(options, async |mut peer: DuplexStream| {
        peer.write_all(b"\xc0\xdb\0").await.unwrap();
        while peer.write_all(b"\0").await.is_ok() {
            tokio::time::sleep(ms(200)).await;
        }
    })
    .await;
    assert!(matches!(reason, Disconnect::InFrameTimeout), "{reason}");
    assert_eq!(after, ms(1_000));
}

#[tokio::test(start_paused = true)]
async fn the_idle_timeout_counts_from_the_last_frame() {
    let options = StreamOptions::default().idle_timeout(Some(ms(3_000)));
    let (reason, after) = life(options, async |peer: DuplexStream| {
        let mut peer = framed(peer, Slip::new());
        tokio::time::sleep(ms(2_000)).await;
        peer.send(("/a", ())).await.unwrap();
        tokio::time::sleep(ms(100_000)).await;
    })
    .await;
    assert!(matches!(reason, Disconnect::IdleTimeout), "{reason}");
    assert_eq!(after, ms(100_000 + 2_000).min(ms(5_000)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_cut_off_by_the_write_timeout() {
    let (here, there) = duplex(64);
    let channel = Channel::io(here, Slip::new());
    let (mut events, outlet) = (channel.events(), channel.outlet());
    let start = Instant::now();
    let channel = tokio::spawn(channel.count());
    let mut queued = 0;
    while outlet.broadcast(("/blob", vec![0_u8; 10_000])).unwrap().failed.is_empty() {
        queued += 1;
    }
    assert_eq!(queued, 1_024 * 1_024 / 10_080, "the queue holds a mebibyte, each packet with its place");
    // A send waits for space, until the connection is gone or it has waited as long itself.
    let peer = outlet.connections()[0];
    let error = loop {
        match outlet.send_to(peer, ("/late", vec![0_u8; 10_000])).await {
            Ok(()) => queued += 1,
            Err(error) => break error,
        }
    };
    assert!(error.kind() == SendErrorKind::Closed || is_timeout(&error), "{error}");
    assert!(queued < 120, "{queued}: no more than what is framed beside the queue");
    assert!(matches!(disconnect(&mut events).await.1, Disconnect::WriteTimeout));
    assert_eq!(start.elapsed(), ms(10_000));
    channel.await.unwrap();
    drop(there);
}

#[tokio::test]
async fn a_closed_channel_sends_its_queue_and_ends() {
    let (here, there) = duplex(16);
    let channel = Channel::io(here, Slip::new());
    for n in 0..100 {
        channel.broadcast(("/n", n)).unwrap();
    }
    channel.outlet().close();
    assert_eq!(channel.outlet().broadcast(("/late", ())).unwrap().failed.len(), 1);
    let (left, got) = tokio::join!(channel.count(), framed(there, Slip::new()).count());
    assert_eq!((left, got), (0, 100));
}

#[tokio::test]
async fn a_shut_down_server_sends_its_last_replies() {
    let router = Router::new().route("/many", |Args(n): Args<i32>| -> Vec<Message> {
        (0..n).map(|n| Message::new("/n", n).unwrap()).collect()
    });
    let (here, there) = duplex(1_024);
    let server = Server::new(router).listen("pipe", Channel::io(here, Slip::new())).spawn();
    let mut peer = framed(there, Slip::new());
    peer.send(("/many", 50)).await.unwrap();
    assert_eq!(peer.next().await.unwrap().unwrap().unwrap().to_string(), "/n ,i 0");
    let (stats, left) = tokio::join!(server.shutdown(), peer.count());
    assert_eq!((stats.replies, left), (50, 49));
}

#[tokio::test]
async fn broadcast_reaches_all_and_send_to_one() {
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let (address, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let router = Router::with_state(outlet)
        .route("/join", || ("/joined", ()))
        .route("/all", |State(outlet): State<Outlet>| outlet.broadcast(("/news", 1)).map(drop));
    let server = Server::new(router).listen("stage", channel).spawn();
    let mut clients = Vec::new();
    for _ in 0..10 {
        let client = Client::tcp(address, Slip::new()).await.unwrap();
        client.request(("/join", ()), "/joined").await.unwrap();
        let news = client.subscribe("/news");
        clients.push((client, news));
    }
    clients[3].0.send(("/all", ())).await.unwrap();
    for (_, news) in &mut clients {
        assert_eq!(news.next().await.unwrap().to_string(), "/news ,i 1");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_disconnected_peer_gets_its_queue_first() {
    let (here, there) = duplex(1_024);
    let channel = Channel::io(here, Slip::new());
    let (outlet, mut events) = (channel.outlet(), channel.events());
    let peer = outlet.connections()[0];
    channel.send_to(peer, ("/bye", ())).await.unwrap();
    assert!(outlet.disconnect(peer));
    let (_, got) = tokio::join!(channel.count(), framed(there, Slip::new()).count());
    assert_eq!(got, 1);
    assert!(matches!(disconnect(&mut events).await.1, Disconnect::ByUs));
    assert!(!outlet.disconnect(peer));
    assert!(outlet.send_to(peer, ("/late", ())).await.is_err());
}

#[tokio::test]
async fn packets_are_pushed_to_subscriptions_and_requests_alike() {
    let (here, there) = duplex(1_024);
    let client = Client::io(here, Slip::new());
    let mut peer = framed(there, Slip::new());
    let mut all = client.subscribe("//");
    let mut some = client.clone().subscribe("/a/*");
    let bundle =
        Bundle::immediately().with(("/a/1", 1)).with(Bundle::immediately().with(("/b", 2))).with(("/a/2", 3));
    peer.send(bundle).await.unwrap();
    let request = tokio::spawn(client.request(("/get", ()), "/a/3").into_future());
    assert_eq!(peer.next().await.unwrap().unwrap().unwrap().to_string(), "/get ,");
    peer.send(("/a/3", 4)).await.unwrap();
    assert_eq!(request.await.unwrap().unwrap().to_string(), "/a/3 ,i 4");
    drop(peer);

    let mut seen = Vec::new();
    while let Some(message) = some.next().await {
        seen.push(message.to_string());
    }
    assert_eq!(seen, ["/a/1 ,i 1", "/a/2 ,i 3", "/a/3 ,i 4"]);
    assert_eq!(all.by_ref().count().await, 4);
    assert_eq!((all.missed(), some.missed()), (0, 0));
}

#[tokio::test]
async fn a_subscription_keeps_the_newest_and_counts_what_it_missed() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let mut slow = client.subscribe("/n");
    let mut end = client.subscribe("/end");
    let mut peer = framed(there, Slip::new());
    let sender = tokio::spawn(async move {
        for n in 0..1_025 {
            peer.feed(("/n", n)).await.unwrap();
        }
        peer.send(("/end", ())).await.unwrap();
        peer
    });
    end.next().await.unwrap();
    assert_eq!(slow.missed(), 1);
    assert_eq!(slow.next().await.unwrap().to_string(), "/n ,i 1");
    drop(sender.await.unwrap());
    assert_eq!(slow.count().await, 1_023);
}

#[tokio::test]
async fn a_subscription_gets_unread_packets_and_a_request_does_not() {
    let (here, there) = duplex(1_024);
    let client = Client::io(here, Slip::new());
    let mut peer = framed(there, Slip::new());
    peer.send(("/welcome", ())).await.unwrap();
    assert_eq!(client.subscribe("/welcome").next().await.unwrap().to_string(), "/welcome ,");

    peer.send(("/pong", 1)).await.unwrap();
    let request = tokio::spawn(client.request(("/ping", ()), "/pong").into_future());
    peer.next().await.unwrap().unwrap().unwrap();
    peer.send(("/pong", 2)).await.unwrap();
    assert_eq!(
        request.await.unwrap().unwrap().to_string(),
        "/pong ,i 2",
        "a packet sent before the request is not its answer"
    );
}

/// Two wait; the one that reads for both is dropped; the other reads on.
#[tokio::test]
async fn another_reads_on_when_the_reader_is_dropped() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let mut first = client.subscribe("/a");
    let mut second = client.subscribe("/a");
    let waiting = tokio::spawn(async move { first.next().await.unwrap() });
    tokio::task::yield_now().await;
    assert!(second.next().now_or_never().is_none(), "the second is the reader now");
    drop(second);
    framed(there, Slip::new()).send(("/a", ())).await.unwrap();
    assert_eq!(waiting.await.unwrap().to_string(), "/a ,");
}

#[tokio::test]
async fn the_end_of_the_connection_reaches_everyone() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let closed = tokio::spawn({
        let client = client.clone();
        async move { client.closed().await }
    });
    let request = tokio::spawn(client.request(("/get", ()), "/got").into_future());
    let mut peer = framed(there, Slip::new());
    peer.next().await.unwrap().unwrap().unwrap();
    drop(peer);
    assert!(matches!(closed.await.unwrap(), Disconnect::ByPeer));
    let error = request.await.unwrap().unwrap_err();
    assert!(matches!(error.disconnect(), Some(Disconnect::ByPeer)), "{error}");
    assert_eq!(client.subscribe("/a").count().await, 0);
    assert!(matches!(client.send(("/a", ())).await.unwrap_err().kind(), SendErrorKind::Closed));
}

#[tokio::test]
async fn a_client_that_only_sends_does_not_hold_up_its_peer() {
    let router = Router::new().route("/echo", |Args(blob): Args<Bytes>| ("/echo", blob));
    let (here, there) = duplex(1_024);
    let server = Server::new(router).listen("pipe", Channel::io(here, Slip::new())).spawn();
    let client = Client::io(there, Slip::new());
    for _ in 0..1_000 {
        client.send(("/echo", vec![0_u8; 10_000])).await.unwrap();
        tokio::task::yield_now().await;
    }
    client.request(("/echo", b"last"), "/echo").await.unwrap();
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.replies_dropped), (1_001, 0));
}

#[tokio::test]
async fn try_send_refuses_what_would_wait_and_tears_nothing() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let mut sent = 0;
    let error = loop {
        match client.try_send(("/n", sent)) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), SendErrorKind::Full);
    assert!(sent > 1);
    let peer = framed(there, Slip::new());
    let (closed, got) = tokio::join!(client.close(), peer.count());
    closed.unwrap();
    assert_eq!(got, usize::try_from(sent).unwrap(), "the tail of the last one went out");
    assert!(client.try_send(("/n", 0)).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_send_to_a_peer_that_reads_nothing_fails_after_the_write_timeout() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let start = Instant::now();
    let error = client.send(("/blob", vec![0_u8; 1_000])).await.unwrap_err();
    assert!(is_timeout(&error));
    assert_eq!(start.elapsed(), ms(10_000));
    assert!(matches!(client.send(("/a", ())).await.unwrap_err().kind(), SendErrorKind::Closed));
    drop(there);
}

/// The inbox is full, so that the connection is not polled: the handler that waits for it waits for itself.
#[tokio::test(start_paused = true)]
async fn a_handler_that_sends_to_a_peer_that_reads_nothing_fails_after_the_write_timeout() {
    let (here, mut there) = duplex(1_024);
    let channel = Channel::io_with(
        here,
        Slip::new(),
        StreamOptions::default().write_timeout(ms(3_000)).send_queue(4_096),
    );
    let (failed, mut failures) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::with_state((channel.outlet(), failed)).route("/n", || {}).route(
        "/flood",
        async |State(state): State<(Outlet, Failures)>, peer: Peer| {
            let (outlet, failed) = &*state;
            loop {
                if let Err(error) = outlet.send_to(peer, ("/blob", vec![0_u8; 1_000])).await {
                    return failed.send(error).unwrap();
                }
            }
        },
    );
    for address in ["/flood", "/n", "/n", "/n"] {
        let mut frame = Message::new(address, ()).unwrap().as_bytes().to_vec();
        frame.push(0xc0);
        there.write_all(&frame).await.unwrap();
    }
    let start = Instant::now();
    let server = Server::new(router).inbox(1).listen("pipe", channel).spawn();
    let error = tokio::time::timeout(ms(60_000), failures.recv()).await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(3_000));
    assert_eq!(error.to_string(), "the queue of the connection was full for 3s");
    assert!(is_timeout(&error));
    server.wait().await;
    let stats = server.stats();
    assert_eq!((stats.handled, stats.disconnected), (4, 1), "all goes on, and the peer is cut off");
}

#[tokio::test]
async fn a_packet_over_the_limit_is_refused_and_the_connection_stays() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new().max_frame(100));
    let error = client.send(("/blob", vec![0_u8; 100])).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot send 116 bytes at once (at most 100)");
    client.send(("/a", ())).await.unwrap();
    let mut channel = Channel::io(there, Slip::new());
    assert_eq!(message(&mut channel).await.0.to_string(), "/a ,");
    let peer = channel.outlet().connections()[0];
    let error = channel.send_to(peer, ("/blob", vec![0_u8; 1_024 * 1_024])).await.unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::TooLarge { limit: 1_048_512, .. }), "{error}");
}

#[tokio::test]
async fn a_bundle_over_tcp_is_one_unit() {
    let router = Router::new()
        .route("/a", |Args(n): Args<i32>| -> Replies { IntoReply::into_reply(("/a", n)) })
        .route("/b", |Args(n): Args<i32>| ("/b", n));
    let (server, address) = serve(router, LengthPrefix::new()).await;
    let client = Client::tcp(address, LengthPrefix::new()).await.unwrap();
    let mut replies = client.subscribe("/?");
    client.send(Bundle::immediately().with(("/a", 1)).with(("/b", 2))).await.unwrap();
    assert_eq!(replies.next().await.unwrap().to_string(), "/a ,i 1");
    assert_eq!(replies.next().await.unwrap().to_string(), "/b ,i 2");
    server.shutdown().await;
}
