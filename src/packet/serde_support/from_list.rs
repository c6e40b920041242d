//! Converts argument lists to values with `Deserialize`.

use serde::de::{self, DeserializeOwned, Error as _, IntoDeserializer, Visitor, value::SeqDeserializer};

use super::{Form, SerdeError};
use crate::packet::Message;
use crate::packet::args_reader::Number;
use crate::types::Arg;

/// Converts the arguments of a message to a struct, a tuple, a sequence or a single value. The inverse of
/// [`to_args`](crate::packet::to_args).
///
/// Members are read in order. Integers convert to other widths that can hold them, and to floats. Floats
/// convert to floats, with rounding, but not from finite to infinite.
///
/// # Errors
/// Returns an error if the arguments have other types or another number.
///
/// ```
/// use tokio_osc::packet::from_args;
/// use tokio_osc::Message;
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
    T::deserialize(Form::List(args))
}

impl Form {
    /// The single argument, or nil for an empty list.
    fn one(self) -> Result<Arg, SerdeError> {
        let args = match self {
            Self::One(arg) => return Ok(arg),
            Self::List(args) => args,
        };
        let count = args.len();
        let mut args = args.into_iter();
        match (args.next(), args.next()) {
            (Some(arg), None) => Ok(arg),
            (None, _) => Ok(Arg::Nil),
            _ => Err(SerdeError::custom(format_args!("{count} arguments, not one"))),
        }
    }
}

impl IntoDeserializer<'_, SerdeError> for Form {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A list is a sequence, or the one argument in it; an argument is what its type says, an array a
/// sequence again.
impl<'de> de::Deserializer<'de> for Form {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.one()? {
            Arg::Int32(value) => visitor.visit_i32(value),
            Arg::Int64(value) => visitor.visit_i64(value),
            Arg::Float32(value) => visitor.visit_f32(value),
            Arg::Float64(value) => visitor.visit_f64(value),
            Arg::Bool(value) => visitor.visit_bool(value),
            Arg::String(text) | Arg::Symbol(text) => match text.as_text().to_str() {
                Ok(text) => visitor.visit_str(text),
                Err(_) => visitor.visit_bytes(text.as_bytes()),
            },
            Arg::Blob(bytes) => visitor.visit_bytes(&bytes),
            Arg::Char(character) => match character.to_char() {
                Some(character) => visitor.visit_char(character),
                None => visitor.visit_u32(character.to_bits()),
            },
            Arg::TimeTag(tag) => visitor.visit_u64(tag.to_bits()),
            Arg::Color(color) => visitor.visit_bytes(&<[u8; 4]>::from(color)),
            Arg::Midi(midi) => visitor.visit_bytes(&<[u8; 4]>::from(midi)),
            Arg::Nil | Arg::Impulse => visitor.visit_unit(),
            Arg::Array(elements) => Self::List(elements).deserialize_seq(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.one()? {
            Arg::Float64(value) => match Number::Float(value).to_f32() {
                Some(rounded) => visitor.visit_f32(rounded),
                None => Err(SerdeError::custom(format_args!("{} does not fit float32", Arg::Float64(value)))),
            },
            other => Self::One(other).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match &self {
            Self::One(Arg::Nil) => visitor.visit_none(),
            Self::List(args) if matches!(args[..], [] | [Arg::Nil]) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self.one()? {
            Arg::String(text) | Arg::Symbol(text) => {
                let name = text.as_text().to_str().map_err(SerdeError::custom)?;
                visitor.visit_enum(name.into_deserializer())
            }
            other => Err(SerdeError::custom(format_args!("{other} is not the name of a variant"))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let Self::List(args) = self else { return self.deserialize_any(visitor) };
        let mut list = SeqDeserializer::new(args.into_iter().map(Self::One));
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
