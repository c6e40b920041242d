//! Packets as JSON.
//!
//! ```text
//! message   {"address": "/synth/1/freq", "types": ",fs", "args": [440.0, "saw"]}
//! bundle    {"time_tag": "0x0000000000000001", "elements": [ … ]}
//! ```

use tokio_osc::packet::{ArgRef, Char, MessageRef, PacketRef, Text};

pub(crate) use serde_json::Value;
pub(crate) type Object = serde_json::Map<String, Value>;

/// A message or bundle as an object.
pub(crate) fn of_packet(packet: PacketRef<'_>) -> Object {
    match packet {
        PacketRef::Message(message) => of_message(message),
        PacketRef::Bundle(bundle) => Object::from_iter([
            ("time_tag".into(), bundle.time_tag().to_string().into()),
            ("elements".into(), bundle.elements().map(|element| Value::from(of_packet(element))).collect()),
        ]),
    }
}

fn of_message(message: MessageRef<'_>) -> Object {
    Object::from_iter([
        ("address".into(), of_text(message.address())),
        ("types".into(), message.type_tags().into()),
        ("args".into(), message.args().map(of_arg).collect()),
    ])
}

/// The value; its type is in the type tags.
fn of_arg(arg: ArgRef<'_>) -> Value {
    match arg {
        ArgRef::Int32(value) => value.into(),
        ArgRef::Int64(value) => value.into(),
        ArgRef::Float32(value) => of_float(value.to_string().parse().unwrap_or(f64::from(value)), arg),
        ArgRef::Float64(value) => of_float(value, arg),
        ArgRef::String(text) | ArgRef::Symbol(text) => of_text(text),
        ArgRef::Blob(bytes) => hex(bytes).into(),
        ArgRef::TimeTag(tag) => tag.to_string().into(),
        ArgRef::Char(value) => of_char(value),
        ArgRef::Color(color) => hex(&<[u8; 4]>::from(color)).into(),
        ArgRef::Midi(midi) => hex(&<[u8; 4]>::from(midi)).into(),
        ArgRef::Bool(value) => value.into(),
        ArgRef::Nil => Value::Null,
        ArgRef::Array(array) => array.iter().map(of_arg).collect(),
        other => other.to_string().into(),
    }
}

/// A number; what JSON has no number for, as its canonical token: `"inf"`, `"-inf"`, `"nan"`.
fn of_float(value: f64, arg: ArgRef<'_>) -> Value {
    if value.is_finite() { value.into() } else { arg.to_string().into() }
}

/// Text; what is not UTF-8 as `{"hex": "…"}`.
fn of_text(text: Text<'_>) -> Value {
    match text.to_str() {
        Ok(text) => text.into(),
        Err(_) => Object::from_iter([("hex".into(), hex(text.as_bytes()).into())]).into(),
    }
}

/// A character as text; 32 bits that are not a character as a number.
fn of_char(value: Char) -> Value {
    match char::from_u32(value.to_bits()) {
        Some(character) => character.to_string().into(),
        None => value.to_bits().into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}
