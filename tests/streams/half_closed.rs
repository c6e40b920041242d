//! A peer that has said all it has to say, and still listens: it gets the answers.
#![cfg(feature = "net")]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_osc::channel::{ConnectionEvent, Disconnect};
use tokio_osc::{Channel, Router, Server, Slip, State};

const PING: &[u8] = b"\xc0/ping\0\0\0,\0\0\0\xc0";
const PONG: &[u8] = b"\xc0/pong\0\0\0,i\0\0\0\0\0\x07\xc0";

/// Answers on a signal.
fn slow_router(go: &Arc<Notify>) -> Router<Arc<Notify>> {
    let answer = |State(go): State<Arc<Notify>>| async move {
        go.notified().await;
        ("/pong", 7)
    };
    Router::with_state(Arc::clone(go)).route("/ping", answer)
}

#[tokio::test]
async fn a_peer_that_sends_nothing_more_gets_the_answers_to_what_it_sent() {
    let go = Arc::new(Notify::new());
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let (address, outlet, mut events) = (channel.local_addr().unwrap(), channel.outlet(), channel.events());
    let server = Server::new(slow_router(&go)).listen("stage", channel).spawn();

    let mut peer = TcpStream::connect(address).await.unwrap();
    while !matches!(events.next().await.unwrap(), ConnectionEvent::Connected(_)) {}
    peer.write_all(&[PING, PING].concat()).await.unwrap();
    peer.shutdown().await.unwrap();
    while server.stats().received < 2 {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    let mut answer = vec![0; PONG.len()];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, PONG, "the first");
    assert_eq!(outlet.connections().len(), 1, "the second is still due");
    go.notify_one();
    answer.clear();
    peer.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, PONG, "the second, and then the end");
    let ConnectionEvent::Disconnected { reason, .. } = events.next().await.unwrap() else { panic!() };
    assert!(matches!(reason, Disconnect::ByPeer), "{reason}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_peer_that_closes_its_connection_is_not_a_failure() {
    let go = Arc::new(Notify::new());
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let (address, mut events) = (channel.local_addr().unwrap(), channel.events());
    let server = Server::new(slow_router(&go)).listen("stage", channel).spawn();
    let mut peer = TcpStream::connect(address).await.unwrap();
    while !matches!(events.next().await.unwrap(), ConnectionEvent::Connected(_)) {}
    peer.write_all(PING).await.unwrap();
    drop(peer);
    go.notify_one();
    let ConnectionEvent::Disconnected { reason, .. } = events.next().await.unwrap() else { panic!() };
    assert!(matches!(reason, Disconnect::ByPeer), "{reason}");
    server.shutdown().await;
}

/// With nothing to answer the connection ends at once; else after 10 s.
#[tokio::test(start_paused = true)]
async fn a_half_closed_peer_is_waited_for_ten_seconds_at_most() {
    for (packets, patience) in [(&b""[..], Duration::ZERO), (PING, Duration::from_secs(10))] {
        let (here, mut there) = duplex(1_024);
        let server = Server::new(slow_router(&Arc::default())).listen("pipe", Channel::io(here, Slip::new()));
        let server = server.spawn();
        there.write_all(packets).await.unwrap();
        there.shutdown().await.unwrap();
        let start = Instant::now();
        assert_eq!(there.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        let waited = start.elapsed();
        assert!(waited >= patience && waited < patience + Duration::from_millis(100), "{waited:?}");
        drop(server);
    }
}
