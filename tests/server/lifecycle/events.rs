//! What a server tells of its channels, as a stream and as messages.

use std::sync::Mutex;

use futures::StreamExt;
use tokio::net::TcpStream;
use tokio_osc::channel::{ConnectionEvent, StreamOptions};
use tokio_osc::server::{ChannelEvent, ChannelEventKind as Kind, ChannelEvents};
use tokio_osc::{Channel, Message, Meta, Peer, Server, Slip};

use super::*;

/// The kind of an event, and the channel's name.
fn told(event: &ChannelEvent) -> String {
    let kind = match &event.kind {
        Kind::Connection(event) => format!("{event:?}"),
        kind => format!("{kind:?}"),
    };
    let name = kind.split(['(', ' ']).next().unwrap_or_default().to_lowercase();
    format!("{} {name}", event.channel)
}

async fn all(events: ChannelEvents) -> Vec<String> {
    soon(events.map(|event| told(&event)).collect()).await
}

/// A stream ends, with all that was told before.
#[tokio::test]
async fn the_events_of_a_datagram_channel_tell_its_life() {
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("udp", channel);
    let (events, mut bound) = (server.events(), server.events());
    let server = server.spawn();
    let bound = soon(async {
        loop {
            if let Kind::Bound(address) = bound.next().await.unwrap().kind {
                break address;
            }
        }
    });
    assert_eq!(bound.await, address);
    let late = server.events();
    server.shutdown().await;
    let whole = ["udp opening", "udp bound", "udp open", "udp closing", "udp closed"];
    assert_eq!(all(events).await, whole);
    assert_eq!(all(late).await, whole[3..], "from now on");
}

#[tokio::test]
async fn a_server_that_tells_its_routes_waits_for_its_first_channel_as_any_other() {
    let server = Server::new(Router::new()).events_to_routes("/osc").spawn();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    server.feed("ends", futures::stream::empty()).unwrap();
    soon(server.wait()).await;
}

/// An event that comes after reading has ended still reaches the routes.
#[tokio::test]
async fn the_end_of_a_connection_after_the_end_of_reading_is_not_missed() {
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).events_to_routes("/osc").listen("tcp", channel).spawn();
    let _peer = TcpStream::connect(address).await.unwrap();
    until(|| server.stats().connected == 1).await;
    let stats = soon(server.shutdown()).await;
    assert_eq!((stats.disconnected, stats.events_missed), (1, 0));
}

#[tokio::test]
async fn channels_that_come_and_go_and_end_tell_of_it_too() {
    let server = Server::new(Router::new()).spawn();
    let events = server.events();
    server.feed("ends", futures::stream::iter([item(("/n", ()))])).unwrap();
    soon(server.wait()).await;
    assert_eq!(all(events).await, ["ends opening", "ends open", "ends closing", "ends closed"]);
    assert_eq!(all(server.events()).await, Vec::<String>::new(), "nothing happens any more");

    let (_feed, packets) = feed();
    let server = Server::new(Router::new()).spawn();
    let events = server.events();
    server.feed("goes", packets).unwrap();
    server.remove("goes").await.unwrap();
    drop(server);
    assert_eq!(all(events).await, ["goes opening", "goes open", "goes closing", "goes closed"]);
}

#[tokio::test]
async fn a_server_that_is_dropped_tells_that_its_channels_are_closed() {
    let server = Server::new(Router::new()).listen("udp", Channel::udp(LOOPBACK).await.unwrap());
    let events = server.events();
    let server = server.spawn();
    until(|| !server.channels().is_empty()).await;
    drop(server);
    let told = all(events).await;
    assert_eq!(
        (told.first().unwrap().as_str(), told.last().unwrap().as_str()),
        ("udp opening", "udp closed")
    );
}

#[tokio::test]
async fn the_events_of_connections_tell_their_life() {
    let options = StreamOptions::default().max_connections(1);
    let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("stage", channel);
    let mut events = server.events().skip(3);
    let server = server.spawn();
    let mut next = async || told(&soon(events.next()).await.unwrap());

    let first = TcpStream::connect(address).await.unwrap();
    assert_eq!(next().await, "stage requested");
    assert_eq!(next().await, "stage accepted");
    assert_eq!(next().await, "stage connected");
    let _second = TcpStream::connect(address).await.unwrap();
    assert_eq!(next().await, "stage requested");
    assert_eq!(next().await, "stage refused");
    drop(first);
    assert_eq!(next().await, "stage disconnected");
    let stats = server.shutdown().await;
    assert_eq!((stats.connected, stats.disconnected, stats.refused), (1, 1, 1));
}

#[tokio::test]
async fn a_byte_stream_is_connected_from_the_beginning() {
    let (here, _there) = tokio::io::duplex(64);
    let server = Server::new(Router::new()).listen("pipe", Channel::io(here, Slip::new()));
    let events = server.events();
    let stats = server.spawn().shutdown().await;
    assert_eq!((stats.connected, stats.disconnected), (1, 1));
    let told = all(events).await;
    let whole = ["opening", "connected", "open", "closing", "disconnected", "closed"];
    assert_eq!(told, whole.map(|kind| format!("pipe {kind}")));
}

#[tokio::test]
async fn a_full_inbox_is_reported_once_until_it_is_half_empty() {
    let gate = Arc::new(Semaphore::new(0));
    let (feed, packets) = feed();
    let server = Server::new(waiting(&gate)).inbox(4).feed("test", packets);
    let events = server.events();
    let server = server.spawn();
    let push = |packets| (0..packets).for_each(|_| feed.unbounded_send(item(("/wait", ()))).unwrap());
    let full = |received| {
        let server = &server;
        move || (server.stats().received, server.stats().inbox) == (received, 4)
    };
    push(5);
    until(full(5)).await;
    // One goes and another comes: it is the same time still.
    gate.add_permits(1);
    push(1);
    until(full(6)).await;
    assert_eq!(server.stats().overflows, 1);
    // Two go: the next time begins.
    gate.add_permits(2);
    until(|| server.stats().inbox == 2).await;
    push(2);
    until(full(8)).await;
    assert_eq!(server.stats().overflows, 2);
    gate.add_permits(5);
    server.shutdown().await;
    let told = all(events).await;
    assert_eq!(told.iter().filter(|event| *event == "test overflow").count(), 2);
}

#[tokio::test]
async fn a_slow_reader_of_server_events_gets_the_number_it_missed() {
    let server = Server::new(Router::new()).spawn();
    let mut events = server.events();
    for _ in 0..100 {
        server.feed("test", futures::stream::pending()).unwrap();
        server.remove("test").await.unwrap();
    }
    server.shutdown().await;
    let first = events.next().await.unwrap();
    assert!(matches!(first.kind, Kind::Missed(144)) && first.channel.is_empty(), "{first:?}");
    assert_eq!(events.count().await, 256);
}

type Log = Arc<Mutex<Vec<(String, Peer, Arc<str>)>>>;

#[tokio::test]
async fn events_are_messages_to_the_servers_own_router() {
    let log = Log::default();
    let note = Arc::clone(&log);
    let router = Router::new().route("/osc/channel/*/*", move |message: Message, meta: Meta| {
        note.lock().unwrap().push((message.to_string(), meta.peer, meta.channel_name()));
    });
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router).listen("stage", channel).events_to_routes("/osc").spawn();
    let reach = async |count| until(|| log.lock().unwrap().len() == count).await;
    reach(3).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let peer = socket.local_addr().unwrap();
    reach(6).await;
    drop(socket);
    reach(7).await;
    server.remove("stage").await.unwrap();
    reach(9).await;
    let port = address.port();
    let wanted = [
        "opening ,".to_owned(),
        format!("bound ,i {port}"),
        "open ,".to_owned(),
        format!("requested ,s \"{peer}\""),
        format!("accepted ,s \"{peer}#1\""),
        format!("connected ,s \"{peer}#1\""),
        format!("disconnected ,ss \"{peer}#1\" \"closed by the peer\""),
        "closing ,".to_owned(),
        "closed ,".to_owned(),
    ];
    let log = std::mem::take(&mut *log.lock().unwrap());
    assert!(log.iter().all(|(_, peer, channel)| *peer == Peer::LOCAL && **channel == *"_events"));
    let told: Vec<_> = log.into_iter().map(|(message, ..)| message).collect();
    assert_eq!(told, wanted.map(|event| format!("/osc/channel/stage/{event}")));
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.events_missed), (9, 0));
    assert_balanced(&stats);
}

#[tokio::test]
async fn events_do_not_keep_a_server_alive_and_are_delivered_before_it_ends() {
    let log = Arc::<Mutex<Vec<String>>>::default();
    let note = Arc::clone(&log);
    let router = Router::new()
        .route("/me/channel/ends/*", move |message: Message| note.lock().unwrap().push(message.to_string()));
    let server = Server::new(router).events_to_routes("/me").feed("ends", futures::stream::empty());
    soon(server.run()).await;
    let wanted = ["opening", "open", "closing", "closed"].map(|verb| format!("/me/channel/ends/{verb} ,"));
    assert_eq!(*log.lock().unwrap(), wanted);
}

#[tokio::test]
async fn messages_about_events_are_bounded() {
    let gate = Arc::new(Semaphore::new(0));
    let (feed, packets) = feed();
    let router = waiting(&gate);
    let server = Server::new(router).inbox(1).events_to_routes("/osc").feed("busy", packets).spawn();
    feed.unbounded_send(item(("/wait", ()))).unwrap();
    feed.unbounded_send(item(("/wait", ()))).unwrap();
    until(|| server.stats().inbox == 1 && server.stats().ran > 0).await;
    // The server reads nothing while its inbox is full: 256 wait, the rest is counted.
    for _ in 0..200 {
        server.feed("guest", futures::stream::pending()).unwrap();
        server.remove("guest").await.unwrap();
    }
    let missed = server.stats().events_missed;
    assert!((540..560).contains(&missed), "{missed}");
    gate.add_permits(2);
    until(|| server.stats().inbox == 0).await;
    server.shutdown().await;
}

#[test]
#[should_panic(expected = "\"osc\" is not a literal address")]
fn a_prefix_that_is_not_a_literal_address_panics() {
    let _ = Server::new(Router::new()).events_to_routes("osc");
}

#[tokio::test]
async fn the_events_of_a_connection_say_who_it_is() {
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("stage", channel);
    let mut events = server.events();
    let server = server.spawn();
    let socket = TcpStream::connect(address).await.unwrap();
    let peer = soon(async {
        loop {
            if let Kind::Connection(ConnectionEvent::Connected(peer)) = events.next().await.unwrap().kind {
                break peer;
            }
        }
    })
    .await;
    assert_eq!(peer.address(), socket.local_addr().ok());
    assert_eq!(peer.connection().map(tokio_osc::packet::ConnectionId::get), Some(1));
    server.shutdown().await;
}
