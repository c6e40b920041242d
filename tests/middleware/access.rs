//! Networks that may send, and those that may not, on live channels.

use tokio_osc::channel::StreamOptions;
use tokio_osc::middleware::Access;
use tokio_osc::server::ServerStats;
use tokio_osc::{Channel, Client, Router, Server, Slip, Udp};

/// One packet, and broken bytes, of a denied and of an allowed address.
async fn heard(access: Access) -> ServerStats {
    let channel = Udp::new("127.0.0.1:0").middleware(access).bind().await.unwrap();
    let to = channel.local_addr().unwrap();
    let server = Server::new(Router::new().route("/ping", || ("/pong", ()))).listen("udp", channel).spawn();
    for from in ["127.0.0.2:0", "127.0.0.1:0"] {
        let socket = tokio::net::UdpSocket::bind(from).await.unwrap();
        for packet in [&b"broken"[..], b"/ping\0\0\0,\0\0\0"] {
            socket.send_to(packet, to).await.unwrap();
        }
    }
    // The last one is of the allowed address: the earlier ones have been read by then.
    while server.stats().handled == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown_with(tokio_osc::Shutdown::new()).await
}

#[tokio::test]
async fn a_denied_datagram_is_dropped_before_it_is_decoded_and_counted() {
    let report = heard(Access::new().deny("127.0.0.2").unwrap()).await;
    let channel = report.channel("udp").unwrap();
    assert_eq!((channel.filtered.dropped_in, channel.malformed, channel.handled), (2, 1, 1));
}

#[tokio::test]
async fn only_an_allowed_network_is_heard() {
    let report = heard(Access::new().allow("127.0.0.0/31").unwrap()).await;
    let channel = report.channel("udp").unwrap();
    assert_eq!((channel.filtered.dropped_in, channel.malformed, channel.handled), (2, 1, 1));
}

#[tokio::test]
async fn a_connection_of_another_network_is_refused() {
    let access = Access::new().allow("192.0.2.0/24").unwrap();
    let options = StreamOptions::default().accept_if(move |peer| access.allows(peer));
    let channel = Channel::tcp_with("127.0.0.1:0", Slip::new(), options).await.unwrap();
    let to = channel.local_addr().unwrap();
    let server = Server::new(Router::new()).listen("tcp", channel).spawn();
    let client = Client::tcp(to, Slip::new()).await.unwrap();
    client.closed().await;
    let stats = server.shutdown().await;
    assert_eq!((stats.refused, stats.received), (1, 0));
}
