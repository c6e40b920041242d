//! Bare codecs: the order of the layers, and that a dropped packet costs nothing but itself.

use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use tokio::io::duplex;
use tokio_osc::codec::{Codec, Datagram};
use tokio_osc::middleware::{AllowedTypeTags, Flow, Middleware, on_packet_in, on_packet_out};
use tokio_osc::packet::{DecodeErrorKind, EncodeErrorKind, TypeTag, TypeTagSet};
use tokio_osc::{LengthPrefix, Meta, Peer, Slip};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder, Framed};

use super::marks::{Flip, Logged, NoSecrets, encoded, message, rename};

#[test]
fn layers_are_asked_from_the_wire_inwards_and_back() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let layer = |name| Logged { name, log: Arc::clone(&log) };
    let mut codec = Datagram::new().middleware(layer("outer")).middleware(layer("inner"));
    let mut bytes = BytesMut::new();

    codec.encode(("/a", 1), &mut bytes).unwrap();
    assert_eq!(
        std::mem::take(&mut *log.lock().unwrap()),
        ["inner packet_out", "outer packet_out", "inner frame_out", "outer frame_out"]
    );
    codec.decode(&mut bytes).unwrap().unwrap().unwrap();
    assert_eq!(
        std::mem::take(&mut *log.lock().unwrap()),
        ["outer frame_in", "inner frame_in", "outer packet_in", "inner packet_in"]
    );
}

#[test]
fn a_layer_that_drops_ends_the_matter() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let behind = Logged { name: "behind", log: Arc::clone(&log) };
    let mut codec = Datagram::new().middleware(on_packet_in(|_, _| Flow::Drop)).middleware(behind);
    let mut bytes = BytesMut::from(&encoded(("/a", 1))[..]);
    assert!(codec.decode(&mut bytes).unwrap().is_none());
    assert!(bytes.is_empty(), "the datagram is gone");
    assert_eq!(*log.lock().unwrap(), ["behind frame_in"]);
}

#[tokio::test]
async fn a_dropped_packet_loses_nothing_else() {
    let (here, there) = duplex(4_096);
    let mut here = Framed::new(here, Codec::new(Slip::new()));
    let mut there = Framed::new(there, Codec::new(Slip::new()).middleware(NoSecrets));
    for round in 0..10 {
        for address in ["/secret", "/open", "/secret"] {
            here.send((address, round)).await.unwrap();
        }
    }
    drop(here);
    for round in 0..10 {
        assert_eq!(there.next().await.unwrap().unwrap().unwrap().to_string(), format!("/open ,i {round}"));
    }
    assert!(there.next().await.is_none(), "the stream ends as it should");
}

#[tokio::test]
async fn a_packet_dropped_on_its_way_out_writes_nothing() {
    let mut bytes = BytesMut::new();
    let mut codec = Codec::new(LengthPrefix::new()).middleware(NoSecrets);
    codec.encode(("/secret", 1), &mut bytes).unwrap();
    assert!(bytes.is_empty());
    codec.encode(message("/open", 1), &mut bytes).unwrap();
    assert_eq!(bytes.len(), 4 + 16);
}

#[test]
fn a_refused_packet_is_an_error_and_writes_nothing() {
    let only_ints = || AllowedTypeTags::new(TypeTagSet::of("i").unwrap());
    let not_allowed = DecodeErrorKind::TypeTagNotAllowed(TypeTag::Float32);
    let mut codec = Codec::new(Slip::new()).middleware(only_ints());
    let mut bytes = BytesMut::from(&b"before"[..]);
    let error = codec.encode(("/a", 0.5_f32), &mut bytes).unwrap_err();
    let error = error.encode_error().unwrap();
    assert_eq!(error.kind(), EncodeErrorKind::NotAccepted(not_allowed));
    assert_eq!(bytes, &b"before"[..]);

    let mut bytes = BytesMut::new();
    let mut plain = Codec::new(Slip::new());
    plain.encode(("/a", 0.5_f32), &mut bytes).unwrap();
    plain.encode(("/a", 1), &mut bytes).unwrap();
    assert_eq!(codec.decode(&mut bytes).unwrap().unwrap().unwrap_err().kind(), not_allowed);
    assert_eq!(codec.decode(&mut bytes).unwrap().unwrap().unwrap().to_string(), "/a ,i 1");
}

#[test]
fn frames_are_changed_before_decoding_and_after_encoding() {
    let mut flipped = Datagram::new().middleware(Flip);
    let mut bytes = BytesMut::new();
    flipped.encode(("/a", 1), &mut bytes).unwrap();
    assert!(Datagram::new().decode(&mut bytes.clone()).unwrap().unwrap().is_err());
    assert_eq!(flipped.decode(&mut bytes).unwrap().unwrap().unwrap().to_string(), "/a ,i 1");
}

#[test]
fn what_a_layer_changes_in_the_meta_is_what_the_codec_gives() {
    let mut codec = Datagram::new().middleware(rename("renamed"));
    let mut meta = Meta::from_peer(Peer::LOCAL);
    codec.read(&encoded(("/a", 1)), &mut meta).unwrap().unwrap();
    assert_eq!(meta.channel(), "renamed");

    let peer = Peer::from(([127, 0, 0, 1], 9_000));
    let mut codec = Codec::new(LengthPrefix::new()).peer(peer).middleware(rename("renamed"));
    let mut bytes = BytesMut::new();
    codec.encode(("/a", 1), &mut bytes).unwrap();
    let (packet, meta) = codec.read(&mut bytes).unwrap().unwrap();
    packet.unwrap();
    assert_eq!((meta.channel(), meta.peer), ("renamed", peer));
}

#[test]
fn a_layer_for_certain_peers_lets_the_others_pass() {
    let mute = |port| {
        let drop_in = on_packet_in(|_, _| Flow::Drop);
        let drop_out = on_packet_out(|_, _| Flow::Drop);
        let is_it = move |peer: Peer| peer.address().is_some_and(|address| address.port() == port);
        (drop_in.only_for(is_it), drop_out.only_for(is_it))
    };
    for (muted, heard) in [(9_000, false), (9_001, true)] {
        let (drop_in, drop_out) = mute(muted);
        let peer = Peer::from(([127, 0, 0, 1], 9_000));
        let mut codec = Codec::new(Slip::new()).peer(peer).middleware(drop_in).middleware(drop_out);
        let mut bytes = BytesMut::new();
        codec.encode(("/a", 1), &mut bytes).unwrap();
        assert_eq!(bytes.is_empty(), !heard);
        Codec::new(Slip::new()).encode(("/b", 1), &mut bytes).unwrap();
        assert_eq!(codec.read(&mut bytes).unwrap().is_some(), heard);
    }
}
