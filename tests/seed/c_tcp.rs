//! C. TCP: rows that the tests of streams do not cover.

use tokio::net::{TcpListener, TcpStream};
use tokio_osc::{Args, Channel, Client, Endpoint, Router, Server, Slip};

use super::LOOPBACK;

fn router() -> Router {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

/// Row C02.
/// `tcp_consocket`: the program has accepted the connection itself.
#[tokio::test]
async fn an_accepted_socket_is_a_channel_and_a_connected_one_a_client() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let server = Server::new(router()).listen("one", Channel::io(accepted, Slip::new())).spawn();
    let client = Client::io(connected, Slip::new());
    let pong = client.request(("/ping", 7), "/pong").await.unwrap();
    assert_eq!(pong.parse::<i32>().unwrap(), 7);
    server.shutdown().await;
}

/// Row C04.
/// `tcp_reuseaddr`: connections that the server closed hold the port for a while, but not for a
/// listener.
#[tokio::test]
async fn a_server_that_is_started_again_gets_its_port_back() {
    let mut address = LOOPBACK.parse().unwrap();
    for _ in 0..3 {
        let channel = Channel::tcp(address, Slip::new()).await.unwrap();
        address = channel.local_addr().unwrap();
        let server = Server::new(router()).listen("tcp", channel).spawn();
        let client = Client::tcp(address, Slip::new()).await.unwrap();
        client.request(("/ping", 7), "/pong").await.unwrap();
        server.shutdown().await;
    }
}

/// Row C03.
/// There, `tcp_forceipv4` and `tcp_forceipv6`.
#[tokio::test]
async fn an_endpoint_over_tcp_takes_the_family_that_it_names() {
    for (text, reason) in [
        ("osc.tcp://127.0.0.1:0/?family=ipv6", "`127.0.0.1:0` has no ipv6 address"),
        ("osc.tcp+slip://[::1]:0/?family=ipv4", "`[::1]:0` has no ipv4 address"),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(endpoint.bind().await.unwrap_err().to_string(), reason);
        assert_eq!(endpoint.client().await.unwrap_err().to_string(), reason);
    }
    let endpoint: Endpoint = "osc.tcp://*:0/?family=ipv4".parse().unwrap();
    let channel = endpoint.bind().await.unwrap();
    assert!(channel.local_addr().unwrap().is_ipv4());
}
