//! From an argument list to a value with `Deserialize`.

use serde::de::{self, DeserializeOwned, Error as _, IntoDeserializer, Visitor, value::SeqDeserializer};

use super::SerdeError;
use crate::packet::Message;
use crate::packet::args_reader::Number;
use crate::types::Arg;

/// The arguments of a message as a struct, a tuple, a sequence or a single value: the inverse of
/// [`to_args`](crate::to_args).
///
/// Members are taken in order. Integers convert to those of another width that hold them, and to
/// floats; floats to floats, rounded, but from finite to infinite.
///
/// # Errors
/// The arguments are of other types or of another number.
///
/// ```
/// use tokio_osc::{Message, from_args};
///
/// #[derive(serde::Deserialize, PartialEq, Debug)]
/// struct Note { pitch: u8, velocity: f32 }
///
/// let message = Message::new("/note", (60, 0.5_f32))?;
/// assert_eq!(from_args::<Note>(&message)?, Note { pitch: 60, velocity: 0.5 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_args<T: DeserializeOwned>(message: &Message) -> Result<T, SerdeError> {
    let args: Vec<Arg> = message.parse().map_err(SerdeError::custom)?;
    T::deserialize(ArgList(args))
}

/// The list as a whole: a sequence, or the one argument in it.
struct ArgList(Vec<Arg>);

impl ArgList {
    /// The one argument; for none nil.
    fn one(self) -> Result<Arg, SerdeError> {
        let count = self.0.len();
        let mut args = self.0.into_iter();
        match (args.next(), args.next()) {
            (Some(arg), None) => Ok(arg),
            (None, _) => Ok(Arg::Nil),
            _ => Err(SerdeError::custom(format_args!("{count} arguments, not one"))),
        }
    }
}

impl<'de> de::Deserializer<'de> for ArgList {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.one()?.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0[..] {
            [] | [Arg::Nil] => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.one()?.deserialize_f32(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.one()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let mut list = SeqDeserializer::new(self.0.into_iter());
        let value = visitor.visit_seq(&mut list)?;
        list.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct map
        identifier ignored_any
    }
}

impl IntoDeserializer<'_, SerdeError> for Arg {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Inside a list, an array is a sequence again.
impl<'de> de::Deserializer<'de> for Arg {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self {
            Self::Int32(value) => visitor.visit_i32(value),
            Self::Int64(value) => visitor.visit_i64(value),
            Self::Float32(value) => visitor.visit_f32(value),
            Self::Float64(value) => visitor.visit_f64(value),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::String(text) | Self::Symbol(text) => match text.as_text().to_str() {
                Ok(text) => visitor.visit_str(text),
                Err(_) => visitor.visit_bytes(text.as_bytes()),
            },
            Self::Blob(bytes) => visitor.visit_bytes(&bytes),
            Self::Char(character) => match character.to_char() {
                Some(character) => visitor.visit_char(character),
                None => visitor.visit_u32(character.to_bits()),
            },
            Self::TimeTag(tag) => visitor.visit_u64(tag.to_bits()),
            Self::Color(color) => visitor.visit_bytes(&<[u8; 4]>::from(color)),
            Self::Midi(midi) => visitor.visit_bytes(&<[u8; 4]>::from(midi)),
            Self::Nil | Self::Impulse => visitor.visit_unit(),
            Self::Array(elements) => ArgList(elements).deserialize_seq(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self {
            Self::Float64(value) => match Number::Float(value).to_f32() {
                Some(rounded) => visitor.visit_f32(rounded),
                None => Err(SerdeError::custom(format_args!("{self} does not fit float32"))),
            },
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self {
            Self::Nil => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self {
            Self::String(text) | Self::Symbol(text) => {
                let name = text.as_text().to_str().map_err(SerdeError::custom)?;
                visitor.visit_enum(name.into_deserializer())
            }
            other => Err(SerdeError::custom(format_args!("{other} is no name of a variant"))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}
