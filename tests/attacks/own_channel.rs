//! Handlers that ask by their own channel while its inbox is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_osc::dispatch::on;
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Args, Channel, Client, Router, Server, Shutdown};

/// A device that takes its time for an answer.
async fn device() -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 64];
        let pong = ("/pong", 1).into_packet().unwrap().into_bytes();
        loop {
            let (_, from) = socket.recv_from(&mut buffer).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            socket.send_to(&pong, from).await.unwrap();
        }
    });
    address
}

/// How many requests by its own channel are answered in 2 s, and how many are not, while a peer floods.
async fn asked(handler_in_lane: bool) -> (usize, usize) {
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let flooded = channel.local_addr().unwrap();
    let client = channel.client_to(device().await).unwrap();
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let counted = Arc::clone(&counts);
    let ask = on(move |Args(_): Args<i32>| {
        let (client, counted) = (client.clone(), Arc::clone(&counted));
        async move {
            let answer = client.request(("/ping", 1), "/pong").timeout(Duration::from_secs(1)).await;
            counted[usize::from(answer.is_err())].fetch_add(1, Ordering::Relaxed);
        }
    });
    let router = Router::new().route("/ask", if handler_in_lane { ask.on_task(4) } else { ask });
    let server = Server::new(router).inbox(16).listen("udp", channel).spawn();
    let peer = Client::udp(flooded).await.unwrap();
    let flood = async {
        loop {
            for n in 0..5 {
                peer.send(("/ask", n)).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), flood).await;
    let [answered, failed] = [0, 1].map(|count: usize| counts[count].load(Ordering::Relaxed));
    // The numbers of a server that runs are read one after the other, while it counts on.
    let stats = server.shutdown_with(Shutdown::new().deadline(Duration::from_secs(5))).await.server;
    assert_eq!(stats.received, stats.ran + stats.dropped(), "the accounts add up");
    println!("{answered} answered, {failed} not");
    (answered, failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_asks_by_its_own_channel_is_answered_while_the_inbox_is_full() {
    let (answered, failed) = asked(false).await;
    assert!(answered >= 50 && failed == 0, "{answered} answered, {failed} not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_in_a_lane_that_asks_by_its_own_channel_is_answered_while_the_inbox_is_full() {
    let (answered, failed) = asked(true).await;
    assert!(answered >= 50 && failed == 0, "{answered} answered, {failed} not");
}
