//! Channels that are not read for a while, and keep their sockets.

use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::duplex;
use tokio_osc::channel::{ConnectionEvent, StreamOptions};
use tokio_osc::codec::Codec;
use tokio_osc::{Args, Channel, Client, Router, Server, Slip};
use tokio_util::codec::Framed;

fn ping() -> Router {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

#[tokio::test]
async fn a_paused_udp_channel_keeps_its_port_and_datagrams_wait_for_resume() {
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let (address, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let server = Server::new(ping()).listen("udp", channel).spawn();
    let client = Client::udp(address).await.unwrap();
    client.request(("/ping", 1), "/pong").await.unwrap();

    outlet.pause();
    assert!(outlet.is_paused());
    let mut pongs = client.subscribe("/pong");
    client.send_all([("/ping", 2), ("/ping", 3)]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.stats().received, 1);
    outlet.resume();
    assert_eq!(pongs.recv().await.unwrap().parse::<i32>().unwrap(), 2);
    assert_eq!(pongs.recv().await.unwrap().parse::<i32>().unwrap(), 3);

    outlet.pause();
    assert_eq!(server.shutdown().await.received, 3, "a paused channel does not hold up a shutdown");
}

/// The idle timeout does not run either: packets that are not read are not late.
#[tokio::test(start_paused = true)]
async fn a_paused_connection_is_not_read_and_stays_and_is_sent_to() {
    let options = StreamOptions::default().idle_timeout(Some(Duration::from_secs(5)));
    let (here, there) = duplex(64);
    let mut channel = Channel::io_with(here, Slip::new(), options);
    let (outlet, mut events) = (channel.outlet(), channel.events());
    let mut peer = Framed::new(there, Codec::new(Slip::new()));
    let peer_of_channel = outlet.connections()[0];
    let (received, mut receiving) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((packet, _)) = channel.recv().await {
            received.send(packet.unwrap().to_string()).unwrap();
        }
    });
    peer.send(("/a", 1)).await.unwrap();
    assert_eq!(receiving.recv().await.unwrap(), "/a ,i 1");

    outlet.pause();
    peer.send(("/a", 2)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(receiving.try_recv().is_err());
    outlet.send_to(peer_of_channel, ("/push", ())).await.unwrap();
    assert_eq!(peer.next().await.unwrap().unwrap().unwrap().to_string(), "/push ,");
    assert!(events.recv().now_or_never().is_none(), "the connection is still there");

    outlet.resume();
    assert_eq!(receiving.recv().await.unwrap(), "/a ,i 2");
    drop(peer);
    assert!(matches!(events.recv().await.unwrap(), ConnectionEvent::Disconnected { .. }));
}

#[tokio::test]
async fn a_paused_listener_accepts_nothing_and_its_shutdown_ends() {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let (address, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let server = Server::new(ping()).listen("tcp", channel).spawn();
    outlet.pause();
    let client = Client::tcp(address, Slip::new()).await.unwrap();
    let unanswered = client.request(("/ping", 1), "/pong").timeout(Duration::from_millis(50)).await;
    assert!(unanswered.is_err());
    assert_eq!(server.stats().connected, 0);
    outlet.resume();
    client.request(("/ping", 2), "/pong").await.unwrap();
    outlet.pause();
    server.shutdown().await;
}
