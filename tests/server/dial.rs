//! A channel that dials out: it connects again, and packets go both ways on each connection.

use std::io;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio_osc::channel::{Connect, ConnectionEvent, Dial};
use tokio_osc::codec::Codec;
use tokio_osc::{Args, Channel, Router, Server, Slip};
use tokio_util::codec::Framed;

use crate::support::unused_address;

type Console = Framed<DuplexStream, Codec<Slip>>;

/// Opens pipes whose other ends come out of the receiver, after this number of failed attempts.
fn pipes(refusals: usize) -> (impl Connect<Io = DuplexStream>, mpsc::UnboundedReceiver<Console>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut left = refusals;
    let connect = move || {
        let refused = left > 0;
        left = left.saturating_sub(1);
        let (here, there) = duplex(1_024);
        let sent = !refused && sender.send(Framed::new(there, Codec::new(Slip::new()))).is_ok();
        async move { if sent { Ok(here) } else { Err(io::ErrorKind::ConnectionRefused.into()) } }
    };
    (connect, receiver)
}

fn dial<C: Connect>(connect: C) -> Dial<C, Slip> {
    Channel::reconnecting_with(connect, Slip::new())
}

fn ping() -> Router {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

async fn line(console: &mut Console) -> String {
    console.next().await.unwrap().unwrap().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_dials_out_connects_again_greets_and_answers_each_time() {
    let (connect, mut consoles) = pipes(0);
    let channel = dial(connect).on_connect(("/subscribe", ())).on_connect(("/state", 1)).open().unwrap();
    let mut events = channel.events();
    let server = Server::new(ping()).listen("desk", channel).spawn();
    for round in 1..=3 {
        let mut console = consoles.recv().await.unwrap();
        assert_eq!(line(&mut console).await, "/subscribe ,");
        assert_eq!(line(&mut console).await, "/state ,i 1");
        console.send(("/ping", round)).await.unwrap();
        assert_eq!(line(&mut console).await, format!("/pong ,i {round}"));
        drop(console);
    }
    let mut connections = Vec::new();
    while connections.len() < 6 {
        match events.recv().await.unwrap() {
            ConnectionEvent::Connected(peer) => connections.push((true, peer.connection())),
            ConnectionEvent::Disconnected { peer, .. } => connections.push((false, peer.connection())),
            _ => {}
        }
    }
    let (connected, ids): (Vec<_>, Vec<_>) = connections.into_iter().unzip();
    assert_eq!(connected, [true, false, true, false, true, false]);
    assert_eq!((ids[0], ids[2]), (ids[1], ids[3]));
    assert_ne!(ids[1], ids[2], "each connection has a number of its own");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_off_is_tried_after_pauses_that_double_up_to_the_longest() {
    let (connect, mut consoles) = pipes(5);
    let channel = dial(connect).backoff(Duration::from_secs(1), Duration::from_secs(4)).open().unwrap();
    let mut events = channel.events();
    let server = Server::new(ping()).listen("desk", channel).spawn();
    let mut pauses = Vec::new();
    let connected = loop {
        match events.recv().await.unwrap() {
            ConnectionEvent::ConnectFailed { error, retry_in } => {
                assert_eq!(error, io::ErrorKind::ConnectionRefused);
                pauses.push(retry_in);
            }
            ConnectionEvent::Connected(peer) => break peer,
            _ => {}
        }
    };
    for (pause, whole) in pauses.iter().zip([1, 2, 4, 4, 4].map(Duration::from_secs)) {
        assert!((whole / 2..=whole).contains(pause), "{pauses:?}");
    }
    assert_eq!(pauses.len(), 5);
    assert!(connected.connection().is_some());
    let mut console = consoles.recv().await.unwrap();
    console.send(("/ping", 7)).await.unwrap();
    assert_eq!(line(&mut console).await, "/pong ,i 7");
    assert_eq!(server.shutdown().await.accept_failures, 5);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_at_once_is_not_dialled_without_a_pause() {
    let (connect, mut consoles) = pipes(0);
    let server = Server::new(ping()).listen("desk", dial(connect).open().unwrap()).spawn();
    let begin = tokio::time::Instant::now();
    for _ in 0..8 {
        drop(consoles.recv().await.unwrap());
    }
    // 0.1 + 0.2 + … + 6.4 s, each at least halved.
    assert!(begin.elapsed() >= Duration::from_millis(6_350), "{:?}", begin.elapsed());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_pushes_at_once_is_handled() {
    let (connect, mut consoles) = pipes(0);
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let router = Router::new().route("/push", move |Args(n): Args<i32>| heard.send(n).unwrap());
    let server = Server::new(router).listen("desk", dial(connect).open().unwrap()).spawn();
    let mut console = consoles.recv().await.unwrap();
    for n in 0..100 {
        console.send(("/push", n)).await.unwrap();
    }
    drop(console);
    for n in 0..100 {
        assert_eq!(hearing.recv().await, Some(n));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_channel_dials_a_tcp_peer_that_starts_late_and_restarts() {
    let address = unused_address();
    let fast = Duration::from_millis(5);
    let dialled = Channel::reconnecting(address, Slip::new()).backoff(fast, fast).open().unwrap();
    let mut events = dialled.events();
    let server = Server::new(ping()).listen("desk", dialled).spawn();
    let failed = events.recv().await.unwrap();
    assert!(matches!(failed, ConnectionEvent::ConnectFailed { .. }), "{failed:?}");
    for round in 0..3 {
        let mut console = Channel::tcp(address, Slip::new()).await.unwrap();
        let mut dialled = console.events();
        let pushing = console.outlet();
        let push = async {
            loop {
                if let ConnectionEvent::Connected(peer) = dialled.recv().await.unwrap() {
                    return pushing.send_to(peer, ("/ping", round)).await.unwrap();
                }
            }
        };
        let (answer, ()) = tokio::join!(console.recv(), push);
        let (answer, meta) = answer.unwrap();
        assert_eq!(answer.unwrap().to_string(), format!("/pong ,i {round}"));
        assert!(meta.peer.address().is_some());
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_connect_function_that_panics_has_failed_to_connect_and_is_called_again() {
    let (mut connect, mut consoles) = pipes(0);
    let mut calls = 0;
    let panicking = move || {
        calls += 1;
        assert!(calls != 1, "in the function");
        let connecting = connect.connect(&tokio_osc::channel::StreamOptions::default());
        async move {
            assert!(calls != 2, "in the future");
            connecting.await
        }
    };
    let channel = dial(panicking).open().unwrap();
    let mut events = channel.events();
    let server = Server::new(ping()).listen("desk", channel).spawn();
    for _ in 0..2 {
        let failed = events.recv().await.unwrap();
        let other = io::ErrorKind::Other;
        assert!(
            matches!(failed, ConnectionEvent::ConnectFailed { error, .. } if error == other),
            "{failed:?}"
        );
    }
    // The pipe of the call whose future panicked came first.
    let (_gone, mut console) = (consoles.recv().await.unwrap(), consoles.recv().await.unwrap());
    console.send(("/ping", 7)).await.unwrap();
    assert_eq!(line(&mut console).await, "/pong ,i 7");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_reconnecting_client_outlives_a_panic_of_its_connect_function() {
    let (mut connect, mut consoles) = pipes(0);
    let mut calls = 0;
    let panicking = move || {
        calls += 1;
        assert!(calls != 1, "the first time");
        connect.connect(&tokio_osc::channel::StreamOptions::default())
    };
    let client = tokio_osc::Client::reconnecting_with(panicking, Slip::new()).spawn().unwrap();
    client.send(("/scene", 3)).await.unwrap();
    assert_eq!(line(&mut consoles.recv().await.unwrap()).await, "/scene ,i 3");
    drop(client);
}
