//! Every way in and out of live channels and clients passes the middleware.
//!
//! Both ends flip all bits of each frame: whatever passed the middleware by would be not a valid packet, and
//! a packet that arrives has passed it at both ends.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_osc::channel::StreamOptions;
#[cfg(unix)]
use tokio_osc::channel::UnixDatagramOptions;
use tokio_osc::codec::Codec;
use tokio_osc::middleware::{AllowedTypeTags, FilterStats, Flow, Middleware, on_packet_in, on_packet_out};
use tokio_osc::packet::{EncodeErrorKind, TypeTagSet};
use tokio_osc::{
    Args, Broadcast, Bundle, Channel, Client, LengthPrefix, Multicast, Packet, Peer, Reply, Router, Server,
    Shutdown, Slip, State, TimeTag, Udp,
};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Encoder;

use super::marks::{Flip, Logged, NoSecrets, message};

const LOCAL: &str = "127.0.0.1:0";

fn flipped() -> StreamOptions {
    StreamOptions::default().middleware(Flip)
}

/// A channel of datagrams and one of connections, and a plain client of each.
async fn opened(datagrams: Udp, streams: StreamOptions) -> ([Channel; 2], [Client; 2]) {
    let udp = datagrams.bind().await.unwrap();
    let tcp = Channel::tcp_with(LOCAL, Slip::new(), streams).await.unwrap();
    let clients = [
        Client::udp(udp.local_addr().unwrap()).await.unwrap(),
        Client::tcp(tcp.local_addr().unwrap(), Slip::new()).await.unwrap(),
    ];
    ([udp, tcp], clients)
}

/// Answers in each way that there is.
fn router() -> Router {
    Router::new()
        .route("/returned", |Args(n): Args<i32>| ("/answer", n))
        .route("/later", async |Args(n): Args<i32>, reply: Reply| {
            reply.send(("/answer", n)).await.unwrap();
        })
        .route("/bundle", |Args(n): Args<i32>| Bundle::immediately().with(("/answer", n)))
}

async fn asks_in_each_way(client: &Client) {
    for (n, address) in ["/returned", "/later", "/bundle"].into_iter().enumerate() {
        let n = i32::try_from(n).unwrap();
        let reply = client.request((address, n), "/answer").await.unwrap();
        assert_eq!(reply.parse::<i32>().unwrap(), n);
    }
}

#[tokio::test]
async fn requests_and_replies_over_udp_pass_the_middleware() {
    let channel = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router()).listen("udp", channel).spawn();

    asks_in_each_way(&Udp::new(address).middleware(Flip).client().await.unwrap()).await;
    asks_in_each_way(&Udp::new(address).middleware(Flip).connect().await.unwrap()).await;
    let clear = Client::udp(address).await.unwrap();
    let silence = clear.request(("/returned", 1), "/answer").timeout(Duration::from_millis(50)).await;
    assert!(silence.is_err(), "bytes that the middleware refuses never become a packet");
    server.shutdown().await;
}

#[tokio::test]
async fn requests_and_replies_over_tcp_pass_the_middleware() {
    let channel = Channel::tcp_with(LOCAL, Slip::new(), flipped()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router()).listen("tcp", channel).spawn();

    let client = Client::tcp_with(address, Slip::new(), flipped()).await.unwrap();
    asks_in_each_way(&client).await;
    let again = Client::reconnecting(address, Slip::new()).options(flipped()).spawn().unwrap();
    asks_in_each_way(&again).await;
    server.shutdown().await;
}

#[tokio::test]
async fn byte_streams_pass_the_middleware_both_ways() {
    let (here, there) = tokio::io::duplex(1_024);
    let channel = Channel::io_with(here, LengthPrefix::new(), flipped());
    let server = Server::new(router()).listen("pipe", channel).spawn();
    asks_in_each_way(&Client::io_with(there, LengthPrefix::new(), flipped())).await;
    server.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_pass_the_middleware_both_ways() {
    let path = std::env::temp_dir().join(format!("tokio-osc-middleware-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let channel = Channel::listen_on(listener, Slip::new(), flipped());
    let server = Server::new(router()).listen("unix", channel).spawn();
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    asks_in_each_way(&Client::io_with(stream, Slip::new(), flipped())).await;
    server.shutdown().await;
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_client_by_the_socket_of_a_channel_passes_the_middleware() {
    let stage = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let desk = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let client = desk.client_to(stage.local_addr().unwrap()).unwrap();
    let stage = Server::new(router()).listen("udp", stage).spawn();
    let desk = Server::new(Router::new()).listen("udp", desk).spawn();
    for address in ["/returned", "/later"] {
        client.request((address, 1), "/answer").await.unwrap();
    }
    desk.shutdown().await;
    stage.shutdown().await;
}

async fn line(channel: &mut Channel) -> String {
    channel.next().await.unwrap().0.unwrap().to_string()
}

#[tokio::test]
async fn one_packet_to_many_passes_the_middleware() {
    let mut left = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let mut right = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let peers = [left.local_addr().unwrap(), right.local_addr().unwrap()];
    let client = Udp::new(peers[0]).middleware(Flip).client().await.unwrap();
    assert_eq!(client.to(peers).unwrap().send(("/scene", 3)).await.unwrap().sent, 2);
    assert_eq!(line(&mut left).await, "/scene ,i 3");
    assert_eq!(line(&mut right).await, "/scene ,i 3");
}

#[tokio::test]
async fn one_packet_to_all_but_one_passes_the_middleware() {
    let mut left = Channel::udp(LOCAL).await.unwrap();
    let mut right = Channel::udp(LOCAL).await.unwrap();
    let peers = [left.local_addr().unwrap(), right.local_addr().unwrap()];
    let not_left =
        on_packet_out(|_, _| Flow::Drop).only_for(move |peer: Peer| peer.address() == Some(peers[0]));
    let client = Udp::new(peers[0]).middleware(not_left).client().await.unwrap();
    let report = client.to(peers).unwrap().send(("/scene", 3)).await.unwrap();
    assert_eq!((report.sent, report.filtered, report.failed.len()), (1, 1, 0));
    assert_eq!(line(&mut right).await, "/scene ,i 3");
    assert_eq!(client.to(peers).unwrap().send(("/scene", 4)).await.unwrap().sent, 1);
    assert_eq!(client.filtered().dropped_out, 2);
    Client::udp(peers[0]).await.unwrap().send(("/first", 1)).await.unwrap();
    assert_eq!(line(&mut left).await, "/first ,i 1", "nothing came before");
}

#[tokio::test]
async fn groups_and_broadcasts_pass_the_middleware() {
    let group =
        |port| Multicast::new(([239, 1, 2, 77], port)).interface(Ipv4Addr::LOCALHOST).middleware(Flip);
    let mut member = group(0).join().unwrap();
    let port = member.local_addr().unwrap().port();
    group(port).client().unwrap().send(("/scene", 3)).await.unwrap();
    assert_eq!(line(&mut member).await, "/scene ,i 3");
    assert_eq!(group(port).clients().unwrap().send(("/scene", 4)).await.unwrap().sent, 1);
    assert_eq!(line(&mut member).await, "/scene ,i 4");

    let all = |port| Broadcast::new((Ipv4Addr::new(127, 255, 255, 255), port)).middleware(Flip);
    let mut host = all(0).bind().unwrap();
    all(host.local_addr().unwrap().port()).client().unwrap().send(("/scene", 5)).await.unwrap();
    assert_eq!(line(&mut host).await, "/scene ,i 5");
}

#[tokio::test]
async fn packets_sent_by_an_outlet_pass_the_middleware() {
    let mut channel = Udp::new(LOCAL).middleware(Flip).bind().await.unwrap();
    let client = Udp::new(channel.local_addr().unwrap()).middleware(Flip).client().await.unwrap();
    let mut news = client.subscribe("/news");
    client.send(("/join", 1)).await.unwrap();
    client.try_send(("/join", 2)).unwrap();
    assert_eq!(line(&mut channel).await, "/join ,i 1");
    let (joined, meta) = channel.next().await.unwrap();
    assert_eq!(joined.unwrap().to_string(), "/join ,i 2");
    channel.send_to(meta.peer, ("/news", 1)).await.unwrap();
    assert_eq!(news.next().await.unwrap().to_string(), "/news ,i 1");
}

#[cfg(unix)]
#[tokio::test]
async fn unix_datagrams_pass_the_middleware_both_ways() {
    let path = std::env::temp_dir().join(format!("tokio-osc-test-{}-flipped", std::process::id()));
    let options = UnixDatagramOptions::default().middleware(Flip).middleware(NoSecrets);
    let channel = Channel::unix_datagram_with(&path, options.clone()).unwrap();
    let outlet = channel.outlet();
    let (joined, mut peers) = mpsc::unbounded_channel();
    let router = router()
        .route("/tell", || ("/secret", 1))
        .route("/join", move |peer: Peer| joined.send(peer).unwrap());
    let server = Server::new(router).listen("unix", channel).spawn();

    let client = Client::unix_datagram_with(&path, options).unwrap();
    asks_in_each_way(&client).await;
    client.send(("/secret", 1)).await.unwrap();
    client.try_send(("/secret", 2)).unwrap();
    assert_eq!(client.filtered().dropped_out, 2);
    client.send(("/tell", ())).await.unwrap();
    client.try_send(("/join", ())).unwrap();
    let mut news = client.subscribe("/news");
    let peer = peers.recv().await.unwrap();
    for address in ["/secret", "/news"] {
        outlet.send_to(peer, (address, 1)).await.unwrap();
    }
    assert_eq!(news.next().await.unwrap().to_string(), "/news ,i 1");
    assert_eq!(outlet.filtered().dropped_out, 2);
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.replies_filtered), (5, 1));
}

/// Half of the answers are kept back, on datagrams and on a stream.
#[tokio::test]
async fn replies_that_are_dropped_do_not_count_as_sent() {
    let only_even = || {
        on_packet_out(|packet, _| match &packet {
            Packet::Message(message) if message.parse::<i32>().unwrap() % 2 == 0 => Flow::Pass(packet),
            _ => Flow::Drop,
        })
    };
    let streams = StreamOptions::default().middleware(only_even());
    let ([udp, tcp], clients) = opened(Udp::new(LOCAL).middleware(only_even()), streams).await;
    let server = Server::new(router()).listen("udp", udp).listen("tcp", tcp).spawn();
    for client in &clients {
        let mut answers = client.subscribe("/answer");
        for n in 0..5 {
            client.send(("/returned", n)).await.unwrap();
        }
        for n in [0, 2, 4] {
            assert_eq!(answers.next().await.unwrap().parse::<i32>(), Ok(n));
        }
    }
    let report = server.shutdown_with(Shutdown::new()).await;
    assert_eq!(
        (report.server.replies, report.server.replies_filtered, report.server.replies_dropped),
        (6, 4, 0)
    );
    for channel in &report.channels {
        assert_eq!((channel.replies, channel.filtered.dropped_out), (3, 2), "{}", channel.name);
    }
}

#[tokio::test]
async fn a_broadcast_passes_the_middleware_for_each_connection() {
    let no_news_for_the_first =
        on_packet_out(|_, _| Flow::Drop).only_for(|peer| peer.connection().is_some_and(|id| id.get() == 1));
    let options = flipped().middleware(no_news_for_the_first);
    let channel = Channel::tcp_with(LOCAL, Slip::new(), options).await.unwrap();
    let (address, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let joined = Arc::new(tokio::sync::Semaphore::new(0));
    let router = Router::with_state(Arc::clone(&joined))
        .route("/join", |State(joined): State<Arc<tokio::sync::Semaphore>>| joined.add_permits(1));
    let server = Server::new(router).listen("tcp", channel).spawn();

    let mut clients = Vec::new();
    for number in 1..=3 {
        let client = Client::tcp_with(address, Slip::new(), flipped()).await.unwrap();
        client.send(("/join", number)).await.unwrap();
        joined.acquire().await.unwrap().forget();
        clients.push(client);
    }
    let mut news: Vec<_> = clients.iter().map(|client| client.subscribe("/news")).collect();
    let report = outlet.broadcast(("/news", 7)).unwrap();
    assert_eq!((report.sent, report.failed.len(), report.filtered), (2, 0, 1));
    assert_eq!(outlet.filtered().dropped_out, 1);
    for heard in &mut news[1..] {
        assert_eq!(heard.next().await.unwrap().to_string(), "/news ,i 7");
    }
    server.shutdown().await;
    assert!(news[0].next().await.is_none(), "the first has heard nothing to the end");
}

#[tokio::test]
async fn a_reconnecting_client_sends_its_own_packets_through_the_middleware() {
    let mut channel = Channel::tcp_with(LOCAL, Slip::new(), flipped()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let client = Client::reconnecting(address, Slip::new())
        .options(flipped().middleware(NoSecrets))
        .on_connect(("/xremote", ()))
        .on_connect(("/secret", 1))
        .keep_alive(Duration::from_millis(5), ("/alive", ()))
        .spawn()
        .unwrap();
    client.send(("/secret", 2)).await.unwrap();
    client.send(("/fader", 3)).await.unwrap();
    assert_eq!(line(&mut channel).await, "/xremote ,");
    let mut heard = Vec::new();
    while !(heard.contains(&"/fader ,i 3".to_owned()) && heard.contains(&"/alive ,".to_owned())) {
        heard.push(line(&mut channel).await);
    }
    assert!(!heard.iter().any(|line| line.starts_with("/secret")), "{heard:?}");
    assert_eq!(client.filtered().dropped_out, 2);
    assert_eq!(client.delivery().unwrap().accepted, 1, "what is dropped does not wait in the queue");
}

#[tokio::test]
async fn what_a_hook_changes_in_the_meta_reaches_the_handler() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let router = Router::with_state(told).route(
        "/who",
        |State(told): State<mpsc::UnboundedSender<Peer>>, peer: Peer| {
            told.send(peer).unwrap();
        },
    );
    let masked = Peer::from(([10, 0, 0, 1], 1));
    let mask = || {
        on_packet_in(move |packet, meta| {
            meta.peer = masked;
            Flow::Pass(packet)
        })
    };
    let udp = Udp::new(LOCAL).middleware(mask()).bind().await.unwrap();
    let options = StreamOptions::default().middleware(mask());
    let tcp = Channel::tcp_with(LOCAL, Slip::new(), options).await.unwrap();
    let (to_udp, to_tcp) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
    let server = Server::new(router).listen("udp", udp).listen("tcp", tcp).spawn();
    Client::udp(to_udp).await.unwrap().send(("/who", ())).await.unwrap();
    assert_eq!(heard.recv().await, Some(masked));
    Client::tcp(to_tcp, Slip::new()).await.unwrap().send(("/who", ())).await.unwrap();
    assert_eq!(heard.recv().await, Some(masked));
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_dropped_or_refused_is_counted_and_loses_nothing_else() {
    let plain = || AllowedTypeTags::new(TypeTagSet::of("i").unwrap());
    let datagrams = Udp::new(LOCAL).middleware(NoSecrets).middleware(plain());
    let streams = StreamOptions::default().middleware(NoSecrets).middleware(plain());
    let (channels, clients) = opened(datagrams, streams).await;
    for (mut channel, client) in channels.into_iter().zip(clients) {
        for _ in 0..5 {
            client.send(("/secret", 1)).await.unwrap();
        }
        client.send(("/open", 0.5_f32)).await.unwrap();
        client.send(("/open", 1)).await.unwrap();
        let (refused, meta) = channel.next().await.unwrap();
        assert!(refused.is_err());
        assert_eq!(line(&mut channel).await, "/open ,i 1");

        channel.send_to(meta.peer, ("/secret", 1)).await.unwrap();
        let error = channel.send_to(meta.peer, ("/open", 0.5_f32)).await.unwrap_err();
        let error = error.encode_error().unwrap();
        assert!(matches!(error.kind(), EncodeErrorKind::NotAccepted(_)));
        let filtered = channel.outlet().filtered();
        assert_eq!((filtered.dropped_in, filtered.refused_in), (5, 1));
        assert_eq!((filtered.dropped_out, filtered.refused_out), (1, 1));
    }
}

#[tokio::test]
async fn a_layer_that_panics_costs_one_packet_and_no_server() {
    let trap = on_packet_in(|packet, _| {
        assert!(!packet.to_string().starts_with("/trap/in"));
        Flow::Pass(packet)
    });
    let trap_out = on_packet_out(|packet, _| {
        assert!(!packet.to_string().starts_with("/trap/out"));
        Flow::Pass(packet)
    });
    let options = StreamOptions::default().middleware(trap).middleware(trap_out);
    let channel = Channel::tcp_with(LOCAL, Slip::new(), options).await.unwrap();
    let client = Client::tcp(channel.local_addr().unwrap(), Slip::new()).await.unwrap();
    let router = Router::new().route("/answer", || ("/trap/out", ())).route("/ok", || ("/ok", 1));
    let server = Server::new(router).listen("stage", channel).spawn();
    client.send_all([("/trap/in", ()), ("/answer", ())]).await.unwrap();
    assert_eq!(client.request(("/ok", ()), "/ok").await.unwrap().parse::<i32>().unwrap(), 1);

    let report = server.report();
    let filtered = report.channels[0].filtered;
    assert_eq!((filtered.panicked_in, filtered.dropped_in, filtered.refused_out), (1, 0, 1));
    assert_eq!(server.shutdown().await.replies, 1);

    let udp = Channel::udp(LOCAL).await.unwrap();
    let careless = on_packet_out(|_, _| panic!("a mistake in a layer"));
    let client = Udp::new(udp.local_addr().unwrap()).middleware(careless).client().await.unwrap();
    let error = client.send(("/a", ())).await.unwrap_err();
    let error = error.encode_error().unwrap();
    assert_eq!(error.kind(), EncodeErrorKind::Refused(FilterStats::PANICKED));
}

#[tokio::test]
async fn channels_of_the_same_options_count_for_themselves() {
    let options = Udp::new(LOCAL).middleware(NoSecrets);
    let first = options.clone().bind().await.unwrap();
    let mut second = options.bind().await.unwrap();
    let client = Client::udp(second.local_addr().unwrap()).await.unwrap();
    client.send(("/secret", 1)).await.unwrap();
    client.send(("/open", 1)).await.unwrap();
    assert_eq!(line(&mut second).await, "/open ,i 1");
    assert_eq!(second.outlet().filtered().dropped_in, 1);
    assert_eq!(first.outlet().filtered().dropped_in, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_packets_are_all_dropped_does_not_time_out() {
    let (here, mut there) = tokio::io::duplex(4_096);
    let options = StreamOptions::default().middleware(NoSecrets).in_frame_timeout(Duration::from_secs(1));
    let mut channel = Channel::io_with(here, LengthPrefix::new(), options);
    let mut bytes = BytesMut::new();
    let mut codec = Codec::new(LengthPrefix::new());
    for address in ["/secret"; 9].into_iter().chain(["/open"]) {
        codec.encode((address, 1), &mut bytes).unwrap();
    }
    let sending = tokio::spawn(async move {
        // Each part ends inside a frame.
        let (first, rest) = bytes.split_at(10);
        for part in std::iter::once(first).chain(rest.chunks(24)) {
            there.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        there
    });
    assert_eq!(line(&mut channel).await, "/open ,i 1");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_packet_is_replaced_both_ways() {
    let replaced = |from: &'static str, to: &'static str| {
        move |packet: Packet| match &packet {
            Packet::Message(old) if old.address() == from => {
                Flow::Pass(message(to, old.parse().unwrap_or_default()).into())
            }
            _ => Flow::Pass(packet),
        }
    };
    let (inwards, outwards) = (replaced("/old", "/new"), replaced("/new", "/old"));
    let channel = Udp::new(LOCAL)
        .middleware(on_packet_in(move |packet, _| inwards(packet)))
        .middleware(on_packet_out(move |packet, _| outwards(packet)))
        .bind()
        .await
        .unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let router = Router::new().route("/new", |Args(n): Args<i32>| ("/new", n + 1));
    let server = Server::new(router).listen("udp", channel).spawn();
    assert_eq!(client.request(("/old", 1), "/old").await.unwrap().to_string(), "/old ,i 2");
    server.shutdown().await;
}

#[tokio::test]
async fn a_hook_may_change_the_time_options_of_a_packet() {
    let now = || {
        on_packet_in(|packet, meta| {
            meta.time_mut().honor_time_tags = Some(false);
            Flow::Pass(packet)
        })
    };
    let streams = StreamOptions::default().middleware(now());
    let ([udp, tcp], clients) = opened(Udp::new(LOCAL).middleware(now()), streams).await;
    let server = Server::new(router()).listen("udp", udp).listen("tcp", tcp).spawn();
    for client in clients {
        let in_an_hour = Bundle::at(TimeTag::after(Duration::from_secs(3_600))).with(("/returned", 1));
        client.request(in_an_hour, "/answer").await.unwrap();
    }
    server.shutdown().await;
}

#[tokio::test]
async fn each_new_connection_is_greeted_through_the_middleware() {
    let mut channel = Channel::tcp_with(LOCAL, Slip::new(), flipped()).await.unwrap();
    let log = Arc::default();
    let logged = Logged { name: "client", log: Arc::clone(&log) };
    let client = Client::reconnecting(channel.local_addr().unwrap(), Slip::new())
        .options(flipped().middleware(logged))
        .on_connect(("/xremote", ()))
        .backoff(Duration::from_millis(1), Duration::from_millis(1))
        .spawn()
        .unwrap();
    for _ in 0..3 {
        let (greeting, meta) = channel.next().await.unwrap();
        assert_eq!(greeting.unwrap().to_string(), "/xremote ,");
        assert!(channel.outlet().disconnect(meta.peer));
    }
    let asked = log.lock().unwrap().iter().filter(|line| *line == "client packet_out").count();
    assert!(asked >= 3, "again for each connection: {asked}");
    drop(client);
}
