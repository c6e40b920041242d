//! The form of arguments, messages and bundles in self-describing formats such as JSON.
//!
//! ```json
//! {"address": "/s_new", "args": [{"s": "saw"}, {"i": 7}, {"T": null}, {"[": [{"f": 0.5}]}]}
//! {"time_tag": "0x0000000000000001", "elements": [ … ]}
//! ```
//!
//! Numbers are numbers; what JSON has no number for (`h`, `t`, `c`, `r`, `m`, `b`, floats that are not
//! finite, those that would not come back through a float64, text that is not UTF-8) is the token of
//! the canonical line. Nothing is lost, if the parser
//! reads floats exactly (for `serde_json` that is its feature `float_roundtrip`).
//!
//! Read as well: the arguments of osc.js, `{"type": "f", "value": 0.5}`, and values without a type: a
//! whole number is `i`, or `h` if it does not fit; any other number `f`; text, `true`, `false`, `null`
//! and lists are `s`, `T`, `F`, `N` and arrays. Of a bundle, `packets` and `timeTag`.

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packet::{Bundle, BundleBuilder, LineReader, Message, MessageRef, Packet, PacketRef};
use crate::types::{Arg, ArgRef, TimeTag, TypeTag};

/// An argument as it is written: one member, named by its type tag.
#[derive(Serialize)]
enum ArgForm<'a> {
    #[serde(rename = "i")]
    Int32(i32),
    #[serde(rename = "f")]
    Float32(f32),
    #[serde(rename = "d")]
    Float64(f64),
    #[serde(rename = "s")]
    String(TextForm),
    #[serde(rename = "S")]
    Symbol(TextForm),
    #[serde(rename = "T")]
    True(()),
    #[serde(rename = "F")]
    False(()),
    #[serde(rename = "N")]
    Nil(()),
    #[serde(rename = "I")]
    Impulse(()),
    #[serde(rename = "[")]
    Array(&'a [Arg]),
}

/// Text, or its bytes if they are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TextForm {
    Text(String),
    Bytes { hex: String },
}

impl TextForm {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { hex: hex(bytes).trim_matches(['<', '>']).to_owned() },
        }
    }

    fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.into_bytes()),
            Self::Bytes { hex } => blob(&format!("<{hex}>")),
        }
    }
}

/// The token of a blob.
fn hex(bytes: &[u8]) -> String {
    ArgRef::Blob(bytes).to_string()
}

fn blob(token: &str) -> Option<Vec<u8>> {
    match LineReader::arg(TypeTag::Blob, token)? {
        Arg::Blob(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}

impl Serialize for Arg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match self {
            Self::Int32(value) => ArgForm::Int32(*value),
            Self::Float32(value) if comes_back(*value) => ArgForm::Float32(*value),
            Self::Float64(value) if value.is_finite() => ArgForm::Float64(*value),
            Self::String(text) => ArgForm::String(TextForm::of(text.as_bytes())),
            Self::Symbol(text) => ArgForm::Symbol(TextForm::of(text.as_bytes())),
            Self::Bool(true) => ArgForm::True(()),
            Self::Bool(false) => ArgForm::False(()),
            Self::Nil => ArgForm::Nil(()),
            Self::Impulse => ArgForm::Impulse(()),
            Self::Array(elements) => ArgForm::Array(elements),
            // The others are the token of the canonical line.
            other => {
                let tag = other.as_scalar().map(|scalar| scalar.type_tag().to_string());
                let mut form = serializer.serialize_map(Some(1))?;
                form.serialize_entry(&tag.unwrap_or_default(), &other.to_string())?;
                return form.end();
            }
        };
        form.serialize(serializer)
    }
}

/// Whether the shortest decimal gives the same bits when it is read as a float64 and then narrowed,
/// as parsers do that know no float32. Of 7.038531e-26 it does not.
fn comes_back(value: f32) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "the question is what narrowing does to it")]
    let narrowed = value.to_string().parse::<f64>().map(|wide| wide as f32);
    value.is_finite() && narrowed.is_ok_and(|read| read.to_bits() == value.to_bits())
}

/// `untyped` is there for a message without type tags only: the bytes behind its address.
#[derive(Serialize, Deserialize)]
struct MessageForm {
    address: AddressForm,
    #[serde(default)]
    args: Vec<Arg>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untyped: Option<String>,
}

/// Text, or the number that some servers take in place of an address.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AddressForm {
    Number(u32),
    Text(TextForm),
}

impl MessageForm {
    fn of(message: MessageRef<'_>) -> Self {
        let untyped = message.type_tags().is_empty().then(|| message.untyped().unwrap_or_default());
        Self {
            address: match message.numeric_address() {
                Some(number) => AddressForm::Number(number),
                None => AddressForm::Text(TextForm::of(message.address().as_bytes())),
            },
            args: message.parse().unwrap_or_default(),
            untyped: untyped.map(hex),
        }
    }

    fn into_message(self) -> Result<Message, String> {
        let address = match self.address {
            AddressForm::Number(number) if number < 1 << 24 => number.to_be_bytes().to_vec(),
            AddressForm::Number(_) => return Err("an address that is a number of over 24 bits".to_owned()),
            AddressForm::Text(text) => text.into_bytes().ok_or("an address that is not hexadecimal")?,
        };
        let message = match self.untyped {
            None => Message::with_any_address(&address, &self.args),
            Some(_) if !self.args.is_empty() => return Err("arguments and untyped bytes".to_owned()),
            Some(token) => {
                let tail = blob(&token).filter(|tail| tail.len() % 4 == 0 && tail.first() != Some(&b','));
                Message::untagged(
                    &address,
                    &tail.ok_or("untyped bytes: expected whole words of 4 bytes without a comma first")?,
                )
            }
        };
        message.map_err(|error| error.to_string())
    }
}

/// An object with `address` and `args`, a list of arguments: `{"address": "/a", "args": [{"i": 1}]}`.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MessageForm::of(self.as_ref()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MessageForm::deserialize(deserializer)?.into_message().map_err(D::Error::custom)
    }
}

#[derive(Serialize)]
struct BundleForm {
    time_tag: String,
    elements: Vec<Packet>,
}

/// A message or a bundle, as its members say.
#[derive(Deserialize)]
struct PacketForm {
    address: Option<AddressForm>,
    #[serde(default)]
    args: Vec<Arg>,
    untyped: Option<String>,
    #[serde(alias = "timeTag")]
    time_tag: Option<TimeTagForm>,
    #[serde(alias = "packets")]
    elements: Option<Vec<Packet>>,
}

/// A token, or the two halves that osc.js has.
#[derive(Deserialize)]
#[serde(untagged)]
enum TimeTagForm {
    Token(String),
    Halves { raw: (u32, u32) },
}

impl PacketForm {
    fn into_packet(self) -> Result<Packet, String> {
        match (self.address, self.elements) {
            (Some(address), None) => {
                let form = MessageForm { address, args: self.args, untyped: self.untyped };
                form.into_message().map(Packet::Message)
            }
            (None, Some(elements)) => {
                let time_tag = self.time_tag.ok_or("a bundle without `time_tag`")?.into_time_tag()?;
                let builder = elements.iter().fold(Bundle::at(time_tag), BundleBuilder::with);
                builder.build().map(Packet::Bundle).map_err(|error| error.to_string())
            }
            _ => Err("neither a message, with `address`, nor a bundle, with `elements`".to_owned()),
        }
    }
}

impl TimeTagForm {
    fn into_time_tag(self) -> Result<TimeTag, String> {
        match self {
            Self::Halves { raw: (seconds, fraction) } => Ok(TimeTag::new(seconds, fraction)),
            Self::Token(token) => match LineReader::arg(TypeTag::TimeTag, &token) {
                Some(Arg::TimeTag(time_tag)) => Ok(time_tag),
                _ => Err(format!("{token:?} is not a valid time tag")),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Packet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PacketForm::deserialize(deserializer)?.into_packet().map_err(D::Error::custom)
    }
}

/// An object with `time_tag`, `0x` and 16 hexadecimal digits, and `elements`, a list of packets.
impl Serialize for Bundle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = BundleForm { time_tag: self.time_tag().to_string(), elements: self.elements().collect() };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Packet::deserialize(deserializer)? {
            Packet::Bundle(bundle) => Ok(bundle),
            Packet::Message(_) => Err(D::Error::custom("a message, not a bundle")),
        }
    }
}

impl Serialize for PacketRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_owned().serialize(serializer).map_err(S::Error::custom)
    }
}
