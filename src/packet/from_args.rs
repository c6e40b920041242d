//! From arguments to Rust values: by type, with the conversions that lose no meaning.

use bytes::Bytes;

use super::args_reader::Number;
use super::{ArgsError, ArgsErrorKind as Kind, ArgsReader, Array, Exact, Impulse, Nil, Rest, Symbol};
use crate::types::{Arg, ArgRef, Char, Color, Midi, Text, TextBuf, TimeTag};
use crate::wire::ArgCursor;

/// A value, or a list of values, that can be read from the arguments of a message with
/// [`Message::parse`](crate::Message::parse) or by the extractor `Args`.
///
/// Numbers convert where no meaning is lost:
///
/// | asked for | taken |
/// |-----------|-------|
/// | `f32` | `f`; `d` rounded (not from finite to infinite); `i` and `h` rounded; `T` 1, `F` 0 |
/// | `f64` | `d`, `f`, `i`; `h` rounded; `T` 1, `F` 0 |
/// | `i32`, `i64` | `i` and `h` in range; `f` and `d` if integral and in range; `T` 1, `F` 0 |
/// | `bool` | `T`, `F`; any number that is 0 or 1 |
/// | `&str`, `String` | `s` and `S` if UTF-8 |
/// | [`Text`], [`TextBuf`] | `s` and `S` of any charset |
/// | `&[u8]`, `Vec<u8>`, [`Bytes`] | `b` |
/// | `char`, [`Char`] | `c` |
/// | [`TimeTag`], [`Color`], [`Midi`], [`Nil`], [`Impulse`] | `t`, `r`, `m`, `N`, `I` |
/// | `Option<T>` | `N`, the end of the arguments, or `T` |
/// | [`Arg`], [`ArgRef`] | anything |
/// | [`Symbol`], [`Array`] | `S`, `[ ]` |
/// | [`Exact<T>`](Exact) | `T`, converting nothing |
///
/// Tuples of up to 16 members and `[T; N]` read one after the other, `Vec<T>` reads what is left.
/// The number of arguments must fit exactly; an `Option` at the end and [`Rest`] loosen it.
///
/// ```
/// use tokio_osc::Message;
///
/// let message = Message::new("/synth/1/freq", (440, "saw"))?;
/// let (hz, wave, gain) = message.parse::<(f32, &str, Option<f32>)>()?;
/// assert_eq!((hz, wave, gain), (440.0, "saw", None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// For a type of your own see [`IntoArgs`](crate::IntoArgs).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from OSC arguments",
    note = "the types that can are listed at `FromArgs`; integers are `i32` or `i64`"
)]
pub trait FromArgs<'a>: Sized {
    /// Reads the value, and as many arguments as it takes.
    ///
    /// # Errors
    /// The arguments are of other types, or there are not enough.
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError>;
}

/// Marks the [`FromArgs`] types that borrow nothing from the message, as handlers need them.
///
/// ```
/// use tokio_osc::{Args, ArgsError, ArgsReader, FromArgs, OwnedArgs, Router};
///
/// struct Hertz(f32);
///
/// impl<'a> FromArgs<'a> for Hertz {
///     fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
///         args.read().map(Self)
///     }
/// }
///
/// impl OwnedArgs for Hertz {}
///
/// let router = Router::new().route("/freq", |Args(Hertz(hz)): Args<Hertz>| println!("{hz} Hz"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an OSC handler",
    note = "integers are `i32` or `i64`, numbers with a point `f32` or `f64`; all types are listed at `FromArgs`",
    note = "a handler owns its arguments: `String` instead of `&str`, `Bytes` instead of `&[u8]`, `Arg` instead of `ArgRef`"
)]
pub trait OwnedArgs: for<'a> FromArgs<'a> {}

impl<'a> FromArgs<'a> for i32 {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        match args.four(b'i') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("int32", |number| number.to_i64()?.try_into().ok()),
        }
    }
}

impl<'a> FromArgs<'a> for i64 {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        match args.eight(b'h') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("int64", Number::to_i64),
        }
    }
}

impl<'a> FromArgs<'a> for f32 {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        match args.four(b'f') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("float32", Number::to_f32),
        }
    }
}

impl<'a> FromArgs<'a> for f64 {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        match args.eight(b'd') {
            Some(bytes) => Ok(Self::from_be_bytes(bytes)),
            None => args.convert("float64", |number| Some(number.to_f64())),
        }
    }
}

impl<'a> FromArgs<'a> for bool {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        match args.cursor.peek() {
            b'T' | b'F' => Ok(args.mark(b'T') || !args.mark(b'F')),
            _ => args.convert("true or false", Number::to_bool),
        }
    }
}

impl<'a> FromArgs<'a> for &'a str {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.utf8()
    }
}

impl<'a> FromArgs<'a> for String {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.utf8().map(str::to_owned)
    }
}

impl<'a> FromArgs<'a> for Text<'a> {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.text("a string")
    }
}

impl<'a> FromArgs<'a> for TextBuf {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let text = args.text("a string")?;
        Ok(Self::new(args.share(text.as_bytes())))
    }
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

impl<'a> FromArgs<'a> for &'a [u8] {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.blob()
    }
}

impl<'a> FromArgs<'a> for Vec<u8> {
    #[inline]
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.blob().map(<[u8]>::to_vec)
    }
}

/// Shares the message's buffer.
impl<'a> FromArgs<'a> for Bytes {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let blob = args.blob()?;
        Ok(args.share(blob))
    }
}

impl<'a> FromArgs<'a> for Char {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let bits = args.four(b'c').ok_or_else(|| args.clone().unexpected("a character"))?;
        Ok(Self::from_bits(u32::from_be_bytes(bits)))
    }
}

impl<'a> FromArgs<'a> for char {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let before = args.clone();
        args.read::<Char>()?.to_char().ok_or_else(|| before.error(Kind::OutOfRange, "a character"))
    }
}

impl<'a> FromArgs<'a> for TimeTag {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let bits = args.eight(b't').ok_or_else(|| args.clone().unexpected("a time tag"))?;
        Ok(Self::from_bits(u64::from_be_bytes(bits)))
    }
}

impl<'a> FromArgs<'a> for Color {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.four(b'r').map(Self::from).ok_or_else(|| args.clone().unexpected("a color"))
    }
}

impl<'a> FromArgs<'a> for Midi {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.four(b'm').map(Self::from).ok_or_else(|| args.clone().unexpected("a MIDI message"))
    }
}

impl<'a> FromArgs<'a> for Nil {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.mark(b'N') { Ok(Self) } else { Err(args.clone().unexpected("nil")) }
    }
}

impl<'a> FromArgs<'a> for Impulse {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        if args.mark(b'I') { Ok(Self) } else { Err(args.clone().unexpected("an impulse")) }
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

impl<'a> FromArgs<'a> for ArgRef<'a> {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.next_arg().ok_or_else(|| args.clone().unexpected("an argument"))
    }
}

impl<'a> FromArgs<'a> for Arg {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let arg = args.read()?;
        Ok(args.owned(arg))
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

impl<'a> FromArgs<'a> for Rest {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.read().map(Self)
    }
}

impl<'a> FromArgs<'a> for () {
    fn from_args(_args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        Ok(())
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

macro_rules! owned {
    ($($type:ty),* $(,)?) => {$(impl OwnedArgs for $type {})*};
}

owned!(
    (),
    i32,
    i64,
    f32,
    f64,
    bool,
    char,
    Char,
    String,
    TextBuf,
    Bytes,
    Vec<u8>,
    TimeTag,
    Color,
    Midi,
    Nil,
    Impulse,
    Arg,
    Rest
);

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

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);
