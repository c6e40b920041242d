//! Connections that are cut, reset, stalled or carried in pieces, and either side starting again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, StreamOptions};
use tokio_osc::client::ClientState;
use tokio_osc::codec::{Detect, Framing};
use tokio_osc::packet::Overflow;
use tokio_osc::{
    Args, Bytes, Channel, Client, LengthPrefix, Peer, Router, Server, ServerHandle, Slip, State,
};

use super::Seen;
use crate::support::network::Dice;
use crate::support::network::streams::TcpNetwork;
use crate::support::{LOOPBACK, ms, until};

const SOON: Duration = Duration::from_secs(10);

/// A server that notes the numbers it is sent.
async fn serve(seen: &Seen) -> (ServerHandle, SocketAddr) {
    let router = Router::with_state(Arc::clone(seen))
        .route("/n", |State(seen): State<Seen>, Args(n): Args<i32>| seen.lock().unwrap().push(n))
        .route("/alive", || ("/yes", ()));
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    (Server::new(router).listen("tcp", channel).spawn(), address)
}

/// Notices a silent peer soon.
fn impatient() -> StreamOptions {
    StreamOptions::default().idle_timeout(Some(ms(200)))
}

async fn reaches(states: &mut Events<ClientState>, reached: impl Fn(&ClientState) -> bool) {
    let reaching = async { while !reached(&states.next().await.unwrap()) {} };
    timeout(SOON, reaching).await.expect("the client gets there");
}

#[tokio::test]
async fn each_message_of_a_reconnecting_client_is_delivered_once_in_order_or_reported_lost() {
    let seen = Seen::default();
    let (mut server, address) = serve(&seen).await;
    let network = TcpNetwork::to(address, 1).await;
    let client = Client::reconnecting(network.addr, Slip::new())
        .options(impatient())
        .backoff(ms(1), ms(10))
        .keep_alive(ms(30), ("/alive", ()))
        .overflow(Overflow::Wait)
        .spawn()
        .unwrap();
    let mut dice = Dice::new(1);
    let mut accepted = 0;
    for round in 0..18 {
        network.cut_up([0, 5, 100][dice.roll(3)], Duration::ZERO);
        // Half of the rounds, all of them arrive before the next fault; otherwise it comes while they are sent.
        let in_peace = dice.chance(50);
        if in_peace {
            in_touch(&client).await;
        }
        let first = accepted;
        for _ in 0..dice.roll(200) {
            client.send(("/n", accepted)).await.unwrap();
            accepted += 1;
            if dice.chance(10) {
                tokio::task::yield_now().await;
            }
        }
        if in_peace {
            in_touch(&client).await;
            let seen = seen.lock().unwrap();
            assert!(
                (first..accepted).eq(seen.iter().copied().filter(|n| *n >= first)),
                "{first} to {accepted}"
            );
        }
        match round % 6 {
            0 => network.reset(),
            1 => {
                // Half open: only silence tells.
                let mut states = client.states();
                reaches(&mut states, |state| matches!(state, ClientState::Connected)).await;
                network.cut();
                let silent =
                    |state: &_| matches!(state, ClientState::Waiting { reason: Disconnect::IdleTimeout, .. });
                reaches(&mut states, silent).await;
                network.heal();
            }
            2 => {
                network.stall();
                for _ in 0..100 {
                    client.send(("/n", accepted)).await.unwrap();
                    accepted += 1;
                }
                network.heal();
            }
            3 => drop(std::mem::replace(&mut server, restarted(&network, &seen).await)),
            4 => _ = std::mem::replace(&mut server, restarted(&network, &seen).await).shutdown().await,
            // The server is away for some attempts.
            _ => {
                server.shutdown().await;
                let waits = |state: &_| matches!(state, ClientState::Waiting { .. });
                reaches(&mut client.states(), waits).await;
                server = restarted(&network, &seen).await;
            }
        }
    }
    client.close().await.unwrap();
    server.shutdown().await;
    let delivery = client.delivery().unwrap();
    let seen = seen.lock().unwrap();
    let lost = accepted as usize - seen.len();
    println!("{delivery:?}, {lost} lost");
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "once each, and in order");
    // Besides the numbers, the requests.
    assert!(delivery.accepted >= accepted as u64);
    assert_eq!((delivery.accepted, delivery.queued), (delivery.sent + delivery.dropped, 0));
    assert!(lost as u64 <= delivery.unconfirmed + delivery.dropped, "{lost} lost");
}

/// Returns when the server has read the packets before it.
async fn in_touch(client: &Client) {
    client.request(("/alive", ()), "/yes").timeout(ms(500)).retries(20).await.unwrap();
}

async fn restarted(network: &TcpNetwork, seen: &Seen) -> ServerHandle {
    let (server, address) = serve(seen).await;
    network.move_to(address);
    server
}

async fn ended_by_silence(events: &mut Events<ConnectionEvent>) {
    let ended = async {
        let silent =
            |event| matches!(event, ConnectionEvent::Disconnected { reason: Disconnect::IdleTimeout, .. });
        while !silent(events.next().await.unwrap()) {}
    };
    timeout(SOON, ended).await.expect("a connection that is half open is found");
}

/// A console that accepts connections, and a desk that dials it.
struct Desk {
    server: ServerHandle,
    outlet: tokio_osc::channel::Outlet,
    events: Events<ConnectionEvent>,
}

impl Desk {
    fn new(console: SocketAddr) -> Self {
        let channel = Channel::reconnecting(console, Slip::new())
            .options(impatient())
            .backoff(ms(1), ms(10))
            .on_connect(("/subscribe", ()))
            .open()
            .unwrap();
        let (outlet, events) = (channel.outlet(), channel.events());
        let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
        Self { server: Server::new(router).listen("console", channel).spawn(), outlet, events }
    }
}

async fn console() -> (Channel, SocketAddr) {
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    (channel, address)
}

async fn next(channel: &mut Channel) -> (String, Peer) {
    let (packet, meta) = timeout(SOON, channel.next()).await.expect("a packet comes").unwrap();
    (packet.unwrap().to_string(), meta.peer)
}

#[tokio::test]
async fn a_channel_that_dials_out_survives_partitions_and_restarts_of_either_side() {
    let (mut peer, address) = console().await;
    let network = TcpNetwork::to(address, 2).await;
    let mut desk = Desk::new(network.addr);
    for round in 0..15 {
        // Each connection begins with the greeting, and works in both directions.
        let (greeting, from) = next(&mut peer).await;
        assert_eq!(greeting, "/subscribe ,", "round {round}");
        for n in 0..20 {
            peer.send_to(from, ("/ping", n)).await.unwrap();
            assert_eq!(next(&mut peer).await.0, format!("/pong ,i {n}"));
        }
        assert_eq!(desk.outlet.broadcast(("/news", round)).unwrap().sent, 1);
        assert_eq!(next(&mut peer).await.0, format!("/news ,i {round}"));
        match round % 5 {
            0 => network.reset(),
            1 => {
                network.cut();
                ended_by_silence(&mut desk.events).await;
                assert_eq!(desk.outlet.broadcast(("/unheard", ())).unwrap().sent, 0, "no connection");
                network.heal();
                network.reset();
            }
            2 => {
                desk.server.shutdown().await;
                desk = Desk::new(network.addr);
            }
            3 => {
                drop(peer);
                let address;
                (peer, address) = console().await;
                network.move_to(address);
            }
            _ => {
                drop(std::mem::replace(&mut desk, Desk::new(network.addr)));
            }
        }
    }
    desk.server.shutdown().await;
}

/// Bytes that SLIP escapes, and some that it does not.
fn blob(dice: &mut Dice, most: usize) -> Bytes {
    (0..dice.roll(most)).map(|_| [0xc0, 0xdb, 0xdc, 0xdd, 0, 7][dice.roll(6)]).collect()
}

async fn echoes_through_pieces(client_framing: impl Framing, server_framing: impl Framing) {
    const SENT: i32 = 60;
    let channel = Channel::tcp(LOOPBACK, server_framing).await.unwrap();
    let network = TcpNetwork::to(channel.local_addr().unwrap(), 3).await;
    let router = Router::new().route("/echo", |Args((n, blob)): Args<(i32, Bytes)>| ("/echoed", (n, blob)));
    let server = Server::new(router).listen("tcp", channel).spawn();
    let client = Client::tcp(network.addr, client_framing).await.unwrap();
    let mut echoes = client.subscribe("/echoed");
    for (pieces, delay) in [(1, Duration::ZERO), (7, Duration::ZERO), (900, ms(1))] {
        network.cut_up(pieces, delay);
        let mut dice = Dice::new(pieces as u64);
        let blobs: Vec<_> = (0..SENT).map(|_| blob(&mut dice, 200)).collect();
        let sending = async {
            for (n, blob) in (0..).zip(&blobs) {
                client.send(("/echo", (n, blob.clone()))).await.unwrap();
            }
        };
        let hearing = async {
            for (n, blob) in (0..).zip(&blobs) {
                let echo: (i32, Bytes) = echoes.recv().await.unwrap().parse().unwrap();
                assert_eq!(echo, (n, blob.clone()));
            }
        };
        timeout(SOON, async { tokio::join!(sending, hearing) }).await.expect("everything comes back");
    }
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.malformed), (3 * SENT as u64, 0));
}

#[tokio::test]
async fn slip_streams_are_whole_in_any_pieces() {
    echoes_through_pieces(Slip::new(), Slip::new()).await;
}

#[tokio::test]
async fn length_prefix_streams_are_whole_in_any_pieces() {
    echoes_through_pieces(LengthPrefix::new(), LengthPrefix::new()).await;
}

#[tokio::test]
async fn the_framing_is_detected_in_any_pieces() {
    echoes_through_pieces(Slip::new(), Detect::new()).await;
    echoes_through_pieces(LengthPrefix::new(), Detect::new()).await;
}

/// A peer that is gone silently holds its place until the idle timeout.
#[tokio::test]
async fn a_server_finds_a_connection_that_is_half_open() {
    let channel = Channel::tcp_with(LOOPBACK, Slip::new(), impatient()).await.unwrap();
    let network = TcpNetwork::to(channel.local_addr().unwrap(), 4).await;
    let (outlet, mut events) = (channel.outlet(), channel.events());
    let server = Server::new(Router::new().route("/ping", || ("/pong", ()))).listen("tcp", channel).spawn();
    let client = Client::tcp(network.addr, Slip::new()).await.unwrap();
    client.request(("/ping", ()), "/pong").await.unwrap();
    assert_eq!(outlet.connections().len(), 1);
    network.cut();
    client.send(("/ping", ())).await.unwrap();
    ended_by_silence(&mut events).await;
    until(|| outlet.connections().is_empty()).await;
    assert_eq!(server.shutdown().await.received, 1);
}
