//! Real OSC programs against the library, on loopback: liblo and its `oscsend` and `oscdump`,
//! python-osc, osc4py3, over UDP, over TCP in `streams.rs`; and the vectors to the decoders of rosc,
//! python-osc and liblo. `bash .ci/install` installs them; a missing one fails the tests.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod compressed;
mod differential;
mod ear;
#[cfg(feature = "crypto")]
mod envelope;
mod liblo;
mod matrix;
mod networks;
mod peer;
mod program;
mod scsynth;
mod streams;
mod timed;
#[cfg(feature = "cli")]
mod tool;
mod transport;

#[path = "../support/mod.rs"]
mod support;

use std::net::Ipv4Addr;

use futures::StreamExt;
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_osc::packet::{Array, Impulse, IntoPacket, Midi, Nil, Symbol};
use tokio_osc::{
    Args, Bundle, Bytes, Captures, Channel, Message, Packet, Peer, Router, Server, State, TimeTag,
};

use ear::Ear;
use liblo::{oscsend, without_time};
use peer::{Listener, Speaker};
use program::{Program, limited, python, run};
use transport::Transport;

/// A message with every type that all peers but liblo know.
fn all_types() -> Message {
    let args = (7, 0.5_f32, "saw", Bytes::from_static(&[1, 2, 3]), true, false, Nil, Array((1, "in")));
    Message::new("/synth/1/all", args).unwrap()
}

/// A bundle of two messages and a bundle of one.
fn nested_bundle(time_tag: TimeTag) -> Packet {
    let inner = Bundle::at(time_tag).with(("/synth/2/gate", true));
    let bundle = Bundle::at(time_tag).with(all_types()).with(("/synth/2/freq", 220.0_f32)).with(inner);
    bundle.into_packet().unwrap()
}

async fn loopback() -> Channel {
    Channel::udp((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

async fn next_packet(channel: &mut Channel) -> Packet {
    limited("the next packet", channel.next()).await.unwrap().0.unwrap()
}

async fn freq(
    State(hear): State<mpsc::Sender<(u32, f32, Peer)>>,
    Captures(voice): Captures<u32>,
    Args(hz): Args<f32>,
    peer: Peer,
) {
    hear.send((voice, hz, peer)).await.unwrap();
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn oscsend_reaches_a_typed_handler() {
    let (hear, mut heard) = mpsc::channel(1);
    let channel = loopback().await;
    let port = channel.local_addr().unwrap().port();
    let router = Router::with_state(hear).route("/synth/*/freq", freq);
    let server = Server::new(router).listen("udp", channel).spawn();

    oscsend(port, &["/synth/1/freq", "f", "440"]).await.unwrap();

    let (voice, hz, peer) = limited("the next message", heard.recv()).await.unwrap();
    assert_eq!((voice, hz), (1, 440.0));
    assert_eq!(peer.ip(), Some(Ipv4Addr::LOCALHOST.into()));
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.matched, stats.handled), (1, 1, 1));
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn all_types_of_oscsend_in_one_message_are_read_as_rust_values() {
    type All<'a> = (i32, i64, f32, f64, &'a str, Symbol<&'a str>, char, Midi, bool, bool, Nil, Impulse);
    let mut ear = Ear::open().await;
    let words =
        ["/all", "ihfdsScmTFNI", "-7", "9007199254740993", "0.5", "0.1", "saw", "freq", "A", "01903c7f"];
    oscsend(ear.port, &words).await.unwrap();

    let note_on = Midi { port: 1, status: 0x90, data1: 60, data2: 127 };
    let expected: All<'_> =
        (-7, 9_007_199_254_740_993, 0.5, 0.1, "saw", Symbol("freq"), 'A', note_on, true, false, Nil, Impulse);
    assert_eq!(ear.next().await.message.parse::<All<'_>>().unwrap(), expected);
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn a_pattern_of_oscsend_reaches_all_routes_that_match() {
    let mut ear = Ear::with_routes(&[
        "/synth/1/freq",
        "/synth/2/freq",
        "/synth/3/freq",
        "/synth/*/freq",
        "/synth/1/gain",
    ])
    .await;
    for (pattern, expected) in [
        ("/synth/{1,2}/freq", &["/synth/1/freq", "/synth/2/freq", "/synth/*/freq"][..]),
        ("/synth/*/freq", &["/synth/1/freq", "/synth/2/freq", "/synth/3/freq", "/synth/*/freq"]),
        ("/synth/[!13]/freq", &["/synth/2/freq", "/synth/*/freq"]),
        ("/synth/1/?*", &["/synth/1/freq", "/synth/*/freq", "/synth/1/gain"]),
    ] {
        oscsend(ear.port, &[pattern, "f", "440"]).await.unwrap();
        oscsend(ear.port, &["/synth/1/gain", "i", "0"]).await.unwrap();
        let mut routes = Vec::new();
        loop {
            let heard = ear.next().await;
            if heard.message.type_tags() == ",i" {
                break;
            }
            routes.push(heard.route);
        }
        assert_eq!(routes, expected, "{pattern}");
    }
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn oscdump_prints_what_a_client_sends() {
    let mut oscdump = Listener::oscdump(Transport::Udp).await;
    let lines = oscdump.hear(("/synth/1/all", (7, 0.5_f32, "saw", [1_u8, 2, 0xff], 0.25, true, Nil))).await;
    let expected = "/synth/1/all ifsbdTN 7 0.500000 \"saw\" [3b 0x1 0x2 0xff] 0.250000 #T Nil";
    assert_eq!(lines.iter().map(|line| without_time(line)).collect::<Vec<_>>(), [expected]);

    let bundle = Bundle::immediately().with(("/synth/1/freq", 440.0_f32)).with(("/synth/1/gate", true));
    let lines = oscdump.hear(bundle).await;
    let expected = ["/synth/1/freq f 440.000000", "/synth/1/gate T #T"];
    assert_eq!(lines.iter().map(|line| without_time(line)).collect::<Vec<_>>(), expected);
}

/// A connected socket hears one address only: that of a reply must be the one that was asked, which is not the
/// one that the system would choose.
#[tokio::test]
#[ignore = "needs python3"]
async fn a_connected_python_socket_is_answered_from_the_address_that_it_asked() {
    const ASK: &str = "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b'/ping\\0\\0\\0,\\0\\0\\0')
print(s.recv(64))";
    let channel = Channel::udp((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = channel.local_addr().unwrap().port();
    let server = Server::new(Router::new().route("/ping", || ("/pong", ()))).listen("udp", channel).spawn();
    for asked in ["127.0.0.1", "127.0.0.2"] {
        let mut command = Command::new("python3");
        command.args(["-c", ASK, asked, &port.to_string()]);
        let output = run(command).await;
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "b'/pong\\x00\\x00\\x00,\\x00\\x00\\x00'\n",
            "{asked}"
        );
    }
    server.shutdown().await;
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn python_osc_client_reaches_the_server() {
    reaches_the_server(|port| Speaker::python_osc(Transport::Udp, port)).await;
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn osc4py3_client_reaches_the_server() {
    reaches_the_server(Speaker::osc4py3).await;
}

/// A message and bundles of a peer arrive in full: as packets at a channel, as calls at a server.
async fn reaches_the_server(speaker: impl AsyncFn(u16) -> Speaker) {
    let mut channel = loopback().await;
    let mut peer = speaker(channel.local_addr().unwrap().port()).await;
    // python-osc takes a time as a float of seconds: whole ones survive.
    let past = TimeTag::new(0xe000_0000, 0);
    for packet in [all_types().into(), nested_bundle(TimeTag::IMMEDIATELY), nested_bundle(past)] {
        peer.send(&packet).await.unwrap();
        assert_eq!(next_packet(&mut channel).await, packet);
    }

    let mut ear = Ear::open().await;
    let mut peer = speaker(ear.port).await;
    peer.send(nested_bundle(TimeTag::IMMEDIATELY)).await.unwrap();
    for expected in ["/synth/1/all", "/synth/2/freq", "/synth/2/gate"] {
        let heard = ear.next().await;
        assert_eq!(heard.message.address(), expected);
        assert_eq!(heard.meta.time_tag, Some(TimeTag::IMMEDIATELY));
    }
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_client_reaches_the_python_osc_server() {
    is_heard_by(Listener::python_osc(Transport::Udp).await).await;
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn a_client_reaches_the_osc4py3_server() {
    is_heard_by(Listener::osc4py3().await).await;
}

/// A message and a bundle of ours arrive in full, in order.
async fn is_heard_by(mut peer: Listener) {
    assert_eq!(peer.hear(all_types()).await, [all_types().to_string()]);
    let expected =
        [all_types().to_string(), "/synth/2/freq ,f 220.0".to_owned(), "/synth/2/gate ,T true".to_owned()];
    assert_eq!(peer.hear(nested_bundle(TimeTag::IMMEDIATELY)).await, expected);
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn osc4py3_codec_reads_and_writes_the_same_bytes() {
    let mut command = python("osc4py3_peer.py");
    command.arg("echo");
    let (_peer, port) = Program::ready(command).await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    for packet in [all_types().into(), nested_bundle(TimeTag::IMMEDIATELY), nested_bundle(TimeTag::now())] {
        socket.send(packet.as_bytes()).await.unwrap();
        let mut echo = vec![0; 65_536];
        let len = limited("the echo", socket.recv(&mut echo)).await.unwrap();
        assert_eq!(echo[..len], packet.as_bytes()[..], "{packet}");
    }
}

/// osc4py3 puts a character into the first of its four bytes; `to_char` reads it anyway.
#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn a_character_of_osc4py3_is_read_in_spite_of_its_place() {
    let mut ear = Ear::open().await;
    let mut peer = Speaker::osc4py3(ear.port).await;
    peer.send(("/char", 'A')).await.unwrap();
    assert_eq!(ear.next().await.message.parse::<char>().unwrap(), 'A');
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_python_osc_client_gets_the_reply_on_its_own_socket() {
    let channel = loopback().await;
    let port = channel.local_addr().unwrap().port();
    let router = Router::new().route("/ping", async |Args(n): Args<i32>| ("/pong", n + 1));
    let server = Server::new(router).listen("udp", channel).spawn();
    let mut peer = Speaker::python_osc(Transport::Udp, port).await;

    peer.send(("/ping", 7)).await.unwrap();

    assert_eq!(peer.receive().await.to_string(), "/pong ,i 8");
    assert_eq!(server.shutdown().await.replies, 1);
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_request_is_answered_by_the_python_osc_server() {
    let peer = Listener::python_osc(Transport::Udp).await;
    let reply = peer.client.request(("/ping", 7), "/pong").await.unwrap();
    assert_eq!(reply.parse::<i32>().unwrap(), 7);
}
