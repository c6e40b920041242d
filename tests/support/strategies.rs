//! Values of every kind, for proptest.

use proptest::prelude::*;
use tokio_osc::packet::{BundleBuilder, Char, Color, Midi, TextBuf};
use tokio_osc::{Arg, Bundle, Bytes, Message, Packet, TimeTag};

/// Text of a wire string: no NUL, all charsets.
pub fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[ -~]{0,12}".prop_map(String::into_bytes),
        1 => "\\PC{0,6}".prop_map(String::into_bytes),
        1 => "[\\x01-\\x7f]{0,9}".prop_map(String::into_bytes),
        1 => prop::collection::vec(1..=255_u8, 0..9),
    ]
}

/// Addresses and patterns that begin with a slash.
pub fn address() -> impl Strategy<Value = Vec<u8>> {
    let plain = "(/[a-z0-9_.*?]{0,8}){1,4}".prop_map(String::into_bytes);
    let odd = text().prop_map(|text| [b"/".as_slice(), &text].concat());
    prop_oneof![3 => plain, 1 => odd]
}

pub fn scalar() -> impl Strategy<Value = Arg> {
    prop_oneof![
        any::<i32>().prop_map(Arg::Int32),
        any::<u32>().prop_map(|bits| Arg::Float32(f32::from_bits(bits))),
        text().prop_map(|text| Arg::String(TextBuf::new(text))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|blob| Arg::Blob(Bytes::from(blob))),
        any::<i64>().prop_map(Arg::Int64),
        any::<u64>().prop_map(|bits| Arg::TimeTag(TimeTag::from_bits(bits))),
        any::<u64>().prop_map(|bits| Arg::Float64(f64::from_bits(bits))),
        text().prop_map(|text| Arg::Symbol(TextBuf::new(text))),
        any::<u32>().prop_map(|bits| Arg::Char(Char::from_bits(bits))),
        any::<[u8; 4]>().prop_map(|bytes| Arg::Color(Color::from(bytes))),
        any::<[u8; 4]>().prop_map(|bytes| Arg::Midi(Midi::from(bytes))),
        any::<bool>().prop_map(Arg::Bool),
        Just(Arg::Nil),
        Just(Arg::Impulse),
    ]
}

pub fn arg() -> impl Strategy<Value = Arg> {
    scalar().prop_recursive(4, 24, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Arg::Array))
}

pub fn message() -> impl Strategy<Value = Message> {
    (address(), prop::collection::vec(arg(), 0..8))
        .prop_map(|(address, args)| Message::with_raw_address(address, args).unwrap())
}

pub fn packet() -> impl Strategy<Value = Packet> {
    message().prop_map(Packet::from).prop_recursive(4, 16, 4, |inner| {
        (any::<u64>(), prop::collection::vec(inner, 0..4)).prop_map(|(time_tag, elements)| {
            let builder = Bundle::at(TimeTag::from_bits(time_tag));
            let bundle = elements.iter().fold(builder, BundleBuilder::with);
            Packet::from(bundle.build().unwrap())
        })
    })
}
