//! Over TCP: bundles, answers on the connection that asked, and what peers make of their framings.

use std::time::Duration;

use tokio::process::Command;
use tokio_osc::codec::FrameError;
use tokio_osc::packet::{DecodeError, IntoPacket, SendError};
use tokio_osc::{Args, Bundle, Bytes, Channel, Client, LengthPrefix, Packet, Router, Server, Slip, TimeTag};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use super::liblo::without_time;
use super::peer::{Listener, Speaker};
use super::program::Program;
use super::transport::Transport;
use super::{nested_bundle, next_packet};
use crate::support::unused_port;

/// What liblo and python-osc both know.
fn bundle(time_tag: TimeTag) -> Packet {
    let inner = Bundle::at(time_tag).with(("/synth/2/gate", true));
    let bundle = Bundle::at(time_tag).with(("/synth/1/freq", 440.0_f32)).with(("/synth/1/name", "saw"));
    bundle.with(inner).into_packet().unwrap()
}

const ELEMENTS: [&str; 3] = ["/synth/1/freq ,f 440", "/synth/1/name ,s \"saw\"", "/synth/2/gate ,T true"];

/// A packet with every byte that framings treat as their own.
fn special_bytes() -> Packet {
    let blob: Vec<u8> = (0..=255).chain([0xc0, 0xc0, 0xdb, 0xdc, 0xdb, 0xdd, 0xdb]).collect();
    ("/special", (-1_061_109_568, blob)).into_packet().unwrap()
}

#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn bundles_of_liblo_arrive_whole() {
    for transport in [Transport::Length, Transport::Slip] {
        arrive_whole(transport, |port| Speaker::liblo(transport, port), &bundle(TimeTag::IMMEDIATELY)).await;
    }
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn bundles_of_python_osc_arrive_whole() {
    for transport in [Transport::Length, Transport::Slip] {
        let speaker = |port| Speaker::python_osc(transport, port);
        arrive_whole(transport, speaker, &nested_bundle(TimeTag::IMMEDIATELY)).await;
    }
}

/// Packets of a peer arrive as they were made, a bundle first.
async fn arrive_whole(transport: Transport, speaker: impl AsyncFn(u16) -> Speaker, bundle: &Packet) {
    let mut channel = transport.channel().await;
    let mut peer = speaker(channel.local_addr().unwrap().port()).await;
    for packet in [bundle, &special_bytes(), bundle] {
        peer.send(packet).await.unwrap();
        assert_eq!(&next_packet(&mut channel).await, packet, "{}", transport.name());
    }
}

#[tokio::test]
#[ignore = "needs liblo-dev, python-osc: bash .ci/install"]
async fn a_client_is_answered_on_its_connection() {
    for peer in [
        Listener::liblo(Transport::Length).await,
        Listener::python_osc(Transport::Length).await,
        Listener::python_osc(Transport::Slip).await,
    ] {
        answers(&peer.client).await;
    }
}

/// A liblo server reads SLIP, and answers with a length prefix.
#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn a_liblo_server_answers_slip_with_length_prefixes() {
    let peer = Listener::liblo(Transport::Length).await;
    answers(&Client::tcp(peer.client.peer_addr().unwrap(), OneWaySlip::out()).await.unwrap()).await;
}

async fn answers(client: &Client) {
    let reply = client.request(("/ping", 7), "/pong").timeout(Duration::from_secs(5)).await.unwrap();
    assert_eq!(reply.parse::<i32>().unwrap(), 7);
}

#[tokio::test]
#[ignore = "needs liblo-dev, python-osc: bash .ci/install"]
async fn peers_get_answers_on_their_connection() {
    use Transport::{Length, Slip};
    gets_an_answer(Length.channel().await, |port| Speaker::liblo(Length, port)).await;
    gets_an_answer(Length.channel().await, |port| Speaker::python_osc(Length, port)).await;
    gets_an_answer(Slip.channel().await, |port| Speaker::python_osc(Slip, port)).await;
}

/// A liblo client that sends SLIP reads length prefixes.
#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn a_liblo_client_that_sends_slip_reads_length_prefixes() {
    let channel = Channel::tcp("127.0.0.1:0", OneWaySlip::into()).await.unwrap();
    gets_an_answer(channel, |port| Speaker::liblo(Transport::Slip, port)).await;
}

async fn gets_an_answer(channel: Channel, speaker: impl AsyncFn(u16) -> Speaker) {
    let mut peer = speaker(channel.local_addr().unwrap().port()).await;
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n + 1));
    let server = Server::new(router).listen("peers", channel).spawn();
    peer.send(("/ping", 7)).await.unwrap();
    assert_eq!(peer.receive().await.to_string(), "/pong ,i 8");
    assert_eq!(server.shutdown().await.replies, 1);
}

/// SLIP in one direction and length prefixes in the other, as liblo has it.
#[derive(Clone)]
struct OneWaySlip {
    slip: Slip,
    length_prefix: LengthPrefix,
    slip_out: bool,
}

impl OneWaySlip {
    fn out() -> Self {
        Self { slip: Slip::new(), length_prefix: LengthPrefix::new(), slip_out: true }
    }

    fn into() -> Self {
        Self { slip_out: false, ..Self::out() }
    }
}

impl Decoder for OneWaySlip {
    type Item = Result<Bytes, DecodeError>;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        if self.slip_out { Ok(self.length_prefix.decode(src)?.map(Ok)) } else { self.slip.decode(src) }
    }
}

impl Encoder<Bytes> for OneWaySlip {
    type Error = SendError;

    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        if self.slip_out { self.slip.encode(frame, dst) } else { self.length_prefix.encode(frame, dst) }
    }
}

#[tokio::test]
#[ignore = "needs liblo-dev, python-osc: bash .ci/install"]
async fn bundles_and_special_bytes_reach_peers() {
    for transport in [Transport::Length, Transport::Slip] {
        for mut peer in [Listener::liblo(transport).await, Listener::python_osc(transport).await] {
            assert_eq!(peer.hear(special_bytes()).await, [special_bytes().to_string()]);
            let lines = peer.hear(bundle(TimeTag::IMMEDIATELY)).await;
            let lines: Vec<_> = lines.iter().map(|line| line.replace("440.0", "440")).collect();
            assert_eq!(lines, ELEMENTS, "{}", transport.name());
        }
    }
}

/// liblo takes a connection for SLIP by its first bytes, and knows `#bundle` with no END before it.
#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn a_liblo_server_takes_a_bundle_first_with_a_single_end_only() {
    let mut peer = Listener::liblo(Transport::SlipSingleEnd).await;
    assert_eq!(peer.hear(bundle(TimeTag::IMMEDIATELY)).await, ELEMENTS);

    let client = Listener::liblo(Transport::Slip).await.client;
    client.send(bundle(TimeTag::IMMEDIATELY)).await.unwrap();
    let reply = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(300)).await;
    assert!(reply.is_err(), "it waits for a very long frame, or closes the connection: {reply:?}");
}

/// python-osc parts packets at two ENDs.
#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_python_osc_server_needs_two_ends() {
    const BURST: i32 = 50;
    let burst = || (0..BURST).map(|n| ("/n", n));
    let lines: Vec<String> = (0..BURST).map(|n| format!("/n ,i {n}")).collect();

    let mut peer = Listener::python_osc(Transport::Slip).await;
    peer.client.send_all(burst()).await.unwrap();
    assert_eq!(peer.hear(("/last", ())).await, [&lines[..], &["/last ,".to_owned()]].concat());

    let peer = Listener::python_osc(Transport::SlipSingleEnd).await;
    peer.client.send_all(burst()).await.unwrap();
    peer.client.closed().await;
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn oscdump_prints_what_a_client_sends_over_tcp() {
    let mut oscdump = Listener::oscdump(Transport::Length).await;
    let lines = oscdump.hear(bundle(TimeTag::IMMEDIATELY)).await;
    let lines: Vec<&str> = lines.iter().map(|line| without_time(line)).collect();
    assert_eq!(lines, ["/synth/1/freq f 440.000000", "/synth/1/name s \"saw\"", "/synth/2/gate T #T"]);
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn a_channel_dials_a_liblo_server_that_starts_late_and_restarts() {
    let port = unused_port();
    let fast = Duration::from_millis(20);
    let channel = Channel::reconnecting(("127.0.0.1", port), LengthPrefix::new())
        .on_connect(("/hello", 7))
        .backoff(fast, fast)
        .open()
        .unwrap();
    let outlet = channel.outlet();
    let server = Server::new(Router::new()).listen("liblo", channel).spawn();
    for _ in 0..3 {
        let mut command = Command::new("oscdump");
        command.args(["-L", &format!("osc.tcp://:{port}")]);
        let mut oscdump = Program::start(command);
        assert_eq!(without_time(&oscdump.line().await), "/hello i 7");
        while outlet.broadcast(("/scene", 3)).unwrap().sent == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(without_time(&oscdump.line().await), "/scene i 3");
        // Its port is free for the next one only when it has ended.
        oscdump.end().await;
    }
    assert!(server.shutdown().await.connected >= 3);
}
