//! Places for connections: who gives way to a new one, and who shares a limit.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{advance, sleep};
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Listener, Outlet, Refusal, StreamOptions};
use tokio_osc::codec::Codec;
use tokio_osc::{Channel, Peer, Slip};
use tokio_util::codec::Framed;

type Guest = Framed<DuplexStream, Codec<Slip>>;

/// Connections within the process, from addresses of the test's choice.
struct Door(mpsc::UnboundedReceiver<(DuplexStream, Peer)>);

impl Listener for Door {
    type Io = DuplexStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(DuplexStream, Peer)>> {
        self.0.poll_recv(cx).map(|arrived| arrived.ok_or_else(|| io::ErrorKind::BrokenPipe.into()))
    }
}

struct House {
    door: mpsc::UnboundedSender<(DuplexStream, Peer)>,
    outlet: Outlet,
    events: Events<ConnectionEvent>,
}

impl House {
    /// A channel that is read by a task.
    fn new(options: StreamOptions) -> Self {
        let (door, arrivals) = mpsc::unbounded_channel();
        let mut channel = Channel::listen_on(Door(arrivals), Slip::new(), options);
        let (outlet, events) = (channel.outlet(), channel.events());
        tokio::spawn(async move { while channel.recv().await.is_some() {} });
        Self { door, outlet, events }
    }

    /// A new connection, and what was decided.
    async fn arrive(&mut self, from: &str) -> (Guest, Result<Peer, Refusal>) {
        let (here, there) = duplex(1_024);
        self.door.send((here, Peer::from(from.parse::<SocketAddr>().unwrap()))).unwrap();
        loop {
            let decided = match self.events.recv().await.unwrap() {
                ConnectionEvent::Connected(peer) => Ok(peer),
                ConnectionEvent::Refused { reason, .. } => Err(reason),
                _ => continue,
            };
            return (Framed::new(there, Codec::new(Slip::new())), decided);
        }
    }
}

fn address(n: usize) -> String {
    format!("10.0.{}.{}:9000", n / 250, n % 250 + 1)
}

/// 500 connections that have sent one good packet and are silent since hold all places.
#[tokio::test(start_paused = true)]
async fn a_full_house_of_idle_connections_lets_a_new_one_in_and_the_longest_idle_leaves() {
    let mut house = House::new(StreamOptions::default());
    let mut guests = Vec::new();
    for n in 0..500 {
        let (mut guest, decided) = house.arrive(&address(n)).await;
        guest.send(("/hello", ())).await.unwrap();
        guests.push((guest, decided.unwrap()));
        sleep(Duration::from_millis(1)).await;
    }
    let (_late, refused) = house.arrive("192.0.2.1:9000").await;
    assert_eq!(refused.unwrap_err(), Refusal::TooMany, "none has been idle for a minute");

    sleep(Duration::from_secs(60)).await;
    // The first one speaks again: the second is now the one that was idle longest.
    guests[0].0.send(("/hello", ())).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    let mut events = house.outlet.events();
    let (mut newcomer, decided) = house.arrive("192.0.2.1:9000").await;
    let newcomer_peer = decided.unwrap();
    let gone = loop {
        if let ConnectionEvent::Disconnected { peer, reason } = events.recv().await.unwrap() {
            assert!(matches!(reason, Disconnect::GaveWay), "{reason}");
            break peer;
        }
    };
    assert_eq!(gone, guests[1].1);
    assert_eq!(house.outlet.connections().len(), 500);
    house.outlet.send_to(newcomer_peer, ("/welcome", ())).await.unwrap();
    assert_eq!(newcomer.next().await.unwrap().unwrap().unwrap().to_string(), "/welcome ,");
    assert!(guests[1].0.next().await.is_none(), "its connection was closed");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_only_pushed_to_is_not_idle() {
    let mut house = House::new(StreamOptions::default().max_connections(2));
    let (mut pushed_to, first) = house.arrive(&address(1)).await;
    let (_silent, second) = house.arrive(&address(2)).await;
    for _ in 0..4 {
        advance(Duration::from_secs(20)).await;
        house.outlet.send_to(first.unwrap(), ("/push", ())).await.unwrap();
        pushed_to.next().await.unwrap().unwrap().unwrap();
    }
    let (_new, decided) = house.arrive(&address(3)).await;
    assert!(decided.is_ok());
    let open = house.outlet.connections();
    assert!(open.contains(&first.unwrap()) && !open.contains(&second.unwrap()), "{open:?}");
}

#[tokio::test(start_paused = true)]
async fn connections_that_never_give_way_keep_their_places() {
    let options = StreamOptions::default().max_connections(1).idle_gives_way(None);
    let mut house = House::new(options);
    let (_guest, _) = house.arrive(&address(1)).await;
    advance(Duration::from_secs(1_000_000)).await;
    let (_new, decided) = house.arrive(&address(2)).await;
    assert_eq!(decided.unwrap_err(), Refusal::TooMany);
}

#[tokio::test(start_paused = true)]
async fn a_network_of_ipv6_is_one_peer_and_its_idle_connections_make_room_for_its_new_ones() {
    let mut house = House::new(StreamOptions::default().max_connections_per_address(2));
    let mut guests = Vec::new();
    for host in 1..=2 {
        guests.push(house.arrive(&format!("[2001:db8:0:1::{host}]:9000")).await.0);
    }
    let third = house.arrive("[2001:db8:0:1:ffff::3]:9000").await;
    assert_eq!(third.1.unwrap_err(), Refusal::TooManyFromAddress);
    let (_other, decided) = house.arrive("[2001:db8:0:2::1]:9000").await;
    assert!(decided.is_ok(), "another network");
    sleep(Duration::from_secs(60)).await;
    let (_fourth, decided) = house.arrive("[2001:db8:0:1::4]:9000").await;
    assert!(decided.is_ok());
    assert_eq!(house.outlet.connections().len(), 3);
    // One connection of the network has given way.
    assert!(guests[0].next().await.is_none());

    let mut house = House::new(StreamOptions::default().max_connections_per_address(1).ipv6_prefix(128));
    let (_one, decided) = house.arrive("[2001:db8::1]:9000").await;
    assert!(decided.is_ok());
    let (_two, decided) = house.arrive("[2001:db8::2]:9000").await;
    assert!(decided.is_ok());
    assert_eq!(house.arrive("[2001:db8::2]:9001").await.1.unwrap_err(), Refusal::TooManyFromAddress);
}
