//! The same bytes to rosc: the same values wherever both accept them, and a table of who differs.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rosc::{OscPacket, OscType};
use support::{bytes, deep, name, raw_decode, valid};
use tokio_osc::{ArgRef, PacketRef};

/// Its characters are in osc4py3's form. rosc refuses them, and then gives a bundle without the
/// message that holds them, and no error.
const CHARS_IN_A_BUNDLE: &str = "bundle_with_blob_and_array";

fn same_packet(ours: PacketRef<'_>, theirs: &OscPacket) -> bool {
    match (ours, theirs) {
        (PacketRef::Message(ours), OscPacket::Message(theirs)) => {
            ours.address() == theirs.addr.as_str() && same_args(ours.args(), &theirs.args)
        }
        (PacketRef::Bundle(ours), OscPacket::Bundle(theirs)) => {
            let (time_tag, elements) = (ours.time_tag(), ours.elements().collect::<Vec<_>>());
            (time_tag.seconds(), time_tag.fraction()) == (theirs.timetag.seconds, theirs.timetag.fractional)
                && elements.len() == theirs.content.len()
                && elements.into_iter().zip(&theirs.content).all(|(ours, theirs)| same_packet(ours, theirs))
        }
        _ => false,
    }
}

fn same_args<'a>(ours: impl Iterator<Item = ArgRef<'a>>, theirs: &[OscType]) -> bool {
    let ours: Vec<_> = ours.collect();
    ours.len() == theirs.len() && ours.into_iter().zip(theirs).all(|(ours, theirs)| same_arg(ours, theirs))
}

fn same_arg(ours: ArgRef<'_>, theirs: &OscType) -> bool {
    match (ours, theirs) {
        (ArgRef::Int32(a), OscType::Int(b)) => a == *b,
        (ArgRef::Float32(a), OscType::Float(b)) => a.to_bits() == b.to_bits(),
        (ArgRef::String(a), OscType::String(b)) => a == b.as_str(),
        (ArgRef::Blob(a), OscType::Blob(b)) => a == b,
        (ArgRef::Int64(a), OscType::Long(b)) => a == *b,
        (ArgRef::TimeTag(a), OscType::Time(b)) => (a.seconds(), a.fraction()) == (b.seconds, b.fractional),
        (ArgRef::Float64(a), OscType::Double(b)) => a.to_bits() == b.to_bits(),
        (ArgRef::Char(a), OscType::Char(b)) => a.to_bits() == u32::from(*b),
        (ArgRef::Color(a), OscType::Color(b)) => <[u8; 4]>::from(a) == [b.red, b.green, b.blue, b.alpha],
        (ArgRef::Midi(a), OscType::Midi(b)) => <[u8; 4]>::from(a) == [b.port, b.status, b.data1, b.data2],
        (ArgRef::Bool(a), OscType::Bool(b)) => a == *b,
        (ArgRef::Nil, OscType::Nil) | (ArgRef::Impulse, OscType::Inf) => true,
        (ArgRef::Array(a), OscType::Array(b)) => same_args(a.iter(), &b.content),
        _ => false,
    }
}

#[test]
fn valid_vectors_have_the_same_values() {
    let mut refused = Vec::new();
    for vector in valid() {
        let frame = bytes(&vector);
        let (ours, _) = PacketRef::decode(&frame, &deep()).unwrap();
        match rosc::decoder::decode_udp(&frame) {
            Ok(_) if name(&vector) == CHARS_IN_A_BUNDLE => {}
            Ok((_, theirs)) => assert!(same_packet(ours, &theirs), "{}: {ours} or {theirs:?}", name(&vector)),
            Err(_) => refused.push(name(&vector).to_owned()),
        }
    }
    println!("valid, but rosc refuses {}: {}", refused.len(), refused.join(" "));
}

#[test]
fn a_table_of_who_differs_on_raw_vectors() {
    let (mut only_rosc, mut only_ours, mut read_differently) = (Vec::new(), Vec::new(), Vec::new());
    // rosc recurses: deep bundles abort a test thread in a debug build.
    for vector in raw_decode().iter().filter(|vector| !name(vector).starts_with("raw_bundle_depth")) {
        let frame = bytes(vector);
        let name = name(vector).to_owned();
        match (PacketRef::decode(&frame, &deep()), rosc::decoder::decode_udp(&frame)) {
            (Err(_), Ok(_)) => only_rosc.push(name),
            (Ok(_), Err(_)) => only_ours.push(name),
            (Ok((ours, _)), Ok((_, theirs))) if !same_packet(ours, &theirs) => read_differently.push(name),
            _ => {}
        }
    }
    println!("rosc alone accepts {}: {}", only_rosc.len(), only_rosc.join(" "));
    println!("rosc alone refuses {}: {}", only_ours.len(), only_ours.join(" "));
    println!("read differently {}: {}", read_differently.len(), read_differently.join(" "));
    assert!(read_differently.is_empty(), "{read_differently:?}");
    assert!(only_rosc.contains(&"raw_trailing_4".to_owned()), "it drops what is left over");
}

#[test]
fn what_we_encode_rosc_reads() {
    for vector in valid() {
        let (ours, _) = PacketRef::decode(&bytes(&vector), &deep())
            .map(|(ours, repairs)| (ours.to_owned(), repairs))
            .unwrap();
        let Ok((_, theirs)) = rosc::decoder::decode_udp(&bytes(&vector)) else { continue };
        if name(&vector) == CHARS_IN_A_BUNDLE {
            continue;
        }
        assert_eq!(&rosc::encoder::encode(&theirs).unwrap(), ours.as_bytes(), "{}", name(&vector));
    }
}
