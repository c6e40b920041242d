//! Every profile on every input: no panic, and the promises that the profiles make to each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::packet::{AnnotatedDump, DecodeOptions, HexDump, PacketRef};
use tokio_osc::{Bytes, Packet};

fuzz_target!(|data: &[u8]| {
    let frame = Bytes::copy_from_slice(data);
    let decode = |options: &DecodeOptions| Packet::decode_with(frame.clone(), options).ok();

    let strict = decode(&DecodeOptions::strict());
    let default = decode(&DecodeOptions::default());
    let lenient = decode(&DecodeOptions::lenient());
    let bare = decode(&DecodeOptions::lenient().accept_bare_addresses(true));

    if let Some((packet, mut repairs)) = strict {
        assert_eq!(default.as_ref().map(|(packet, _)| packet), Some(&packet));
        repairs.unknown_type_tags = 0;
        assert!(repairs.is_none());
    }
    if let Some((packet, _)) = &default {
        assert_eq!(packet.as_bytes(), &frame);
        assert_eq!(lenient.as_ref().map(|(packet, _)| packet), Some(packet));
    }
    if lenient.is_some() {
        assert_eq!(lenient, bare);
    }
    if let Some((packet, _)) = bare {
        let options = DecodeOptions::lenient().accept_bare_addresses(true);
        assert!(packet.as_bytes().len() <= 2 * data.len() + 8);
        let (again, _) = PacketRef::decode(packet.as_bytes(), &options).expect("in validated wire form");
        assert_eq!(again, packet.as_ref());
        assert!(format!("{packet:?}").len() <= 4 * 1_024 + 16);
    }
    let _ = AnnotatedDump(data).to_string();
    let _ = HexDump(data).to_string();
});
