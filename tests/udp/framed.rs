//! UDP as a stream: frames that lie in several datagrams, and several in one, each source for itself.
#![cfg(feature = "net")]

use std::net::{SocketAddr, UdpSocket};

use futures::StreamExt;
use tokio_osc::codec::Framing;
use tokio_osc::packet::{DecodeErrorKind, IntoPacket, SendErrorKind};
use tokio_osc::{Args, Bytes, Channel, Client, LengthPrefix, Router, Server, Slip, Udp};
use tokio_util::bytes::BytesMut;

use crate::support::LOOPBACK;

async fn listen(options: Udp) -> (Channel, SocketAddr) {
    let channel = options.bind().await.unwrap();
    let address = channel.local_addr().unwrap();
    (channel, address)
}

fn slip() -> Udp {
    Udp::new(LOOPBACK).framed(Slip::new())
}

fn frame(mut framing: impl Framing, packet: impl IntoPacket) -> Vec<u8> {
    let mut frame = BytesMut::new();
    let bytes: Bytes = packet.into_packet().unwrap().as_bytes().clone();
    assert!(framing.encode(bytes, &mut frame).is_ok());
    frame.to_vec()
}

fn source() -> UdpSocket {
    UdpSocket::bind(LOOPBACK).unwrap()
}

/// The next item: a line, or the kind of what is wrong.
async fn next(channel: &mut Channel) -> Result<String, DecodeErrorKind> {
    let (packet, _) = channel.next().await.unwrap();
    packet.map(|packet| packet.to_string()).map_err(|error| error.kind())
}

#[tokio::test]
async fn a_frame_may_lie_in_several_datagrams_and_several_in_one() {
    for (options, a, b) in [
        (slip(), frame(Slip::new(), ("/a", 192)), frame(Slip::new(), ("/b", ()))),
        (
            Udp::new(LOOPBACK).framed(LengthPrefix::new()),
            frame(LengthPrefix::new(), ("/a", 192)),
            frame(LengthPrefix::new(), ("/b", ())),
        ),
    ] {
        let (mut channel, address) = listen(options).await;
        let source = source();
        for part in a.chunks(5) {
            source.send_to(part, address).unwrap();
        }
        source.send_to(&[&b[..], &a, &b[..3]].concat(), address).unwrap();
        source.send_to(&b[3..], address).unwrap();
        for expected in ["/a ,i 192", "/b ,", "/a ,i 192", "/b ,"] {
            assert_eq!(next(&mut channel).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn each_source_is_a_stream_of_its_own() {
    let (mut channel, address) = listen(slip()).await;
    let (left, right) = (source(), source());
    let (a, b) = (frame(Slip::new(), ("/a", ())), frame(Slip::new(), ("/b", ())));
    left.send_to(&a[..4], address).unwrap();
    right.send_to(&b[..7], address).unwrap();
    left.send_to(&a[4..], address).unwrap();
    right.send_to(&b[7..], address).unwrap();
    for (expected, from) in [("/a ,", &left), ("/b ,", &right)] {
        let (packet, meta) = channel.next().await.unwrap();
        assert_eq!(packet.unwrap().to_string(), expected);
        assert_eq!(meta.peer.address(), Some(from.local_addr().unwrap()));
    }
}

#[tokio::test]
async fn a_bad_frame_is_one_error_and_the_next_is_heard() {
    let (mut channel, address) = listen(slip()).await;
    let source = source();
    let good = frame(Slip::new(), ("/a", ()));
    source.send_to(&[b"\xc0\xdb\x41 rest of it\xc0", &good[..]].concat(), address).unwrap();
    assert_eq!(next(&mut channel).await, Err(DecodeErrorKind::Refused(Slip::BAD_ESCAPE)));
    assert_eq!(next(&mut channel).await.unwrap(), "/a ,");

    let (mut channel, address) = listen(Udp::new(LOOPBACK).framed(LengthPrefix::new())).await;
    let good = frame(LengthPrefix::new(), ("/a", ()));
    source.send_to(&[b"\xff\xff\xff\xff", &good[..]].concat(), address).unwrap();
    source.send_to(&good, address).unwrap();
    assert_eq!(
        next(&mut channel).await,
        Err(DecodeErrorKind::FrameTooLong),
        "where the next begins is unknown"
    );
    assert_eq!(next(&mut channel).await.unwrap(), "/a ,");
}

#[tokio::test]
async fn answers_and_requests_are_framed_both_ways() {
    let (channel, address) = listen(slip()).await;
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("udp", channel).spawn();

    let client = Udp::new(address).framed(Slip::new()).client().await.unwrap();
    let reply = client.request(("/ping", 192), "/pong").await.unwrap();
    assert_eq!(reply.parse::<i32>().unwrap(), 192);

    let source = tokio::net::UdpSocket::bind(LOOPBACK).await.unwrap();
    source.send_to(&frame(Slip::new(), ("/ping", 7)), address).await.unwrap();
    let mut answer = [0; 64];
    let len = source.recv(&mut answer).await.unwrap();
    assert_eq!(answer[..len], frame(Slip::new(), ("/pong", 7)));
    server.shutdown().await;
}

#[tokio::test]
async fn the_source_that_was_silent_longest_is_forgotten_for_one_too_many() {
    const SOURCES: usize = 500;
    let (mut channel, address) = listen(slip()).await;
    let monitor = channel.monitor().unwrap();
    let frame = frame(Slip::new(), ("/a", ()));
    let sources: Vec<_> = (0..=SOURCES).map(|_| source()).collect();
    // One at a time, so that the kernel's buffer holds them: a whole frame of another is behind each.
    let ticker = source();
    for source in &sources[..SOURCES - 1] {
        source.send_to(&frame[..6], address).unwrap();
        ticker.send_to(&frame, address).unwrap();
        assert_eq!(next(&mut channel).await.unwrap(), "/a ,");
    }
    assert_eq!(monitor.stats().unwrap().unfinished, 0, "{SOURCES} with the one that ticks");
    sources[SOURCES].send_to(&frame[..6], address).unwrap();
    ticker.send_to(&frame, address).unwrap();
    assert_eq!(next(&mut channel).await.unwrap(), "/a ,");
    assert_eq!(monitor.stats().unwrap().unfinished, 1, "the first had to go");

    sources[0].send_to(&frame[6..], address).unwrap();
    assert!(next(&mut channel).await.is_err(), "half a frame");
    for source in sources[2..SOURCES - 1].iter().chain(&sources[SOURCES..]) {
        source.send_to(&frame[6..], address).unwrap();
        assert_eq!(next(&mut channel).await.unwrap(), "/a ,");
    }
}

#[tokio::test]
async fn an_unfinished_frame_has_a_largest_size() {
    const LIMIT: usize = 1_000;
    let packet = |size: usize| ("/blob", vec![1_u8; size]).into_packet().unwrap();
    let (mut channel, address) = listen(slip().max_unfinished(LIMIT)).await;
    let source = source();
    let parts = |frame: &[u8], first: usize| {
        source.send_to(&frame[..first], address).unwrap();
        source.send_to(&frame[first..], address).unwrap();
    };
    let frame = frame(Slip::new(), packet(2_000));
    // The END before the frame is not kept.
    parts(&frame, LIMIT + 1);
    assert!(next(&mut channel).await.is_ok());
    parts(&frame, LIMIT + 2);
    assert_eq!(next(&mut channel).await, Err(DecodeErrorKind::FrameTooLong));
    assert!(next(&mut channel).await.is_err(), "the second half alone is not a frame");
    source.send_to(&frame, address).unwrap();
    assert!(next(&mut channel).await.is_ok(), "a whole frame is not an unfinished one");
}

#[tokio::test]
async fn a_frame_fits_a_datagram_or_is_refused() {
    let (mut channel, address) = listen(slip()).await;
    let client = Udp::new(address).framed(Slip::new()).client().await.unwrap();
    let largest = vec![1_u8; 65_507 - 2 - 16 - 1];
    client.send(("/blob", largest)).await.unwrap();
    assert!(next(&mut channel).await.is_ok());
    let error = client.send(("/blob", vec![1_u8; 65_508 - 16])).await.unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::TooLarge { limit: 65_507, .. }), "{error}");
    let plain = Client::udp(address).await.unwrap();
    plain.send(("/a", ())).await.unwrap();
    client.send(("/b", ())).await.unwrap();
    assert_eq!(next(&mut channel).await.unwrap(), "/b ,", "without an END the first is not at its end");
}
