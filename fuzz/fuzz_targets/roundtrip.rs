//! What is decoded can be built again from its values, and is then equal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::packet::{DecodeOptions, PacketRef};
use tokio_osc::{Arg, Bundle, Bytes, Message, Packet};

fuzz_target!(|data: &[u8]| {
    let Ok((packet, repairs)) = Packet::decode_with(Bytes::copy_from_slice(data), &DecodeOptions::default())
    else {
        return;
    };
    let rebuilt = rebuild(packet.as_ref());
    if repairs.missing_type_tags == 0 {
        assert_eq!(rebuilt, packet);
    }
    if repairs.nonzero_padding + repairs.missing_type_tags + repairs.unknown_type_tags == 0 {
        assert_eq!(rebuilt.as_bytes(), packet.as_bytes());
    }
    assert_eq!(Packet::decode(rebuilt.as_bytes().clone()).expect("just encoded"), rebuilt);
});

/// The depth is limited by the options.
fn rebuild(packet: PacketRef<'_>) -> Packet {
    match packet {
        PacketRef::Message(message) => {
            let args: Vec<Arg> = message.parse().expect("any argument is an Arg");
            Message::with_raw_address(message.address().as_bytes(), args).expect("it was encoded once").into()
        }
        PacketRef::Bundle(bundle) => {
            let builder = Bundle::at(bundle.time_tag());
            let built = bundle.elements().fold(builder, |builder, element| builder.with(rebuild(element)));
            built.build().expect("it was encoded once").into()
        }
    }
}
