//! Conversion of arguments to Rust values.

use bytes::Bytes;

use super::args_reader::{FromArgs, Number, OwnedArgs};
use super::tuples::for_each_tuple;
use super::{
    ArgTypes, ArgsError, ArgsErrorKind as Kind, ArgsReader, Array, Exact, Finite, Impulse, Nil, Rest, Symbol,
};
use crate::types::{Arg, ArgRef, Char, Color, Midi, Text, TextBuf, TimeTag};
use crate::wire::ArgCursor;

/// Values that are read in their own way, with the type tag of what they read if it is always the same. Those
/// marked `owned` do not borrow from the message.
macro_rules! values {
    ($($(#[$doc:meta])* $($owned:ident)? |$args:ident| -> $type:ty $(: $tag:literal)? { $($read:tt)* })*) => {$(
        $(#[$doc])*
        impl<'a> FromArgs<'a> for $type {
            #[inline]
            fn from_args($args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
                $($read)*
            }

            $(
                fn describe(types: &mut ArgTypes) {
                    types.push($tag);
                }
            )?
        }

        $(values!(@ $owned $type);)?
    )*};
    (@ owned $type:ty) => {
        impl OwnedArgs for $type {}
    };
}

values! {
    owned |args| -> bool: 'T' {
        match args.cursor.peek() {
            b'T' | b'F' => Ok(args.mark(b'T') || !args.mark(b'F')),
            _ => args.convert("true or false", Number::to_bool),
        }
    }
    |args| -> &'a str: 's' { args.utf8() }
    owned |args| -> String: 's' { args.utf8().map(str::to_owned) }
    |args| -> Text<'a>: 's' { args.text("a string") }
    owned |args| -> TextBuf: 's' {
        let text = args.text("a string")?;
        Ok(Self::new(args.share(text.as_bytes())))
    }
    |args| -> &'a [u8]: 'b' { args.blob() }
    /// Shares the message's buffer.
    owned |args| -> Bytes: 'b' {
        let blob = args.blob()?;
        Ok(args.share(blob))
    }
    owned |args| -> Char: 'c' {
        let bits = args.data(b'c').ok_or_else(|| args.clone().unexpected("a character"))?;
        Ok(Self::from_bits(u32::from_be_bytes(bits)))
    }
    owned |args| -> char: 'c' {
        let before = args.clone();
        args.read::<Char>()?.to_char().ok_or_else(|| before.error(Kind::OutOfRange, "a character"))
    }
    owned |args| -> TimeTag: 't' {
        let bits = args.data(b't').ok_or_else(|| args.clone().unexpected("a time tag"))?;
        Ok(Self::from_bits(u64::from_be_bytes(bits)))
    }
    owned |args| -> Color: 'r' {
        args.data(b'r').map(Self::from).ok_or_else(|| args.clone().unexpected("a color"))
    }
    owned |args| -> Midi: 'm' {
        args.data(b'm').map(Self::from).ok_or_else(|| args.clone().unexpected("a MIDI message"))
    }
    owned |args| -> Nil: 'N' {
        if args.mark(b'N') { Ok(Self) } else { Err(args.clone().unexpected("nil")) }
    }
    owned |args| -> Impulse: 'I' {
        if args.mark(b'I') { Ok(Self) } else { Err(args.clone().unexpected("an impulse")) }
    }
    |args| -> ArgRef<'a> { args.next_arg().ok_or_else(|| args.clone().unexpected("an argument")) }
    owned |args| -> Arg {
        let arg = args.read()?;
        Ok(args.owned(arg))
    }
    owned |args| -> Rest { args.read().map(Self) }
}

impl FromArgs<'_> for () {
    fn from_args(_: &mut ArgsReader<'_>) -> Result<Self, ArgsError> {
        Ok(())
    }

    fn describe(_: &mut ArgTypes) {}
}

impl OwnedArgs for () {}

/// The number types of OSC. Numbers of the same type are read unchanged, and lists of them in one pass.
macro_rules! numbers {
    ($($type:ty: $tag:literal, $expected:literal, $fit:expr;)*) => {$(
        impl<'a> FromArgs<'a> for $type {
            #[inline]
            fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
                match args.data($tag) {
                    Some(bytes) => Ok(Self::from_be_bytes(bytes)),
                    None => args.convert($expected, $fit),
                }
            }

            fn describe(types: &mut ArgTypes) {
                types.push($tag.into());
            }

            #[inline]
            fn read_array<const N: usize>(args: &mut ArgsReader<'a>) -> Result<[Self; N], ArgsError> {
                let Some(data) = args.run($tag, size_of::<Self>(), N) else { return args.array() };
                // Filled with zeros first, since a fixed-size loop over both swaps several numbers at once.
                let mut values = [Self::default(); N];
                for (value, bytes) in values.iter_mut().zip(data.chunks_exact(size_of::<Self>())) {
                    if let Some(bytes) = bytes.first_chunk() {
                        *value = Self::from_be_bytes(*bytes);
                    }
                }
                Ok(values)
            }

            fn read_vec(args: &mut ArgsReader<'a>) -> Result<Vec<Self>, ArgsError> {
                let data = args.run($tag, size_of::<Self>(), args.run_len($tag)).unwrap_or_default();
                let chunks = data.chunks_exact(size_of::<Self>()).filter_map(<[u8]>::first_chunk);
                args.rest(chunks.map(|bytes| Self::from_be_bytes(*bytes)).collect())
            }
        }

        impl OwnedArgs for $type {}
    )*};
}

numbers! {
    i32: b'i', "int32", |number| number.to_i64()?.try_into().ok();
    i64: b'h', "int64", Number::to_i64;
    f32: b'f', "float32", Number::to_f32;
    f64: b'd', "float64", |number| Some(number.to_f64());
}

/// Integer types that OSC does not have.
macro_rules! integers {
    ($($type:ty: $tag:literal, $expected:literal;)*) => {
        values! {
            $(owned |args| -> $type: $tag { args.convert($expected, |number| number.to_i64()?.try_into().ok()) })*
        }
    };
}

integers! {
    i8: 'i', "int8";
    i16: 'i', "int16";
    u16: 'i', "uint16";
    u32: 'h', "uint32";
    usize: 'h', "an index";
}

/// A single `u8` is a number, a list of them a blob.
impl<'a> FromArgs<'a> for u8 {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.convert("uint8", |number| number.to_i64()?.try_into().ok())
    }

    fn describe(types: &mut ArgTypes) {
        types.push('i');
    }

    fn describe_list(types: &mut ArgTypes, _len: Option<usize>) {
        types.push('b');
    }

    fn read_array<const N: usize>(args: &mut ArgsReader<'a>) -> Result<[Self; N], ArgsError> {
        let before = args.clone();
        args.blob()?.try_into().map_err(|_| before.error(Kind::OutOfRange, "the byte array"))
    }

    fn read_vec(args: &mut ArgsReader<'a>) -> Result<Vec<Self>, ArgsError> {
        args.blob().map(<[u8]>::to_vec)
    }
}

impl OwnedArgs for u8 {}

/// Reads `S` only.
impl<'a, T: FromArgs<'a>> FromArgs<'a> for Symbol<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.cursor.peek() != b'S' {
            return Err(args.clone().unexpected("a symbol"));
        }
        args.read().map(Self)
    }

    fn describe(types: &mut ArgTypes) {
        types.push('S');
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

    fn describe(types: &mut ArgTypes) {
        types.optional(T::describe);
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
        args.count(1);
        Ok(Self(value))
    }

    fn describe(types: &mut ArgTypes) {
        types.array(T::describe);
    }
}

impl<'a, T: FromArgs<'a>, const N: usize> FromArgs<'a> for [T; N] {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        T::read_array(args)
    }

    fn describe(types: &mut ArgTypes) {
        T::describe_list(types, Some(N));
    }
}

/// The remaining arguments, each as a `T`.
impl<'a, T: FromArgs<'a>> FromArgs<'a> for Vec<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        T::read_vec(args)
    }

    fn describe(types: &mut ArgTypes) {
        T::describe_list(types, None);
    }
}

/// Finite numbers only: NaN and the infinities are out of range.
impl<'a, T: FromArgs<'a> + Copy + Into<f64>> FromArgs<'a> for Finite<T> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let before = args.clone();
        let value: T = args.read()?;
        if value.into().is_finite() {
            Ok(Self(value))
        } else {
            Err(before.error(Kind::OutOfRange, "a finite number"))
        }
    }

    fn describe(types: &mut ArgTypes) {
        types.add::<T>();
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

            fn describe(types: &mut ArgTypes) {
                types.add::<$type>();
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

impl<T: OwnedArgs + Copy + Into<f64>> OwnedArgs for Finite<T> {}
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

            fn describe(types: &mut ArgTypes) {
                $(types.add::<$name>();)*
            }
        }

        impl<$($name: OwnedArgs),*> OwnedArgs for ($($name,)*) {}
    };
}

for_each_tuple!(tuples);
