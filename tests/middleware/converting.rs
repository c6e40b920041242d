//! Arguments that are turned into types that a receiver knows, both ways.

use tokio_osc::middleware::{AllowedTypeTags, Flow, Middleware};
use tokio_osc::packet::{Array, DecodeErrorKind, EncodeErrorKind, Symbol, TypeTag, TypeTagSet};
use tokio_osc::packet::{EncodeError, IntoPacket};
use tokio_osc::{Bundle, Message, Meta, Packet, Peer};

fn layer(tags: &str) -> AllowedTypeTags {
    AllowedTypeTags::new(TypeTagSet::of(tags).unwrap()).converting()
}

/// The line of the packet as it is sent, which equals the one that is received.
fn sent(tags: &str, packet: impl IntoPacket) -> Result<String, EncodeError> {
    let packet = packet.into_packet()?;
    let meta = &mut Meta::from_peer(Peer::LOCAL);
    let received = layer(tags).packet_in(packet.clone(), meta).ok();
    let Flow::Pass(sent) = layer(tags).packet_out(packet, meta)? else { panic!("it is not dropped") };
    assert_eq!(received, Some(Flow::Pass(sent.clone())));
    assert_eq!(Packet::decode(sent.as_bytes().clone()).unwrap(), sent, "it is a packet");
    Ok(sent.to_string())
}

fn refused(tags: &str, packet: impl IntoPacket) -> EncodeErrorKind {
    sent(tags, packet).unwrap_err().kind()
}

fn not_allowed(tag: TypeTag) -> EncodeErrorKind {
    EncodeErrorKind::NotAccepted(DecodeErrorKind::TypeTagNotAllowed(tag))
}

#[test]
fn what_loses_nothing_or_is_rounded_is_turned() {
    let args = (0.1_f64, 7_i64, true, "x", false, Symbol("y"), 1, 0.5_f32);
    assert_eq!(sent("ifsb", ("/a", args)).unwrap(), "/a ,fiisisif 0.1 7 1 \"x\" 0 \"y\" 1 0.5");
    assert_eq!(sent("ifsb", ("/a", (f64::INFINITY, 0.0_f64))).unwrap(), "/a ,ff inf 0");
}

#[test]
fn what_is_allowed_stays() {
    assert_eq!(sent("ifsbd", ("/a", (0.1_f64, 7_i64))).unwrap(), "/a ,di 0.1 7");
    let packet = ("/a", (1, 0.5_f32)).into_packet().unwrap();
    let bytes = packet.as_bytes().as_ptr();
    let Ok(Flow::Pass(passed)) = layer("if").packet_out(packet, &mut Meta::from_peer(Peer::LOCAL)) else {
        panic!("it passes")
    };
    assert_eq!(passed.as_bytes().as_ptr(), bytes, "not even a copy");
}

#[test]
fn what_would_lose_more_is_refused() {
    assert_eq!(refused("ifsb", ("/a", f64::MAX)), not_allowed(TypeTag::Float64));
    assert_eq!(refused("ifsb", ("/a", i64::MAX)), not_allowed(TypeTag::Int64));
    assert_eq!(refused("ifsb", ("/a", 'c')), not_allowed(TypeTag::Char));
    assert_eq!(refused("fsb", ("/a", true)), not_allowed(TypeTag::Int32), "what it became is not allowed");
    assert_eq!(refused("ifsb", ("/a", Array((0.5_f64,)))), not_allowed(TypeTag::ArrayBegin));
    let error = sent("ifsb", ("/a", (true, 'c'))).unwrap_err();
    assert_eq!(error.to_string(), "not accepted: type tag 'c' is not allowed, at byte 6");
}

#[test]
fn sizes_in_nested_bundles_follow() {
    let inner = Bundle::immediately().with(("/b", (true, 2.0_f64))).with(("/c", 3_i64));
    let bundle = Bundle::immediately().with(("/a", 1.5_f64)).with(inner).with(("/d", 4));
    let lines: Vec<_> = sent("if", bundle).unwrap().lines().map(str::to_owned).collect();
    let wanted = ["/a ,f 1.5", "/b ,if 1 2", "/c ,i 3", "/d ,i 4"];
    assert_eq!(lines.iter().filter(|line| line.starts_with('/')).collect::<Vec<_>>(), wanted.each_ref());
}

#[test]
fn arrays_are_turned_inside() {
    let message = Message::new("/a", (Array((0.5_f64, true)), 1_i64)).unwrap();
    assert_eq!(sent("if[]", message).unwrap(), "/a ,[fi]i [ 0.5 1 ] 1");
}
