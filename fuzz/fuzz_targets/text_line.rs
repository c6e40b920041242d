//! Canonical lines: what is read is written so that it reads back to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::packet::DecodeOptions;
use tokio_osc::{Bytes, Packet};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(packet) = text.parse::<Packet>() {
            reads_back(&packet);
        }
    }
    let options = DecodeOptions::lenient().accept_bare_addresses(true);
    if let Ok((packet, repairs)) = Packet::decode_with(Bytes::copy_from_slice(data), &options) {
        if repairs.nonzero_padding + repairs.unknown_type_tags == 0 {
            reads_back(&packet);
        }
    }
});

fn reads_back(packet: &Packet) {
    let line = packet.to_string();
    let again: Packet = line.parse().unwrap_or_else(|error| panic!("{error} in {line}"));
    assert_eq!(again.as_bytes(), packet.as_bytes(), "{line}");
}
