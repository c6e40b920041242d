//! Wire vectors made by running real encoders (osc4py3, python-osc, liblo), each with the result
//! that this library gives it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use serde_json::Value;
use tokio_osc::{Arg, ArgRef, Bytes, DecodeOptions, Packet, PacketRef, TypeTag};

fn group(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn bytes(vector: &Value) -> Bytes {
    let digits = vector["hex"].as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Some vectors nest deeper than the default limits.
fn options() -> DecodeOptions {
    DecodeOptions::default().max_bundle_depth(1_000).max_array_depth(255)
}

fn valid() -> Vec<Value> {
    group(include_str!("vectors/valid.json"))
}

#[test]
fn valid_vectors_decode_to_the_stated_values() {
    for vector in valid() {
        let (packet, _) = Packet::decode_with(bytes(&vector), &options()).unwrap();
        let name = vector["name"].as_str().unwrap();
        match (name, vector.get("decoded")) {
            (_, Some(decoded)) => assert_packet(packet.as_ref(), decoded, name),
            // Nested deeper than the JSON parser goes: compared as bytes by the tests below.
            ("array_depth64" | "bundle_depth64", None) => {}
            (other, None) => panic!("{other} has no values"),
        }
    }
}

#[test]
fn valid_vectors_survive_the_canonical_line() {
    for vector in valid() {
        let name = vector["name"].as_str().unwrap();
        let frame = bytes(&vector);
        let (packet, _) = Packet::decode_with(frame.clone(), &options()).unwrap();
        let read_back: Packet = packet.to_string().parse().unwrap();
        assert_eq!(read_back.as_bytes(), &frame, "{name}: {packet}");
    }
}

#[test]
fn valid_vectors_re_encode_to_the_same_bytes() {
    for vector in valid() {
        let frame = bytes(&vector);
        let (packet, _) = Packet::decode_with(frame.clone(), &options()).unwrap();
        assert_eq!(rebuild(packet.as_ref()).as_bytes(), &frame, "{}", vector["name"]);
    }
}

fn rebuild(packet: PacketRef<'_>) -> Packet {
    match packet {
        PacketRef::Message(message) => {
            let args: Vec<Arg> = message.parse().unwrap();
            tokio_osc::Message::with_raw_address(message.address().as_bytes(), args).unwrap().into()
        }
        PacketRef::Bundle(bundle) => {
            let builder = tokio_osc::Bundle::at(bundle.time_tag());
            bundle
                .elements()
                .fold(builder, |builder, element| builder.with(rebuild(element)))
                .build()
                .unwrap()
                .into()
        }
    }
}

#[test]
fn raw_vectors_are_accepted_or_refused_as_decided() {
    for vector in group(include_str!("vectors/raw_decode.json")) {
        let name = vector["name"].as_str().unwrap();
        let accepted = Packet::decode_with(bytes(&vector), &options()).is_ok();
        let expected = match (name, vector["valid"].as_bool()) {
            // A request without arguments from a sender that knows no type tags.
            ("raw_msg_address_only" | "raw_msg_address_only_slash", _) => true,
            // Argument bytes whose types nobody knows.
            ("raw_msg_no_typetag_with_int" | "raw_msg_no_typetag_with_text", _) => false,
            // Owned arguments are a tree: arrays nest 255 deep at most.
            ("raw_array_depth_300" | "raw_array_depth_1200", _) => false,
            (_, Some(valid)) => valid,
            // Padding other than NUL, text outside ASCII, both forms of a character: kept, counted.
            (_, None) => true,
        };
        assert_eq!(accepted, expected, "{name}: {}", vector["why"]);
    }
}

fn assert_packet(packet: PacketRef<'_>, expected: &Value, name: &str) {
    match packet {
        PacketRef::Message(message) => {
            let expected = &expected["message"];
            assert_eq!(message.address(), expected["address"].as_str().unwrap(), "{name}");
            assert_eq!(message.type_tags(), expected["typetags"].as_str().unwrap(), "{name}");
            assert_args(message.args(), &expected["args"], name);
        }
        PacketRef::Bundle(bundle) => {
            let expected = &expected["bundle"];
            let time_tag = bundle.time_tag();
            assert_eq!(
                expected["timetag"],
                serde_json::json!([time_tag.seconds(), time_tag.fraction()]),
                "{name}"
            );
            let elements: Vec<_> = bundle.elements().collect();
            let expected = expected["elements"].as_array().unwrap();
            assert_eq!(elements.len(), expected.len(), "{name}");
            for (element, expected) in elements.into_iter().zip(expected) {
                assert_packet(element, expected, name);
            }
        }
    }
}

fn assert_args<'a>(args: impl Iterator<Item = ArgRef<'a>>, expected: &Value, name: &str) {
    let args: Vec<_> = args.collect();
    let expected = expected.as_array().unwrap();
    assert_eq!(args.len(), expected.len(), "{name}");
    for (arg, expected) in args.into_iter().zip(expected) {
        let members = expected.as_object().unwrap();
        let (tag, value) = members.iter().find(|(key, _)| *key != "bits").unwrap();
        let tag = if tag == "array" { b'[' } else { tag.as_bytes()[0] };
        assert_eq!(arg.type_tag(), TypeTag::from_byte(tag).unwrap(), "{name}");
        assert_value(arg, value, expected, name);
    }
}

fn assert_value(arg: ArgRef<'_>, value: &Value, whole: &Value, name: &str) {
    match arg {
        ArgRef::Int32(number) => assert_eq!(value.as_i64(), Some(number.into()), "{name}"),
        ArgRef::Int64(number) => assert_eq!(value.as_str(), Some(number.to_string().as_str()), "{name}"),
        ArgRef::Float32(number) => {
            assert_eq!(whole["bits"].as_str().unwrap(), format!("{:08x}", number.to_bits()), "{name}");
        }
        ArgRef::Float64(number) => {
            assert_eq!(whole["bits"].as_str().unwrap(), format!("{:016x}", number.to_bits()), "{name}");
        }
        ArgRef::String(text) | ArgRef::Symbol(text) => assert_eq!(text, value.as_str().unwrap(), "{name}"),
        ArgRef::Array(array) => assert_args(array.iter(), value, name),
        ArgRef::Blob(blob) => {
            let digits: String = blob.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(value.as_str(), Some(digits.as_str()), "{name}");
        }
        // The values of the other types are compared as bytes by the re-encoding test.
        _ => {}
    }
}
