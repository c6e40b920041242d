//! A relay: the bytes stay as they are, the queues have their limits, and nothing goes back.

use std::sync::Arc;

use futures::channel::mpsc;
use futures::future::FutureExt;
use futures::{StreamExt, stream};
use tokio_osc::packet::{IntoPacket, Overflow};
use tokio_osc::tools::{Relay, RelayHandle, RelayStats};
use tokio_osc::{Bundle, Bytes, Channel, Client, Message, Packet, Peer, Slip};

use crate::support::fed::{Item, remote as item};
use crate::support::tape::Tape;

fn malformed() -> Item {
    (
        Packet::decode(Bytes::from_static(b"/x\0\0,i\0\0")).map(drop).map_or_else(Err, |()| panic!()),
        item(("/x", 0)).1,
    )
}

fn numbers(count: i32) -> Vec<String> {
    (0..count).map(|n| format!("/n ,i {n}")).collect()
}

fn assert_sums(counts: &RelayStats) {
    for to in &counts.to {
        let left = to.returned + to.sent + to.failed + to.dropped + to.waiting;
        assert_eq!(counts.received, counts.malformed + counts.filtered + left, "{counts:?}");
    }
}

/// Waits until the relay has read this number of packets.
async fn has_read(relay: &RelayHandle, packets: u64) {
    while relay.stats().received < packets {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn all_sources_go_to_all_destinations_in_order_until_they_end() {
    let (left, right) = (Tape::new(), Tape::new());
    let source = || stream::iter((0..1_000).map(|n| item(("/n", n))));
    let counts = Relay::new()
        .from("a", source())
        .from("b", source().map(|(packet, meta)| (packet.map(|_| ("/m", 0).into_packet().unwrap()), meta)))
        .to("left", left.clone())
        .to("right", right.clone())
        .run()
        .await;
    assert_eq!(counts.received, 2_000);
    assert_sums(&counts);
    for (tape, to) in [left, right].iter().zip(&counts.to) {
        let lines: Vec<_> = tape.lines().into_iter().filter(|line| line.starts_with("/n")).collect();
        assert_eq!((lines, to.sent, to.waiting), (numbers(1_000), 2_000, 0));
    }
    assert_eq!(counts.to.iter().map(|to| &*to.name).collect::<Vec<_>>(), ["left", "right"]);
}

#[tokio::test]
async fn what_is_malformed_filtered_or_failed_is_counted() {
    let tape = Tape::new();
    let packets = vec![item(("/a/1", 1)), malformed(), item(("/b", 2)), item(("/bad", 3)), item(("/a/2", 4))];
    let relay = Relay::new().from("in", stream::iter(packets)).to("out", tape.clone());
    let counts =
        relay.filter(|packet, meta| packet.to_string() != "/b ,i 2" && meta.channel() == "in").run().await;
    assert_eq!(tape.lines(), ["/a/1 ,i 1", "/a/2 ,i 4"]);
    assert_eq!((counts.received, counts.malformed, counts.filtered), (5, 1, 1));
    assert_eq!((counts.to[0].sent, counts.to[0].failed), (2, 1));
    assert_sums(&counts);
}

#[tokio::test]
async fn patterns_filter_messages_patterns_and_whole_bundles() {
    let bundle =
        |address| Bundle::immediately().with(("/other", 0)).with(Bundle::immediately().with((address, 1)));
    let odd = Message::with_raw_address("/synth/a b", 3).unwrap();
    let packets = vec![
        item(("/synth/1/freq", 0)),
        item(("/lights/1", 0)),
        item(("/{synth,lights}/1/freq", 1)),
        item(("/[!s]*/1/freq", 1)),
        item(bundle("/synth/2")),
        item(bundle("/lights/2")),
        item(("/master", 2)),
        item(odd),
    ];
    let all: Vec<_> = packets.iter().map(|(packet, _)| packet.clone().unwrap()).collect();
    let tape = Tape::new();
    let relay = Relay::new().only("/synth//").unwrap().only("/master").unwrap();
    let counts = relay.from("in", stream::iter(packets)).to("out", tape.clone()).run().await;
    assert_eq!(tape.packets(), [0, 2, 4, 6, 7].map(|at: usize| all[at].clone()));
    assert_eq!(counts.filtered, 3);
    assert!(Relay::new().only("/a[").is_err());
}

#[tokio::test]
async fn a_slow_destination_delays_no_other() {
    let (slow, fast) = (Tape::stuck(), Tape::new());
    let (mut packets, source) = mpsc::channel(1_000);
    let relay = Relay::new().from("in", source).to("slow", slow.clone()).to("fast", fast.clone()).spawn();
    for n in 0..100 {
        packets.try_send(item(("/n", n))).unwrap();
    }
    while fast.lines().len() < 100 {
        tokio::task::yield_now().await;
    }
    let counts = relay.stats();
    assert_sums(&counts);
    assert_eq!((counts.to[0].waiting, counts.to[1].sent), (100, 100));
    slow.permits.add_permits(100);
    let counts = relay.shutdown().await;
    assert_eq!((slow.lines(), counts.to[0].sent), (numbers(100), 100), "queued packets are sent");
}

/// A relay with one destination that is stuck with the first packet, and room for three others.
async fn full(relay: Relay) -> (RelayHandle, Tape, mpsc::UnboundedSender<Item>) {
    let (packets, source) = mpsc::unbounded();
    let cost = ("/n", 0).into_packet().unwrap().as_bytes().len() + 64;
    let tape = Tape::stuck();
    let relay = relay.queue(3 * cost).from("in", source).to("out", tape.clone()).spawn();
    packets.unbounded_send(item(("/n", 0))).unwrap();
    has_read(&relay, 1).await;
    for n in 1..=3 {
        packets.unbounded_send(item(("/n", n))).unwrap();
    }
    has_read(&relay, 4).await;
    assert_eq!((relay.stats().to[0].waiting, relay.stats().to[0].dropped), (4, 0), "just full");
    for n in 4..=6 {
        packets.unbounded_send(item(("/n", n))).unwrap();
    }
    (relay, tape, packets)
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest() {
    let (relay, tape, _packets) = full(Relay::new()).await;
    has_read(&relay, 7).await;
    assert_sums(&relay.stats());
    tape.permits.add_permits(10);
    let counts = relay.shutdown().await;
    assert_eq!(tape.lines(), ["/n ,i 0", "/n ,i 4", "/n ,i 5", "/n ,i 6"]);
    assert_eq!((counts.to[0].sent, counts.to[0].dropped), (4, 3));
}

#[tokio::test]
async fn a_full_queue_drops_the_newest() {
    let (relay, tape, _packets) = full(Relay::new().overflow(Overflow::DropNewest)).await;
    has_read(&relay, 7).await;
    assert_sums(&relay.stats());
    tape.permits.add_permits(10);
    let counts = relay.shutdown().await;
    assert_eq!(tape.lines(), numbers(4));
    assert_eq!((counts.to[0].sent, counts.to[0].dropped), (4, 3));
}

#[tokio::test]
async fn a_full_queue_is_waited_for() {
    let (relay, tape, packets) = full(Relay::new().overflow(Overflow::Wait)).await;
    has_read(&relay, 5).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(relay.stats().received, 5, "one in hand, and nothing is read meanwhile");
    tape.permits.add_permits(10);
    drop(packets);
    while !relay.is_finished() {
        tokio::task::yield_now().await;
    }
    let counts = relay.shutdown().await;
    assert_eq!((tape.lines(), counts.to[0].dropped), (numbers(7), 0));
}

#[tokio::test]
async fn a_stopped_relay_finishes_what_it_has_in_hand() {
    let (relay, tape, _packets) = full(Relay::new().overflow(Overflow::Wait)).await;
    has_read(&relay, 5).await;
    tape.permits.add_permits(10);
    let counts = relay.shutdown().await;
    assert_sums(&counts);
    assert_eq!((counts.to[0].sent, counts.to[0].waiting), (counts.received, 0));
}

#[tokio::test]
async fn a_packet_that_fits_no_queue_is_dropped_whatever_the_policy() {
    for policy in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Wait] {
        let tape = Tape::new();
        let small = ("/n", 0).into_packet().unwrap();
        let relay = Relay::new().queue(small.as_bytes().len() + 64).overflow(policy).to("out", tape.clone());
        let packets = vec![item(small), item(("/n", (0, 0)))];
        let counts = relay.from("in", stream::iter(packets)).run().await;
        assert_eq!((tape.lines().len(), counts.to[0].dropped), (1, 1), "{policy:?}");
    }
}

#[tokio::test]
async fn a_dropped_handle_ends_the_task() {
    let (tape, (_packets, source)) = (Tape::stuck(), mpsc::unbounded::<Item>());
    drop(Relay::new().from("in", source).to("out", tape.clone()).spawn());
    while Arc::strong_count(&tape.sent) > 1 {
        tokio::task::yield_now().await;
    }
}

/// The two ends of a serial line, say.
fn line() -> (Channel, Client) {
    let (here, there) = tokio::io::duplex(1 << 16);
    (Channel::io(here, Slip::new()), Client::io(there, Slip::new()))
}

#[tokio::test]
async fn two_channels_are_bridged_both_ways_and_nothing_goes_back() {
    let ((left, anna), (right, bert)) = (line(), line());
    let relay = Relay::new().both_ways("left", left).both_ways("right", right).spawn();
    let (mut to_anna, mut to_bert) = (anna.subscribe("//"), bert.subscribe("//"));
    anna.send(("/from/anna", 1)).await.unwrap();
    assert_eq!(to_bert.next().await.unwrap().to_string(), "/from/anna ,i 1");
    bert.send(("/from/bert", 2)).await.unwrap();
    assert_eq!(to_anna.next().await.unwrap().to_string(), "/from/bert ,i 2", "nothing of her own before");
    anna.send(("/last", 3)).await.unwrap();
    assert_eq!(to_bert.next().await.unwrap().to_string(), "/last ,i 3");
    let counts = relay.shutdown().await;
    assert_sums(&counts);
    let to: Vec<_> = counts.to.iter().map(|to| (to.sent, to.returned)).collect();
    assert_eq!((counts.received, to), (3, vec![(1, 2), (2, 1)]));
    assert!(to_anna.next().await.is_none() && to_bert.next().await.is_none(), "closed");
}

#[tokio::test]
async fn packets_queued_for_connections_leave_before_the_end() {
    let ((left, anna), (right, bert)) = (line(), line());
    let relay = Relay::new().both_ways("left", left).both_ways("right", right).spawn();
    let heard = bert.subscribe("//");
    let heard = tokio::spawn(heard.count());
    anna.send_all((0..500).map(|n| ("/n", n))).await.unwrap();
    has_read(&relay, 500).await;
    relay.shutdown().await;
    assert_eq!(heard.await.unwrap(), 500);
}

#[cfg(feature = "net")]
mod net {
    use std::time::Duration;

    use tokio::net::UdpSocket;
    use tokio::time::timeout;
    use tokio_osc::TimeTag;

    use super::*;

    const LOOPBACK: &str = "127.0.0.1:0";

    /// Packets that would change if they were read and written again.
    fn delicate() -> Vec<Vec<u8>> {
        let tag = TimeTag::from_bits(0x0123_4567_89ab_cdef);
        let inner = Bundle::at(TimeTag::from_bits(2)).with(("/inner", f32::from_bits(0x7fc0_1234)));
        let packets = [
            ("/plain", (1, 2.5_f32, "text", &b"\xff\x00\xc0\xdb"[..])).into_packet().unwrap(),
            ("/nan", (f32::from_bits(0xffa0_0001), f64::from_bits(0x7ff4_0000_0000_0001)))
                .into_packet()
                .unwrap(),
            Bundle::at(tag).with(("/a", tag)).with(inner).with(("/b", ())).into_packet().unwrap(),
            Bundle::at(TimeTag::IMMEDIATELY).into_packet().unwrap(),
        ];
        let mut packets: Vec<_> = packets.iter().map(|packet| packet.as_bytes().to_vec()).collect();
        // Padding that is not NUL.
        packets.push(b"/pad\0xyz,i\0\0\0\0\0\x07".to_vec());
        packets
    }

    #[tokio::test]
    async fn bytes_are_the_same_over_udp_tcp_and_udp_again() {
        let (desk, stage) =
            (Channel::udp(LOOPBACK).await.unwrap(), Channel::tcp(LOOPBACK, Slip::new()).await.unwrap());
        let receiver = UdpSocket::bind(LOOPBACK).await.unwrap();
        let sender = UdpSocket::bind(LOOPBACK).await.unwrap();
        let to = desk.local_addr().unwrap();
        let there = Relay::new()
            .to("stage", Client::tcp(stage.local_addr().unwrap(), Slip::new()).await.unwrap())
            .from("desk", desk)
            .spawn();
        let back = Relay::new()
            .from("stage", stage)
            .to("receiver", Client::udp(receiver.local_addr().unwrap()).await.unwrap())
            .spawn();

        let packets = delicate();
        let mut buffer = [0; 1_024];
        let mut passed = 0;
        for packet in &packets {
            passed += 1;
            sender.send_to(packet, to).await.unwrap();
            let len = timeout(Duration::from_secs(5), receiver.recv(&mut buffer)).await.unwrap().unwrap();
            assert_eq!(buffer[..len], packet[..]);
        }

        for bad in [&b"junk"[..], b"/x\0\0,i\0\0", b"#bundle\0\0\0\0\0", b"/abc"] {
            sender.send_to(bad, to).await.unwrap();
        }
        sender.send_to(&packets[0], to).await.unwrap();
        let len = timeout(Duration::from_secs(5), receiver.recv(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(buffer[..len], packets[0][..], "the next after those that are malformed");
        let (there, back) = (there.shutdown().await, back.shutdown().await);
        assert_eq!((there.malformed, back.malformed), (4, 0));
        assert_eq!((there.to[0].sent, back.to[0].sent), (passed + 1, passed + 1));
        assert_sums(&there);
        assert_sums(&back);
    }

    #[tokio::test]
    async fn a_datagram_does_not_go_back_to_its_sender() {
        let (anna, bert) =
            (UdpSocket::bind(LOOPBACK).await.unwrap(), UdpSocket::bind(LOOPBACK).await.unwrap());
        let channel = Channel::udp(LOOPBACK).await.unwrap();
        let address = channel.local_addr().unwrap();
        let relay = Relay::new()
            .to("anna", channel.client_to(anna.local_addr().unwrap()).unwrap())
            .to("bert", channel.client_to(bert.local_addr().unwrap()).unwrap())
            .from("in", channel)
            .spawn();
        let packet = ("/x", 1).into_packet().unwrap();
        let mut buffer = [0; 64];
        anna.send_to(packet.as_bytes(), address).await.unwrap();
        assert_eq!(bert.recv(&mut buffer).await.unwrap(), packet.as_bytes().len());
        bert.send_to(packet.as_bytes(), address).await.unwrap();
        assert_eq!(anna.recv(&mut buffer).await.unwrap(), packet.as_bytes().len());
        let counts = relay.shutdown().await;
        assert_sums(&counts);
        let returned: Vec<_> = counts.to.iter().map(|to| (to.returned, to.sent)).collect();
        assert_eq!(returned, [(1, 1), (1, 1)]);
        assert!(anna.try_recv(&mut buffer).is_err() && bert.try_recv(&mut buffer).is_err());
    }

    #[tokio::test]
    async fn a_hub_tells_all_connections_but_the_one_that_spoke() {
        let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let address = channel.local_addr().unwrap();
        let mut events = channel.events();
        let relay = Relay::new().both_ways("hub", channel).spawn();
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(Client::tcp(address, Slip::new()).await.unwrap());
            events.next().await.unwrap();
        }
        let mut heard: Vec<_> = clients.iter().map(|client| client.subscribe("//")).collect();
        for (n, client) in (0..).zip(&clients) {
            client.send(("/said", n)).await.unwrap();
            for (other, heard) in (0..).zip(&mut heard).filter(|(other, _)| *other != n) {
                let message = heard.next().await.unwrap();
                assert_eq!(message.parse::<i32>().unwrap(), n, "at {other}");
            }
        }
        let counts = relay.shutdown().await;
        assert_eq!((counts.received, counts.to[0].sent), (3, 3));
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_counted_and_keeps_no_other_from_its_packets() {
        let gone = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let client = Client::tcp(gone.local_addr().unwrap(), Slip::new()).await.unwrap();
        client.close().await.unwrap();
        let tape = Tape::new();
        let packets = stream::iter((0..10).map(|n| item(("/n", n))));
        let counts = Relay::new().from("in", packets).to("gone", client).to("tape", tape.clone()).run().await;
        assert_eq!((counts.to[0].failed, counts.to[1].sent), (10, 10));
        assert_eq!(tape.lines(), numbers(10));
    }
}

#[tokio::test]
async fn the_meta_of_a_packet_is_known_to_filters() {
    let tape = Tape::new();
    let relay = Relay::new().from("in", stream::iter(vec![item(("/n", 0))])).to("out", tape.clone());
    let run = relay.filter(|_, meta| meta.peer == Peer::LOCAL).run();
    assert_eq!(run.now_or_never().unwrap().filtered, 1);
}
