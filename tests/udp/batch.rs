//! Runs of datagrams: whatever passes the kernel together, the packets are the same as one by one.
#![cfg(feature = "batch")]

use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_osc::packet::DecodeErrorKind;
use tokio_osc::{Args, Bytes, Channel, Client, Message, Packet, Router, Server, Slip, Udp};

use crate::support::LOOPBACK;

const BUFFER: usize = 4 << 20;

async fn channel(options: Udp) -> Channel {
    options.receive_buffer(BUFFER).bind().await.unwrap()
}

async fn client_of(channel: &Channel) -> Client {
    Udp::new(channel.local_addr().unwrap()).batch(true).client().await.unwrap()
}

async fn next(channel: &mut Channel) -> String {
    let (packet, _) = timeout(Duration::from_secs(5), channel.next()).await.expect("it comes").unwrap();
    packet.map_or_else(|error| format!("{:?}", error.kind()), |packet| packet.to_string())
}

/// Messages of 24 bytes and, now and then, of 28.
fn packet(number: i32) -> Message {
    let address = if number % 100 == 99 { "/longer/one" } else { "/run" };
    Message::new(address, (number, 0.5_f32, 7_i32 * number)).unwrap()
}

#[tokio::test]
async fn runs_are_the_same_packets_in_the_same_order_on_either_side() {
    for (sends_runs, takes_runs) in [(true, true), (true, false), (false, true)] {
        let mut channel = channel(Udp::new(LOOPBACK).batch(takes_runs)).await;
        let peer = Udp::new(channel.local_addr().unwrap()).batch(sends_runs);
        for client in [peer.clone().client().await.unwrap(), peer.connect().await.unwrap()] {
            client.send_all((0..1_000).map(packet)).await.unwrap();
            for number in 0..1_000 {
                assert_eq!(next(&mut channel).await, packet(number).to_string());
            }
        }
    }
}

/// The datagrams that wait at a socket: over loopback, all that were sent.
fn arrived(socket: &std::net::UdpSocket) -> Vec<String> {
    let mut buffer = [0; 1_024];
    let text = |datagram: &[u8]| Packet::decode(Bytes::copy_from_slice(datagram)).unwrap().to_string();
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|len| text(&buffer[..len]))).collect()
}

async fn plain_peer() -> (std::net::UdpSocket, Client) {
    let socket = std::net::UdpSocket::bind(LOOPBACK).unwrap();
    socket.set_nonblocking(true).unwrap();
    let client = Udp::new(socket.local_addr().unwrap()).batch(true).client().await.unwrap();
    (socket, client)
}

#[tokio::test]
async fn fed_packets_wait_for_a_flush_and_leave_before_a_later_send() {
    let (socket, client) = plain_peer().await;
    client.feed(("/n", 1)).await.unwrap();
    client.feed(("/n", 2)).await.unwrap();
    assert!(arrived(&socket).is_empty());
    client.send(("/n", 3)).await.unwrap();
    assert_eq!(arrived(&socket), ["/n ,i 1", "/n ,i 2", "/n ,i 3"]);

    client.feed(("/n", 4)).await.unwrap();
    client.clone().try_send(("/n", 5)).unwrap();
    assert_eq!(arrived(&socket), ["/n ,i 4", "/n ,i 5"]);

    client.feed(("/n", 6)).await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(arrived(&socket), ["/n ,i 6"]);
    client.flush().await.unwrap();
    client.feed(("/n", 7)).await.unwrap();
    client.close().await.unwrap();
    assert_eq!(arrived(&socket), ["/n ,i 7"]);
}

#[tokio::test]
async fn a_run_ends_at_64_datagrams_before_a_longer_one_and_after_a_shorter_one() {
    let (socket, client) = plain_peer().await;
    for number in 0..64 {
        client.feed(("/n", number)).await.unwrap();
    }
    assert_eq!(arrived(&socket).len(), 0);
    client.feed(("/n", 64)).await.unwrap();
    assert_eq!(arrived(&socket).len(), 64);
    client.feed(("/longer", 65)).await.unwrap();
    assert_eq!(arrived(&socket), ["/n ,i 64"]);
    client.feed(("/n", 66)).await.unwrap();
    assert_eq!(arrived(&socket).len(), 0);
    client.feed(("/n", 67)).await.unwrap();
    assert_eq!(arrived(&socket), ["/longer ,i 65", "/n ,i 66"]);
}

#[tokio::test]
async fn an_error_loses_what_waited_and_nothing_after_it() {
    let broadcast = Udp::new("255.255.255.255:9").batch(true).client().await.unwrap();
    for _ in 0..2 {
        let error = broadcast.send_all((0..3).map(|number| ("/n", number))).await.unwrap_err();
        assert!(error.to_string().contains("`Broadcast`"), "{error}");
        broadcast.flush().await.unwrap();
    }
    assert_eq!(broadcast.monitor().unwrap().stats().unwrap().send_errors, 2);
}

#[tokio::test]
async fn a_broken_packet_and_one_that_is_too_large_cost_no_other() {
    let mut channel = channel(Udp::new(LOOPBACK).max_datagram(16).batch(true)).await;
    let client = client_of(&channel).await;
    let large = || Message::new("/large", (1, 2, 3)).unwrap();
    client.send_all([large(), large(), large()]).await.unwrap();
    client.send_all((0..3).map(|number| ("/n", number))).await.unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut channel).await, format!("{:?}", DecodeErrorKind::Truncated));
    }
    for number in 0..3 {
        assert_eq!(next(&mut channel).await, format!("/n ,i {number}"));
    }
    assert_eq!(channel.monitor().unwrap().stats().unwrap().oversized, 3);

    let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
    for datagram in [&b"/ok\0,\0\0\0"[..], b"not osc!", b"", b"/ok\0,\0\0\0"] {
        socket.send_to(datagram, channel.local_addr().unwrap()).await.unwrap();
    }
    assert_eq!(next(&mut channel).await, "/ok ,");
    assert_ne!(next(&mut channel).await, "/ok ,");
    assert_ne!(next(&mut channel).await, "/ok ,");
    assert_eq!(next(&mut channel).await, "/ok ,");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_run_that_finds_no_room_is_lost_as_a_whole_and_counts_as_one() {
    let mut channel = Udp::new(LOOPBACK).batch(true).receive_buffer(20_000).bind().await.unwrap();
    let client = client_of(&channel).await;
    client.send_all((0..100 * 64).map(|number| ("/run", number))).await.unwrap();
    let drops = channel.monitor().unwrap().stats().unwrap().kernel_drops.unwrap();
    assert!((1..100).contains(&drops), "{drops}");
    for _ in 0..(100 - drops) * 64 {
        next(&mut channel).await;
    }
    assert!(timeout(Duration::ZERO, channel.next()).await.is_err(), "nothing else");
}

#[tokio::test]
async fn a_server_that_takes_runs_answers_each_request() {
    let channel = channel(Udp::new(LOOPBACK).batch(true)).await;
    let client = client_of(&channel).await;
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("udp", channel).spawn();
    let mut pongs = client.subscribe("/pong");
    client.send_all((0..200).map(|number| ("/ping", number))).await.unwrap();
    for number in 0..200 {
        let pong = timeout(Duration::from_secs(5), pongs.next()).await.unwrap().unwrap();
        assert_eq!(pong.parse::<i32>().unwrap(), number);
    }
    assert_eq!(server.shutdown().await.received, 200);
}

#[tokio::test]
async fn framed_datagrams_run_too() {
    let mut channel = channel(Udp::new(LOOPBACK).framed(Slip::new()).batch(true)).await;
    let peer = Udp::new(channel.local_addr().unwrap()).framed(Slip::new()).batch(true);
    peer.client().await.unwrap().send_all((0..200).map(packet)).await.unwrap();
    for number in 0..200 {
        assert_eq!(next(&mut channel).await, packet(number).to_string());
    }
}

#[tokio::test]
async fn a_peer_that_binds_later_gets_the_packets_sent_after_that() {
    let port = Channel::udp(LOOPBACK).await.unwrap().local_addr().unwrap();
    let client = Udp::new(port).batch(true).connect().await.unwrap();
    for round in 0..3 {
        client.send_all((0..10).map(|number| ("/early", 10 * round + number))).await.unwrap();
    }
    let mut channel = channel(Udp::new(port)).await;
    client.send_all((0..10).map(|number| ("/n", number))).await.unwrap();
    for number in 0..10 {
        assert_eq!(next(&mut channel).await, format!("/n ,i {number}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn blobs_of_any_sizes_arrive_whole_and_in_order(sizes in prop::collection::vec(
        prop_oneof![3 => Just(32_usize), 1 => 0..100_usize, 1 => 1_000..60_000_usize], 1..80)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut channel = channel(Udp::new(LOOPBACK).batch(true)).await;
            let client = client_of(&channel).await;
            // What the channel has not read yet fits its buffer.
            for (part, sizes) in sizes.chunks(10).enumerate() {
                let blobs = sizes.iter().map(|size| ("/blob", vec![u8::try_from(part).unwrap(); *size]));
                client.send_all(blobs).await.unwrap();
                for size in sizes {
                    let (packet, _) = timeout(Duration::from_secs(5), channel.next()).await.unwrap().unwrap();
                    let Packet::Message(message) = packet.unwrap() else { panic!("a message was sent") };
                    let blob: Bytes = message.parse().unwrap();
                    assert_eq!((blob.len(), blob.iter().all(|b| usize::from(*b) == part)), (*size, true));
                }
            }
        });
    }
}
