//! What a forged address can make a server send, and what a peer can make it believe.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Channel, Client, Router, Server};

/// Datagrams that come back for two questions of 8 bytes, and replies that were dropped.
async fn caused_by_8_bytes(limited: impl FnOnce(Server) -> Server) -> (usize, u64) {
    let router = Router::new().route("/q", || vec![("/answer", "x".repeat(1_000)); 64]);
    let router = router.route("/s", || vec![("/answer", "x".repeat(80)); 64]);
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = limited(Server::new(router)).listen("udp", channel).spawn();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut datagrams = 0;
    for (handled, question) in ["/q", "/s"].into_iter().enumerate() {
        let question = (question, ()).into_packet().unwrap().into_bytes();
        assert_eq!(question.len(), 8);
        socket.send_to(&question, address).await.unwrap();
        while server.stats().handled <= handled as u64 {
            tokio::task::yield_now().await;
        }
        let mut buffer = [0; 2_048];
        while let Ok(received) =
            tokio::time::timeout(Duration::from_millis(50), socket.recv(&mut buffer)).await
        {
            assert!(received.is_ok());
            datagrams += 1;
        }
    }
    (datagrams, server.shutdown().await.replies_dropped)
}

#[tokio::test]
async fn a_datagram_causes_a_bounded_multiple_of_its_bytes() {
    let (datagrams, dropped) = caused_by_8_bytes(|server| server.reply_amplification(64)).await;
    assert_eq!((datagrams, dropped), (5, 64 + 59), "512 bytes: 5 replies of 96, and none of 1,016");
    let (datagrams, dropped) = caused_by_8_bytes(|server| server).await;
    assert_eq!((datagrams, dropped), (128, 0), "a packet from this host has no victim elsewhere");
}

#[tokio::test]
async fn a_peer_cannot_make_up_an_event() {
    for allowed in [false, true] {
        let (events, others) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let count = |count: &Arc<AtomicUsize>| {
            let count = Arc::clone(count);
            move || {
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        let router = Router::new()
            .route("/osc/channel/u/overflow", count(&events))
            .route("/osc/channel/*/overflow", count(&events))
            .route("//overflow", count(&others));
        let server = Server::new(router).events_to_routes("/osc");
        let server = if allowed { server.events_of_peers() } else { server };
        let channel = Channel::udp("127.0.0.1:0").await.unwrap();
        let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
        let server = server.listen("u", channel).spawn();
        let forged =
            ["/osc/channel/u/overflow", "/osc/channel/*/overflow", "//overflow", "/*/*/u/over{flow,}"];
        for address in forged {
            client.send((address, ())).await.unwrap();
        }
        while server.report().channel("u").unwrap().ran < 4 {
            tokio::task::yield_now().await;
        }
        let heard = [&events, &others].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(heard, if allowed { [8, 4] } else { [0, 4] });
        let _ = server.shutdown().await;
    }
}

#[tokio::test]
async fn events_of_the_server_itself_reach_their_routes() {
    let (opened, mut open) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().route("/osc/channel/*/open", move || opened.send(()).unwrap());
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let server = Server::new(router).events_to_routes("/osc").listen("u", channel).spawn();
    assert!(open.recv().await.is_some());
    let _ = server.shutdown().await;
}
