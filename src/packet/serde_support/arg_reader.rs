//! Reading an argument: one member named by its type tag, osc.js's type and value, or a value alone.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::packet::LineReader;
use crate::types::{Arg, Char, TextBuf, TypeTag};

impl<'de> Deserialize<'de> for Arg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgVisitor)
    }
}

struct ArgVisitor;

impl<'de> Visitor<'de> for ArgVisitor {
    type Value = Arg;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an argument, such as {\"i\": 7}, {\"type\": \"i\", \"value\": 7} or 7")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Arg, E> {
        Ok(i32::try_from(value).map_or(Arg::Int64(value), Arg::Int32))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Arg, E> {
        let value = i64::try_from(value)
            .map_err(|_| E::custom(format!("{value} does not fit 64 bits with a sign")))?;
        self.visit_i64(value)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a number without a type is a float32")]
    fn visit_f64<E: Error>(self, value: f64) -> Result<Arg, E> {
        Ok(Arg::Float32(value as f32))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Arg, E> {
        Ok(Arg::Bool(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Arg, E> {
        Ok(Arg::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Arg, E> {
        Ok(Arg::Nil)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arg, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Arg::Array(elements))
    }

    /// The members of osc.js may come in either order.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arg, A::Error> {
        let (mut tag, mut value) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "type" => tag = Some(map.next_value::<String>()?),
                "value" => value = Some(map.next_value()?),
                "[" => return Ok(Arg::Array(map.next_value()?)),
                _ => {
                    value = Some(map.next_value()?);
                    tag = Some(key);
                }
            }
        }
        let tag = tag.ok_or_else(|| A::Error::missing_field("type"))?;
        let value = value.unwrap_or(Value::Null);
        let known = <[u8; 1]>::try_from(tag.as_bytes()).ok().and_then(|[byte]| TypeTag::from_byte(byte));
        let known = known.ok_or_else(|| A::Error::custom(format!("unknown type tag `{tag}`")))?;
        typed(known, &value).ok_or_else(|| {
            A::Error::custom(format!("{value} is not a valid argument of the type tag `{tag}`"))
        })
    }
}

/// The argument of a type; `None` if the value does not fit it.
fn typed(tag: TypeTag, value: &Value) -> Option<Arg> {
    Some(match (tag, value) {
        (TypeTag::Int32, Value::Int(value)) => Arg::Int32((*value).try_into().ok()?),
        (TypeTag::Int64, Value::Int(value)) => Arg::Int64(*value),
        #[expect(clippy::cast_possible_truncation, reason = "the type is float32")]
        (TypeTag::Float32, Value::Float(value)) => Arg::Float32(*value as f32),
        (TypeTag::Float64, Value::Float(value)) => Arg::Float64(*value),
        #[expect(clippy::cast_precision_loss, reason = "JSON writes whole floats as integers, too")]
        (TypeTag::Float32, Value::Int(value)) => Arg::Float32(*value as f32),
        #[expect(clippy::cast_precision_loss, reason = "JSON writes whole floats as integers, too")]
        (TypeTag::Float64, Value::Int(value)) => Arg::Float64(*value as f64),
        (TypeTag::String, value) => Arg::String(text(value)?),
        (TypeTag::Symbol, value) => Arg::Symbol(text(value)?),
        (TypeTag::True, _) => Arg::Bool(true),
        (TypeTag::False, _) => Arg::Bool(false),
        (TypeTag::Nil, _) => Arg::Nil,
        (TypeTag::Impulse, _) => Arg::Impulse,
        (tag, Value::Text(token)) => {
            // osc.js writes a character as it is.
            let as_it_is = || {
                let mut characters = token.chars();
                let first =
                    characters.next().filter(|_| tag == TypeTag::Char && characters.as_str().is_empty());
                first.map(|character| Arg::Char(Char::from(character)))
            };
            LineReader::arg(tag, token).or_else(as_it_is)?
        }
        _ => return None,
    })
}

fn text(value: &Value) -> Option<TextBuf> {
    match value {
        Value::Text(text) => Some(TextBuf::new(text.clone())),
        Value::Hex(digits) => match LineReader::arg(TypeTag::Blob, &format!("<{digits}>"))? {
            Arg::Blob(bytes) => Some(TextBuf::new(bytes.to_vec())),
            _ => None,
        },
        _ => None,
    }
}

/// A value with its type beside it.
enum Value {
    Int(i64),
    Float(f64),
    Text(String),
    Hex(String),
    Bool(bool),
    Null,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Hex(digits) => write!(f, "{{\"hex\": {digits:?}}}"),
            Self::Bool(value) => value.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, text, true, false, null or {\"hex\": \"…\"}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| E::custom(format!("{value} does not fit 64 bits with a sign")))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((key, digits)) if key == "hex" => Ok(Value::Hex(digits)),
            _ => Err(A::Error::custom("a value that is an object has one member, `hex`")),
        }
    }
}
