//! Converts values with `Serialize` to argument lists.

use serde::ser::{self, Error as _, Impossible, Serialize};

use super::{Form, SerdeError};
use crate::types::Arg;

/// Converts a struct, a tuple, a sequence or a single value to an argument list.
///
/// Members are written in order, without their names. A list or struct inside the list is an array.
/// Integers of up to 32 bits are `i`, wider ones `h`; `f32` is `f`, `f64` is `d`; text, characters,
/// booleans and bytes are `s`, `c`, `T` or `F` and `b`; `None` and `()` are `N`; a variant without
/// data is its name.
///
/// ```
/// use tokio_osc::packet::{from_args, to_args};
/// use tokio_osc::Message;
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// struct Note { pitch: u8, velocity: f32, tags: Vec<String> }
///
/// let note = Note { pitch: 60, velocity: 0.5, tags: vec!["a".into(), "b".into()] };
/// let message = Message::new("/note", to_args(&note)?)?;
/// assert_eq!(message.to_string(), r#"/note ,if[ss] 60 0.5 [ "a" "b" ]"#);
/// assert_eq!(from_args::<Note>(&message)?, note);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns an error for maps and for variants with data, which an argument list cannot represent, and for an
/// unsigned number that does not fit 64 bits with a sign.
pub fn to_args<T: Serialize + ?Sized>(value: &T) -> Result<Vec<Arg>, SerdeError> {
    Ok(match value.serialize(ToArg)? {
        Form::One(arg) => vec![arg],
        Form::List(args) => args,
    })
}

impl From<Form> for Arg {
    fn from(form: Form) -> Self {
        match form {
            Form::One(arg) => arg,
            Form::List(args) => Self::Array(args),
        }
    }
}

struct ToArg;

macro_rules! numbers {
    ($($method:ident($type:ty) as $wide:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<Form, SerdeError> {
            Ok(Form::One(Arg::from(<$wide>::from(value))))
        }
    )*};
}

impl ser::Serializer for ToArg {
    type Ok = Form;
    type Error = SerdeError;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeStruct = ListWriter;
    type SerializeTupleVariant = Impossible<Form, SerdeError>;
    type SerializeMap = Impossible<Form, SerdeError>;
    type SerializeStructVariant = Impossible<Form, SerdeError>;

    numbers! {
        serialize_bool(bool) as bool,
        serialize_i8(i8) as i32,
        serialize_i16(i16) as i32,
        serialize_i32(i32) as i32,
        serialize_i64(i64) as i64,
        serialize_u8(u8) as i32,
        serialize_u16(u16) as i32,
        serialize_u32(u32) as i64,
        serialize_f32(f32) as f32,
        serialize_f64(f64) as f64,
        serialize_char(char) as char,
    }

    fn serialize_u64(self, value: u64) -> Result<Form, SerdeError> {
        let value = i64::try_from(value).map_err(|_| SerdeError::custom("a number over 2^63 - 1"))?;
        Ok(Form::One(Arg::Int64(value)))
    }

    fn serialize_str(self, value: &str) -> Result<Form, SerdeError> {
        Ok(Form::One(Arg::from(value)))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Form, SerdeError> {
        Ok(Form::One(Arg::Blob(value.to_vec().into())))
    }

    fn serialize_none(self) -> Result<Form, SerdeError> {
        Ok(Form::One(Arg::Nil))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Form, SerdeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Form, SerdeError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Form, SerdeError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Form, SerdeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Form, SerdeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _value: &T,
    ) -> Result<Form, SerdeError> {
        Err(no_place(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListWriter, SerdeError> {
        Ok(ListWriter(Vec::with_capacity(len.unwrap_or_default().min(1_024))))
    }

    fn serialize_tuple(self, len: usize) -> Result<ListWriter, SerdeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<ListWriter, SerdeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<ListWriter, SerdeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, SerdeError> {
        Err(no_place(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, SerdeError> {
        Err(no_place("a map"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, SerdeError> {
        Err(no_place(variant))
    }
}

fn no_place(what: &str) -> SerdeError {
    SerdeError::custom(format_args!("{what} has no place in an argument list"))
}

struct ListWriter(Vec<Arg>);

impl ListWriter {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        self.0.push(value.serialize(ToArg)?.into());
        Ok(())
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident($($name:ident: $type:ty)?)),* $(,)?) => {$(
        impl ser::$trait for ListWriter {
            type Ok = Form;
            type Error = SerdeError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), SerdeError> {
                self.push(value)
            }

            fn end(self) -> Result<Form, SerdeError> {
                Ok(Form::List(self.0))
            }
        }
    )*};
}

lists! {
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeStruct::serialize_field(_name: &'static str),
}
