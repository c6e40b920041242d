//! liblo and its programs behind a network that loses, doubles and reorders datagrams, and carries streams in pieces.

use std::time::Duration;

use tokio_osc::{Bytes, Message, Packet};

use super::ear::Ear;
use super::liblo::{oscdump_line, oscsend, without_time};
use super::peer::{Listener, Speaker};
use super::support::network::datagrams::{Faults, UdpNetwork};
use super::support::network::streams::TcpNetwork;
use super::transport::Transport;
use crate::support::until;

const BAD: Faults = Faults { lost: 20, doubled: 20, overtaken: 20, delay: Duration::ZERO, cut: false };

/// The messages that arrived, in order.
fn arrived(network: &UdpNetwork) -> Vec<Message> {
    let message = |datagram| Packet::decode(Bytes::from(datagram)).unwrap().to_string().parse().unwrap();
    network.arrivals().into_iter().map(message).collect()
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn oscdump_prints_each_message_as_often_as_it_arrives() {
    const SENT: usize = 100;
    let mut oscdump = Listener::oscdump(Transport::Udp).await;
    let network = UdpNetwork::to(oscdump.client.peer_addr().unwrap(), 1);
    network.set(BAD);
    let client = tokio_osc::Client::udp(network.addr).await.unwrap();
    for n in 0..100 {
        client.send(("/fader/1", (n, "saw"))).await.unwrap();
    }
    until(|| network.there().sent == SENT).await;
    network.release();
    let lines = oscdump.hear(("/end", ())).await;
    let mut expected: Vec<_> = arrived(&network).iter().map(oscdump_line).collect();
    assert!(expected.len() > SENT / 2);
    expected.push("/end".to_owned());
    assert_eq!(lines.iter().map(|line| without_time(line)).collect::<Vec<_>>(), expected);
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn what_oscsend_sends_is_handled_as_often_as_it_arrives() {
    const SENT: usize = 40;
    let mut ear = Ear::open().await;
    let network = UdpNetwork::to(([127, 0, 0, 1], ear.port).into(), 2);
    network.set(BAD);
    for n in 0..SENT {
        oscsend(network.addr.port(), &["/n", "i", &n.to_string()]).await.unwrap();
    }
    until(|| network.there().sent == SENT).await;
    network.release();
    for message in arrived(&network) {
        assert_eq!(ear.next().await.message, message);
    }
}

#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn streams_of_liblo_are_whole_in_any_pieces() {
    for transport in [Transport::Length, Transport::Slip] {
        let mut ear = Ear::over(transport).await;
        let network = TcpNetwork::to(([127, 0, 0, 1], ear.port).into(), 3).await;
        network.cut_up(5, Duration::ZERO);
        let mut liblo = Speaker::liblo(transport, network.addr.port()).await;
        for n in 0..30_u8 {
            let message = Message::new("/blob", (i32::from(n), Bytes::from(vec![0xc0, 0xdb, 0, n]))).unwrap();
            liblo.send(&message).await.unwrap();
            assert_eq!(ear.next().await.message, message);
        }
    }
}
