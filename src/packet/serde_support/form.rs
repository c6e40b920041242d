//! The form that arguments, messages and bundles have in JSON and the like.
//!
//! ```json
//! {"address": "/s_new", "args": [{"s": "saw"}, {"i": 7}, {"T": null}, {"[": [{"f": 0.5}]}]}
//! {"time_tag": "0x0000000000000001", "elements": [ … ]}
//! ```
//!
//! Numbers are numbers; what JSON has no number for (`t`, `c`, `r`, `m`, `b`, floats that are not
//! finite, those that would not come back through a float64, text that is not UTF-8) is the token of
//! the canonical line. Nothing is lost, if the parser
//! reads floats exactly (for `serde_json` that is its feature `float_roundtrip`).

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packet::{Bundle, BundleBuilder, LineReader, Message, MessageRef, Packet, PacketRef};
use crate::types::{Arg, ArgRef, TextBuf, TypeTag};

/// An argument: one member, named by its type tag.
#[derive(Serialize, Deserialize)]
enum ArgForm {
    #[serde(rename = "i")]
    Int32(i32),
    #[serde(rename = "h")]
    Int64(i64),
    #[serde(rename = "f")]
    Float32(Or<f32>),
    #[serde(rename = "d")]
    Float64(Or<f64>),
    #[serde(rename = "s")]
    String(TextForm),
    #[serde(rename = "S")]
    Symbol(TextForm),
    #[serde(rename = "b")]
    Blob(String),
    #[serde(rename = "t")]
    TimeTag(String),
    #[serde(rename = "c")]
    Char(String),
    #[serde(rename = "r")]
    Color(String),
    #[serde(rename = "m")]
    Midi(String),
    #[serde(rename = "T")]
    True(()),
    #[serde(rename = "F")]
    False(()),
    #[serde(rename = "N")]
    Nil(()),
    #[serde(rename = "I")]
    Impulse(()),
    #[serde(rename = "[")]
    Array(Vec<Arg>),
}

/// A number, or the token of one that JSON would lose.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Or<T> {
    Number(T),
    Token(String),
}

/// Text, or the bytes of what is not UTF-8.
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
            Self::Int64(value) => ArgForm::Int64(*value),
            Self::Float32(value) if comes_back(*value) => ArgForm::Float32(Or::Number(*value)),
            Self::Float64(value) if value.is_finite() => ArgForm::Float64(Or::Number(*value)),
            Self::Float32(_) => ArgForm::Float32(Or::Token(self.to_string())),
            Self::Float64(_) => ArgForm::Float64(Or::Token(self.to_string())),
            Self::String(text) => ArgForm::String(TextForm::of(text.as_bytes())),
            Self::Symbol(text) => ArgForm::Symbol(TextForm::of(text.as_bytes())),
            Self::Blob(_) => ArgForm::Blob(self.to_string()),
            Self::TimeTag(_) => ArgForm::TimeTag(self.to_string()),
            Self::Char(_) => ArgForm::Char(self.to_string()),
            Self::Color(_) => ArgForm::Color(self.to_string()),
            Self::Midi(_) => ArgForm::Midi(self.to_string()),
            Self::Bool(true) => ArgForm::True(()),
            Self::Bool(false) => ArgForm::False(()),
            Self::Nil => ArgForm::Nil(()),
            Self::Impulse => ArgForm::Impulse(()),
            // The form holds copies of the elements, not of theirs: see `ArrayForm`.
            Self::Array(elements) => return ArrayForm { elements }.serialize(serializer),
        };
        form.serialize(serializer)
    }
}

/// Whether the shortest decimal gives the same bits when it is read as a float64 and then narrowed,
/// as parsers do that know no float32. Of 7.038531e-26 it does not.
fn comes_back(value: f32) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "what is asked is what becomes of it")]
    let narrowed = value.to_string().parse::<f64>().map(|wide| wide as f32);
    value.is_finite() && narrowed.is_ok_and(|read| read.to_bits() == value.to_bits())
}

/// An array of the form of [`ArgForm`], borrowed.
#[derive(Serialize)]
struct ArrayForm<'a> {
    #[serde(rename = "[")]
    elements: &'a [Arg],
}

impl<'de> Deserialize<'de> for Arg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = |tag: TypeTag, token: &str| {
            let malformed =
                || D::Error::custom(format!("{token:?} is not a valid argument of the type tag {tag}"));
            LineReader::arg(tag, token).ok_or_else(malformed)
        };
        let text = |form: TextForm| {
            form.into_bytes()
                .map(TextBuf::new)
                .ok_or_else(|| D::Error::custom("text that is not hexadecimal"))
        };
        Ok(match ArgForm::deserialize(deserializer)? {
            ArgForm::Int32(value) => Self::Int32(value),
            ArgForm::Int64(value) => Self::Int64(value),
            ArgForm::Float32(Or::Number(value)) => Self::Float32(value),
            ArgForm::Float64(Or::Number(value)) => Self::Float64(value),
            ArgForm::Float32(Or::Token(value)) => token(TypeTag::Float32, &value)?,
            ArgForm::Float64(Or::Token(value)) => token(TypeTag::Float64, &value)?,
            ArgForm::String(form) => Self::String(text(form)?),
            ArgForm::Symbol(form) => Self::Symbol(text(form)?),
            ArgForm::Blob(value) => token(TypeTag::Blob, &value)?,
            ArgForm::TimeTag(value) => token(TypeTag::TimeTag, &value)?,
            ArgForm::Char(value) => token(TypeTag::Char, &value)?,
            ArgForm::Color(value) => token(TypeTag::Color, &value)?,
            ArgForm::Midi(value) => token(TypeTag::Midi, &value)?,
            ArgForm::True(()) => Self::Bool(true),
            ArgForm::False(()) => Self::Bool(false),
            ArgForm::Nil(()) => Self::Nil,
            ArgForm::Impulse(()) => Self::Impulse,
            ArgForm::Array(elements) => Self::Array(elements),
        })
    }
}

/// `untyped` is there for a message without type tags only: the bytes behind its address.
#[derive(Serialize, Deserialize)]
struct MessageForm {
    address: AddressForm,
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
                Message::untagged(&address, &tail.ok_or("untyped bytes that are none")?)
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

#[derive(Serialize, Deserialize)]
struct BundleForm {
    time_tag: String,
    elements: Vec<Packet>,
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
        let form = BundleForm::deserialize(deserializer)?;
        let Some(Arg::TimeTag(time_tag)) = LineReader::arg(TypeTag::TimeTag, &form.time_tag) else {
            return Err(D::Error::custom(format!("{:?} is not a valid time tag", form.time_tag)));
        };
        let builder = form.elements.iter().fold(Self::at(time_tag), BundleBuilder::with);
        builder.build().map_err(D::Error::custom)
    }
}

impl Serialize for PacketRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_owned().serialize(serializer).map_err(S::Error::custom)
    }
}
