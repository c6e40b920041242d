//! From arguments to Rust values: by type, with the conversions that lose no meaning.

use bytes::Bytes;

use super::args_reader::{FromArgs, Number, OwnedArgs};
use super::tuples::for_each_tuple;
use super::{ArgsError, ArgsErrorKind as Kind, ArgsReader, Array, Exact, Impulse, Nil, Rest, Symbol};
use crate::types::{Arg, ArgRef, Char, Color, Midi, Text, TextBuf, TimeTag};
use crate::wire::ArgCursor;

/// Values with a way of their own to be read; those marked `owned` borrow nothing from the message.
macro_rules! values {
    ($($(#[$doc:meta])* $($owned:ident)? |$args:ident| -> $type:ty { $($read:tt)* })*) => {$(
        $(#[$doc])*
        impl<'a> FromArgs<'a> for $type {
            #[inline]
            fn from_args($args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
                $($read)*
            }
        }

        $(values!(@ $owned $type);)?
    )*};
    (@ owned $type:ty) => {
        impl OwnedArgs for $type {}
    };
}

values! {
    owned |args| -> i32 {
        match args.four(b'i') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("int32", |number| number.to_i64()?.try_into().ok()),
        }
    }
    owned |args| -> i64 {
        match args.eight(b'h') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("int64", Number::to_i64),
        }
    }
    owned |args| -> f32 {
        match args.four(b'f') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("float32", Number::to_f32),
        }
    }
    owned |args| -> f64 {
        match args.eight(b'd') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("float64", |number| Some(number.to_f64())),
        }
    }
    owned |args| -> bool {
        match args.cursor.peek() {
            b'T' | b'F' => Ok(args.mark(b'T') || !args.mark(b'F')),
            _ => args.convert("true or false", Number::to_bool),
        }
    }
    |args| -> &'a str { args.utf8() }
    owned |args| -> String { args.utf8().map(str::to_owned) }
    |args| -> Text<'a> { args.text("a string") }
    owned |args| -> TextBuf {
        let text = args.text("a string")?;
        Ok(Self::new(args.share(text.as_bytes())))
    }
    |args| -> &'a [u8] { args.blob() }
    owned |args| -> Vec<u8> { args.blob().map(<[u8]>::to_vec) }
    /// Shares the message's buffer.
    owned |args| -> Bytes {
        let blob = args.blob()?;
        Ok(args.share(blob))
    }
    owned |args| -> Char {
        let bits = args.four(b'c').ok_or_else(|| args.clone().unexpected("a character"))?;
        Ok(Self::from_bits(u32::from_be_bytes(bits)))
    }
    owned |args| -> char {
        let before = args.clone();
        args.read::<Char>()?.to_char().ok_or_else(|| before.error(Kind::OutOfRange, "a character"))
    }
    owned |args| -> TimeTag {
        let bits = args.eight(b't').ok_or_else(|| args.clone().unexpected("a time tag"))?;
        Ok(Self::from_bits(u64::from_be_bytes(bits)))
    }
    owned |args| -> Color {
        args.four(b'r').map(Self::from).ok_or_else(|| args.clone().unexpected("a color"))
    }
    owned |args| -> Midi {
        args.four(b'm').map(Self::from).ok_or_else(|| args.clone().unexpected("a MIDI message"))
    }
    owned |args| -> Nil {
        if args.mark(b'N') { Ok(Self) } else { Err(args.clone().unexpected("nil")) }
    }
    owned |args| -> Impulse {
        if args.mark(b'I') { Ok(Self) } else { Err(args.clone().unexpected("an impulse")) }
    }
    |args| -> ArgRef<'a> { args.next_arg().ok_or_else(|| args.clone().unexpected("an argument")) }
    owned |args| -> Arg {
        let arg = args.read()?;
        Ok(args.owned(arg))
    }
    owned |args| -> Rest { args.read().map(Self) }
    owned |_args| -> () { Ok(()) }
}

/// Exactly `S`.
impl<'a, T: FromArgs<'a>> FromArgs<'a> for Symbol<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.cursor.peek() != b'S' {
            return Err(args.clone().unexpected("a symbol"));
        }
        args.read().map(Self)
    }
}

impl<'a, T: FromArgs<'a>> FromArgs<'a> for Option<T> {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.is_empty() || args.mark(b'N') {
            return Ok(None);
        }
        args.read().map(Some)
    }
}

impl<'a, T: FromArgs<'a>> FromArgs<'a> for Array<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.cursor.peek() != b'[' {
            return Err(args.clone().unexpected("an array"));
        }
        let array = args.cursor.take_array();
        let cursor = ArgCursor { tags: array.tags, data: array.data };
        let mut elements = ArgsReader { cursor, source: args.source, index: args.index };
        let read = elements.read().and_then(|value| elements.finish().map(|()| value));
        let value = read.map_err(|error| error.at(args.index))?;
        args.index += 1;
        Ok(Self(value))
    }
}

impl<'a, T: FromArgs<'a>, const N: usize> FromArgs<'a> for [T; N] {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let mut place = args.clone();
        let values: [Option<T>; N] = std::array::from_fn(|_| place.read().ok());
        if values.iter().any(Option::is_none) {
            return Err(args.clone().first_error::<T>(N));
        }
        *args = place;
        #[expect(clippy::unreachable, reason = "every read succeeded")]
        Ok(values.map(|value| value.unwrap_or_else(|| unreachable!("a value was read"))))
    }
}

/// What is left, each argument a `T`.
impl<'a, T: FromArgs<'a>> FromArgs<'a> for Vec<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let mut values = Self::new();
        while !args.is_empty() {
            let before = args.index;
            values.push(args.read()?);
            if args.index == before {
                return Err(args.clone().error(Kind::TooMany, "no more"));
            }
        }
        Ok(values)
    }
}

macro_rules! exact {
    ($($type:ty => $tag:pat, $expected:literal;)*) => {$(
        impl<'a> FromArgs<'a> for Exact<$type> {
            fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
                match args.cursor.peek() {
                    $tag => args.read().map(Self),
                    _ => Err(args.clone().unexpected($expected)),
                }
            }
        }

        impl OwnedArgs for Exact<$type> {}
    )*};
}

exact! {
    i32 => b'i', "exactly int32";
    i64 => b'h', "exactly int64";
    f32 => b'f', "exactly float32";
    f64 => b'd', "exactly float64";
    bool => b'T' | b'F', "exactly true or false";
    String => b's', "exactly a string";
    TextBuf => b's', "exactly a string";
}

impl<T: OwnedArgs> OwnedArgs for Option<T> {}
impl<T: OwnedArgs> OwnedArgs for Symbol<T> {}
impl<T: OwnedArgs> OwnedArgs for Array<T> {}
impl<T: OwnedArgs> OwnedArgs for Vec<T> {}
impl<T: OwnedArgs, const N: usize> OwnedArgs for [T; N] {}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<'a, $($name: FromArgs<'a>),*> FromArgs<'a> for ($($name,)*) {
            #[inline]
            fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
                Ok(($(args.read::<$name>()?,)*))
            }
        }

        impl<$($name: OwnedArgs),*> OwnedArgs for ($($name,)*) {}
    };
}

for_each_tuple!(tuples);
