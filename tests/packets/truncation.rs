//! A packet that was cut anywhere is an error, never a shorter packet, except at the places where
//! the bytes before the cut are a packet of their own.

use tokio_osc::Packet;
use tokio_osc::packet::PacketRef;

use crate::support::{bytes, deep, name, valid};

#[test]
fn every_cut_of_every_vector_is_an_error() {
    let (mut cuts, mut shorter) = (0, 0);
    for vector in valid() {
        let frame = bytes(&vector);
        let whole = PacketRef::decode(&frame, &deep()).unwrap().0;
        for cut in 0..frame.len() {
            cuts += 1;
            let Ok((packet, _)) = Packet::decode_with(frame.slice(..cut), &deep()) else { continue };
            shorter += 1;
            assert!(is_packet_of_its_own(whole, packet.as_ref()), "{} cut at {cut}: {packet}", name(&vector));
        }
    }
    println!("{cuts} cuts, of which {shorter} leave a packet of its own");
    assert!(shorter * 10 < cuts);
}

/// An address alone, or a bundle of the first elements: nothing on the wire says that more was
/// meant.
fn is_packet_of_its_own(whole: PacketRef<'_>, cut: PacketRef<'_>) -> bool {
    match (whole, cut) {
        (PacketRef::Message(whole), PacketRef::Message(cut)) => {
            cut.type_tags().is_empty() && cut.address() == whole.address()
        }
        (PacketRef::Bundle(whole), PacketRef::Bundle(cut)) => {
            whole.time_tag() == cut.time_tag()
                && cut.elements().eq(whole.elements().take(cut.elements().count()))
                && cut.elements().count() < whole.elements().count()
        }
        _ => false,
    }
}
