//! X. Action handlers: what happens to channels.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_osc::{
    Args, Bundle, Captures, Channel, ChannelEvent, ChannelEventKind, Client, ConnectionEvent, Flow, Message,
    Router, Server, Slip, State, TimeTag, Udp, on_packet_in,
};

use super::LOOPBACK;

fn verb(event: &ChannelEvent) -> &'static str {
    match event.kind {
        ChannelEventKind::Opening => "opening",
        ChannelEventKind::Bound(_) => "bound",
        ChannelEventKind::Open => "open",
        ChannelEventKind::Closing => "closing",
        ChannelEventKind::Closed => "closed",
        _ => "other",
    }
}

/// A function that is told the channel, the verb and what belongs to it; and several may listen.
#[tokio::test]
async fn x01_events_have_a_channel_and_a_kind_for_whoever_listens() {
    let server = Server::new(Router::new()).listen("stage", Channel::udp(LOOPBACK).await.unwrap());
    let (one, other) = (server.events(), server.events());
    let server = server.spawn();
    for mut events in [one, other] {
        let event = events.next().await.unwrap();
        assert_eq!((&*event.channel, verb(&event)), ("stage", "opening"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn x02_events_are_messages_to_the_own_router() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let router = Router::with_state(told).route(
        "/osc/channel/*/{bound,open}",
        |State(told): State<mpsc::UnboundedSender<String>>, message: Message| {
            told.send(message.to_string()).unwrap();
        },
    );
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let port = channel.local_addr().unwrap().port();
    let server = Server::new(router).events_to_routes("/osc").listen("stage", channel).spawn();
    assert_eq!(heard.recv().await.unwrap(), format!("/osc/channel/stage/bound ,i {port}"));
    assert_eq!(heard.recv().await.unwrap(), "/osc/channel/stage/open ,");
    server.shutdown().await;
}

#[tokio::test]
async fn x03_a_channel_opens_and_closes_in_this_order() {
    let server = Server::new(Router::new()).listen("stage", Channel::udp(LOOPBACK).await.unwrap());
    let events = server.events();
    server.spawn().shutdown().await;
    let all: Vec<_> = events.map(|event| verb(&event)).collect().await;
    assert_eq!(all, ["opening", "bound", "open", "closing", "closed"]);
}

/// Options of a packet, which only such a function can set there.
#[tokio::test]
async fn x05_a_hook_changes_what_becomes_of_time_tags() {
    let hook = on_packet_in(|packet, meta| {
        meta.time.honor_time_tags = Some(false);
        Flow::Pass(packet)
    });
    let channel = Udp::new(LOOPBACK).middleware(hook).bind().await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("hasty", channel).spawn();
    let in_an_hour = Bundle::at(TimeTag::after(Duration::from_secs(3_600)));
    client.request(in_an_hour.with(("/ping", 7)), "/pong").await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn x06_the_bound_address_is_told() {
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("stage", channel);
    let mut events = server.events();
    let server = server.spawn();
    loop {
        if let ChannelEventKind::Bound(bound) = events.next().await.unwrap().kind {
            assert_eq!(bound, address);
            break;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn x08_connections_are_told() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let router = Router::with_state(told).route(
        "/osc/channel/*/connected",
        |State(told): State<mpsc::UnboundedSender<String>>,
         Captures(channel): Captures<String>,
         Args(peer): Args<String>| told.send(format!("{channel} {peer}")).unwrap(),
    );
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router).events_to_routes("/osc").listen("stage", channel);
    let mut events = server.events();
    let server = server.spawn();
    let client = Client::tcp(address, Slip::new()).await.unwrap();
    let peer = loop {
        let event = events.next().await.unwrap();
        if let ChannelEventKind::Connection(ConnectionEvent::Connected(peer)) = event.kind {
            break peer;
        }
    };
    assert_eq!(peer.address(), Some(client.local_addr().unwrap()));
    assert_eq!(heard.recv().await.unwrap(), format!("stage {peer}"));
    server.shutdown().await;
}
