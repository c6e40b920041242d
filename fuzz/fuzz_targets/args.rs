//! Arguments of every packet, taken as types that they are and are not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::packet::{ArgRef, Array, Char, Exact, MessageRef, PacketRef, Rest, Symbol};
use tokio_osc::{Arg, Bytes, Message, TimeTag};

fuzz_target!(|data: &[u8]| {
    let Ok((packet, _)) = PacketRef::decode(data, &Default::default()) else { return };
    let mut open = vec![packet];
    while let Some(packet) = open.pop() {
        match packet {
            PacketRef::Message(message) => extract(message),
            PacketRef::Bundle(bundle) => open.extend(bundle.elements()),
        }
    }
});

fn extract(message: MessageRef<'_>) {
    let read: Vec<ArgRef<'_>> = message.args().collect();
    let list: Vec<Arg> = message.parse().expect("any argument is an Arg");
    assert_eq!(read.len(), list.len());

    let rebuilt =
        Message::with_raw_address(message.address().as_bytes(), &list[..]).expect("it was encoded once");
    assert_eq!(rebuilt.parse::<Vec<Arg>>().expect("the same list"), list);

    let _ = message.parse::<(i32, i64, f32, f64, bool)>();
    let _ = message.parse::<Vec<f32>>();
    let _ = message.parse::<Vec<i32>>();
    let _ = message.parse::<Vec<bool>>();
    let _ = message.parse::<[Option<f64>; 4]>();
    let _ = message.parse::<(&str, Option<i32>, Rest)>();
    let _ = message.parse::<(Exact<f32>, Exact<String>)>();
    let _ = message.parse::<(Array<Vec<Arg>>, Option<Array<(i32, Rest)>>)>();
    let _ = message.parse::<(TimeTag, Char, char, Symbol<String>)>();
    let _ = rebuilt.parse::<(Bytes, Rest)>();
    let _ = rebuilt.parse::<Vec<Bytes>>();
}
