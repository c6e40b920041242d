//! The layers that rewrite frames, on every input: no panic, a bounded size, and what was compressed
//! expands to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::middleware::{AddressTable, Flow, Middleware, Transcode};
use tokio_osc::packet::encoding_rs::{ISO_2022_JP, SHIFT_JIS, WINDOWS_1252};
use tokio_osc::packet::{DecodeOptions, EncodeErrorKind, OnUnmappable};
use tokio_osc::{Bytes, Meta, Packet, Peer};

fuzz_target!(|data: &[u8]| {
    let frame = Bytes::copy_from_slice(data);
    let meta = &mut Meta::from_peer(Peer::LOCAL);

    let table = AddressTable::new([("/a", 0), ("/foo", 1), ("/synth/1/freq", -1), ("/x*", 0x2f00_0000)])
        .expect("a table")
        .max_growth(64);
    if let Ok(Flow::Pass(plain)) = table.frame_in(frame.clone(), meta) {
        assert!(plain.len() <= data.len() + 64);
    }
    if let Ok(packet) = Packet::decode(frame.clone()) {
        let table = table.max_growth(usize::MAX);
        match table.frame_out(packet.as_bytes().clone(), meta) {
            Ok(Flow::Pass(compressed)) => {
                let Ok(Flow::Pass(plain)) = table.frame_in(compressed, meta) else {
                    panic!("the numbers are those of the table")
                };
                // The padding of an address may have been other than NUL.
                assert_eq!(Packet::decode(plain).expect("a packet"), packet);
            }
            Ok(Flow::Drop) => unreachable!("a table drops nothing"),
            Err(error) => assert_eq!(error.kind(), EncodeErrorKind::Refused(AddressTable::RESERVED_ADDRESS)),
        }
    }

    for charset in [WINDOWS_1252, SHIFT_JIS, ISO_2022_JP] {
        let layer = Transcode::new(charset, OnUnmappable::Replace);
        for turned in [layer.frame_in(frame.clone(), meta).ok(), layer.frame_out(frame.clone(), meta).ok()] {
            let Some(Flow::Pass(turned)) = turned else { unreachable!("all is replaced") };
            assert!(turned.len() <= 8 * data.len() + 8);
        }
        if Packet::decode(frame.clone()).is_ok() {
            let Ok(Flow::Pass(turned)) = layer.frame_in(frame.clone(), meta) else { unreachable!() };
            assert!(Packet::decode_with(turned, &unlimited()).is_ok(), "a packet stays one");
        }
    }
});

/// Addresses grow.
fn unlimited() -> DecodeOptions {
    DecodeOptions::default().max_address_len(usize::MAX).max_address_parts(usize::MAX)
}
