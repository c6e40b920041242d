//! The seven cases: as tuples, as values known only at run time, and as rosc has them.

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::{EncodeError, IntoPacket, MessageRef, PacketRef};
use tokio_osc::{Arg, Bundle, TimeTag};

pub(crate) const NAMES: [&str; 7] = [
    "1 /synth/1/freq ,f",
    "2 ,isfb",
    "3 sixty-four floats",
    "4 a 1 KiB blob",
    "5 a bundle of 16 messages",
    "6 bundles nested 3 deep",
    "7 /s_new ,siiisfsf",
];

/// How many messages a case holds.
pub(crate) const MESSAGES: [f64; 7] = [1.0, 1.0, 1.0, 1.0, 16.0, 2.0, 1.0];

const BLOB: [u8; 1_024] = [7; 1_024];
const VOICES: [&str; 16] = [
    "/synth/0/set",
    "/synth/1/set",
    "/synth/2/set",
    "/synth/3/set",
    "/synth/4/set",
    "/synth/5/set",
    "/synth/6/set",
    "/synth/7/set",
    "/synth/8/set",
    "/synth/9/set",
    "/synth/a/set",
    "/synth/b/set",
    "/synth/c/set",
    "/synth/d/set",
    "/synth/e/set",
    "/synth/f/set",
];

fn floats() -> [f32; 64] {
    [0.5; 64]
}

/// Appends a case, from values whose types the compiler knows.
#[inline]
pub(crate) fn encode(case: usize, dst: &mut BytesMut) -> Result<(), EncodeError> {
    match case {
        0 => ("/synth/1/freq", 440.0_f32).encode(dst),
        1 => ("/mixed/values", (1, "eight ch", 0.5_f32, &BLOB[..16])).encode(dst),
        2 => ("/wavetable", floats()).encode(dst),
        3 => ("/chunk", &BLOB[..]).encode(dst),
        4 => {
            let messages = VOICES.map(|voice| (voice, (1, 0.5_f32, "saw")));
            Bundle::of(TimeTag::IMMEDIATELY, &messages).encode(dst)
        }
        5 => {
            let inner = [("/inner/freq", 440.0_f32), ("/inner/gate", 1.0)];
            let middle = [Bundle::of(TimeTag::IMMEDIATELY, &inner)];
            let outer = [Bundle::of(TimeTag::IMMEDIATELY, &middle)];
            Bundle::of(TimeTag::IMMEDIATELY, &outer).encode(dst)
        }
        _ => ("/s_new", ("default", 1001, 0, 1, "freq", 440.0_f32, "amp", 0.5_f32)).encode(dst),
    }
}

/// Decodes a case that was checked, and takes its arguments as typed values.
#[inline]
pub(crate) fn parse(case: usize, packet: PacketRef<'_>) -> f32 {
    match packet {
        PacketRef::Message(message) => parse_message(case, message).unwrap_or_default(),
        PacketRef::Bundle(bundle) => bundle.elements().map(|element| parse(case, element)).sum(),
    }
}

#[inline]
fn parse_message(case: usize, message: MessageRef<'_>) -> Option<f32> {
    Some(match case {
        0 | 5 => message.parse::<f32>().ok()?,
        1 => message.parse::<(i32, &str, f32, &[u8])>().ok()?.2,
        2 => message.parse::<[f32; 64]>().ok()?[63],
        3 => f32::from(*message.parse::<&[u8]>().ok()?.first()?),
        4 => message.parse::<(i32, f32, &str)>().ok()?.1,
        _ => message.parse::<(&str, i32, i32, i32, &str, f32, &str, f32)>().ok()?.7,
    })
}

/// A packet of values that are known only at run time.
pub(crate) enum Dynamic {
    Message(String, Vec<Arg>),
    Bundle(Vec<Dynamic>),
}

impl Dynamic {
    pub(crate) fn of(packet: PacketRef<'_>) -> Self {
        match packet {
            PacketRef::Message(message) => {
                Self::Message(message.address().to_string(), message.parse().unwrap_or_default())
            }
            PacketRef::Bundle(bundle) => Self::Bundle(bundle.elements().map(Self::of).collect()),
        }
    }
}

impl IntoPacket for Dynamic {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            Self::Message(address, args) => (address, &args[..]).encode(dst),
            Self::Bundle(elements) => Bundle::of(TimeTag::IMMEDIATELY, elements).encode(dst),
        }
    }
}

/// The case as rosc's values.
pub(crate) fn to_rosc(packet: PacketRef<'_>) -> OscPacket {
    match packet {
        PacketRef::Message(message) => OscPacket::Message(OscMessage {
            addr: message.address().to_string(),
            args: message.parse::<Vec<Arg>>().unwrap_or_default().into_iter().map(rosc_arg).collect(),
        }),
        PacketRef::Bundle(bundle) => OscPacket::Bundle(OscBundle {
            timetag: OscTime { seconds: 0, fractional: 1 },
            content: bundle.elements().map(to_rosc).collect(),
        }),
    }
}

fn rosc_arg(arg: Arg) -> OscType {
    match arg {
        Arg::Int32(value) => OscType::Int(value),
        Arg::Float32(value) => OscType::Float(value),
        Arg::String(text) => OscType::String(text.to_string()),
        Arg::Blob(blob) => OscType::Blob(blob.to_vec()),
        _ => OscType::Nil,
    }
}
