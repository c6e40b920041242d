//! The same bytes to rosc: the same values wherever both accept them, and a table of who differs.

use tokio_osc::packet::PacketRef;

use crate::support::rosc::same_packet;
use crate::support::{bytes, deep, name, raw_decode, valid};

/// Its characters are in osc4py3's form. rosc refuses them, and then gives a bundle without the
/// message that holds them, and no error.
const CHARS_IN_A_BUNDLE: &str = "bundle_with_blob_and_array";

#[test]
fn rosc_reads_the_same_values_from_valid_vectors() {
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
fn rosc_differs_on_raw_vectors_as_the_table_says() {
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
    assert!(only_rosc.contains(&"raw_trailing_4".to_owned()), "it drops the bytes left over");
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
