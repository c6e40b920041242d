//! Reading argument lists.

use bytes::Bytes;

use super::{ArgTypes, ArgsError, ArgsErrorKind as Kind};
use crate::types::{Arg, ArgRef, Text};
use crate::wire::{ArgCursor, ArgIter};

/// A value, or a list of values, that can be read from the arguments of a message with
/// [`Message::parse`](crate::Message::parse) or by the extractor `Args`.
///
/// Numbers convert if no meaning is lost:
///
/// | requested | accepted |
/// |-----------|-------|
/// | `f32` | `f`; `d` rounded (not from finite to infinite); `i` and `h` rounded; `T` 1, `F` 0 |
/// | `f64` | `d`, `f`, `i`; `h` rounded; `T` 1, `F` 0 |
/// | `i8` to `i64`, `u8` to `u32`, `usize` | `i` and `h` in range; `f` and `d` if integral and in range; `T` 1, `F` 0 |
/// | [`Finite<f32>`](crate::packet::Finite) | as `f32`, which takes NaN and the infinities as well |
/// | `bool` | `T`, `F`; any number that is 0 or 1 |
/// | `&str`, `String` | `s` and `S` if UTF-8 |
/// | [`Text`](crate::packet::Text), [`TextBuf`](crate::packet::TextBuf) | `s` and `S` of any charset |
/// | `&[u8]`, `Vec<u8>`, `[u8; N]`, [`Bytes`](crate::Bytes) | `b` |
/// | `char`, [`Char`](crate::packet::Char) | `c` |
/// | [`TimeTag`](crate::TimeTag), [`Color`](crate::packet::Color), [`Midi`](crate::packet::Midi), [`Nil`](crate::packet::Nil), [`Impulse`](crate::packet::Impulse) | `t`, `r`, `m`, `N`, `I` |
/// | `Option<T>` | `N`, the end of the arguments, or `T` |
/// | [`Arg`](crate::Arg), [`ArgRef`](crate::packet::ArgRef) | anything |
/// | [`Symbol`](crate::packet::Symbol), [`Array`](crate::packet::Array) | `S`, `[ ]` |
/// | [`Exact<T>`](crate::packet::Exact) | `T`, converting nothing |
///
/// Tuples of up to 16 members and `[T; N]` read one value after the other; `Vec<T>` reads the rest. The
/// number of arguments must be exact: a surplus argument is an error, unless [`Rest`](crate::packet::Rest)
/// takes it, and a missing one is an error, unless it is a trailing `Option`.
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
/// For your own types see [`IntoArgs`](crate::IntoArgs).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from OSC arguments",
    note = "the types that can are listed at `FromArgs`; integers are `i8` to `i64`, `u8` to `u32` and `usize`"
)]
pub trait FromArgs<'a>: Sized {
    /// Reads the value, with as many arguments as it needs.
    ///
    /// # Errors
    /// Returns an error if the arguments have other types, or there are too few.
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError>;

    /// Adds the types that it reads to a description of an argument list, which is known without a message. The
    /// default says that they are unknown.
    ///
    /// ```
    /// use tokio_osc::FromArgs;
    /// use tokio_osc::packet::{ArgTypes, ArgsError, ArgsReader};
    ///
    /// struct Position { x: f32, y: f32 }
    ///
    /// impl<'a> FromArgs<'a> for Position {
    ///     fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
    ///         Ok(Self { x: args.read()?, y: args.read()? })
    ///     }
    ///
    ///     fn describe(types: &mut ArgTypes) {
    ///         types.add::<(f32, f32)>();
    ///     }
    /// }
    ///
    /// assert_eq!(ArgTypes::of::<(i32, Position)>().tags(), "iff");
    /// ```
    fn describe(types: &mut ArgTypes) {
        types.add_rest();
    }

    /// Adds the types of a `[Self; N]`, or of a `Vec<Self>` of the remaining arguments for `None`.
    #[doc(hidden)]
    fn describe_list(types: &mut ArgTypes, len: Option<usize>) {
        match len {
            // More than the description holds; the loop is bounded.
            Some(len) => (0..len.min(1_024)).for_each(|_| Self::describe(types)),
            None => types.add_rest(),
        }
    }

    /// Reads a `[Self; N]`. Overridden by types whose lists have another form, or are read faster in one
    /// pass.
    #[doc(hidden)]
    #[inline]
    fn read_array<const N: usize>(args: &mut ArgsReader<'a>) -> Result<[Self; N], ArgsError> {
        args.array()
    }

    /// Reads a `Vec<Self>` of the remaining arguments.
    #[doc(hidden)]
    fn read_vec(args: &mut ArgsReader<'a>) -> Result<Vec<Self>, ArgsError> {
        args.rest(Vec::new())
    }
}

/// Marks the [`FromArgs`] types that do not borrow from the message, as required by handlers.
///
/// ```
/// use tokio_osc::packet::{ArgsError, ArgsReader, OwnedArgs};
/// use tokio_osc::{Args, FromArgs, Router};
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
    note = "integers are `i8` to `i64`, `u8` to `u32` and `usize`, others `f32` or `f64`; all types are listed at `FromArgs`",
    note = "a handler owns its arguments: `String` instead of `&str`, `Bytes` instead of `&[u8]`, `Arg` instead of `ArgRef`"
)]
pub trait OwnedArgs: for<'a> FromArgs<'a> {}

impl ArgTypes {
    /// Returns the types of a value or list of values.
    pub fn of<'a, T: FromArgs<'a>>() -> Self {
        let mut types = Self::default();
        T::describe(&mut types);
        types
    }

    /// Adds the types of a value or list of values. For implementations of [`FromArgs::describe`].
    pub fn add<'a, T: FromArgs<'a>>(&mut self) {
        T::describe(self);
    }
}

/// A position in the arguments of a message, from which [`FromArgs`] reads.
///
/// ```
/// use tokio_osc::packet::{ArgsError, ArgsReader};
/// use tokio_osc::{FromArgs, Message};
///
/// /// Pairs, as many as there are.
/// struct Pairs(Vec<(String, f32)>);
///
/// impl<'a> FromArgs<'a> for Pairs {
///     fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
///         let mut pairs = Vec::new();
///         while !args.is_empty() {
///             pairs.push((args.read()?, args.read()?));
///         }
///         Ok(Self(pairs))
///     }
/// }
///
/// let message = Message::new("/set", ("gain", 0.5_f32, "pan", -1.0_f32))?;
/// assert_eq!(message.parse::<Pairs>()?.0.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArgsReader<'a> {
    pub(super) cursor: ArgCursor<'a>,
    /// The buffer of the message, if it can be shared.
    pub(super) source: Option<&'a Bytes>,
    pub(super) index: usize,
}

impl<'a> ArgsReader<'a> {
    pub(crate) fn new(cursor: ArgCursor<'a>, source: Option<&'a Bytes>) -> Self {
        Self { cursor, source, index: 0 }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// Returns an error if the next arguments have other types, or there are too few.
    #[inline]
    pub fn read<T: FromArgs<'a>>(&mut self) -> Result<T, ArgsError> {
        T::from_args(self)
    }

    /// Returns the index of the next argument, from 0. An array is one argument.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Returns `true` if no arguments are left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.cursor.peek(), 0 | b']')
    }

    /// Reads one argument of any type. `None` at the end.
    pub fn next_arg(&mut self) -> Option<ArgRef<'a>> {
        if self.is_empty() {
            return None;
        }
        let mut args = ArgIter::new(self.cursor);
        let arg = args.next()?;
        self.cursor = args.cursor();
        self.count(1);
        Some(arg)
    }

    /// Counts arguments that were read. Only errors show the index, so that it may wrap.
    #[inline]
    pub(super) fn count(&mut self, read: usize) {
        self.index = self.index.wrapping_add(read);
    }

    /// # Errors
    /// Returns an error if arguments are left.
    #[inline]
    pub(crate) fn finish(&self) -> Result<(), ArgsError> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.clone().error(Kind::TooMany, "no more"))
    }

    // The rare path takes the reader by value, so that the position stays in registers on the common path.

    #[cold]
    pub(super) fn error(self, kind: Kind, expected: &'static str) -> ArgsError {
        ArgsError::new(kind, self.index, expected, self.cursor.peek())
    }

    /// The error for an argument of another type, or a missing one.
    #[cold]
    pub(super) fn unexpected(self, expected: &'static str) -> ArgsError {
        let kind = if self.is_empty() { Kind::Missing } else { Kind::WrongType };
        self.error(kind, expected)
    }

    /// Returns the error of reading this number of values, one of which fails.
    #[cold]
    pub(super) fn first_error<T: FromArgs<'a>>(mut self, count: usize) -> ArgsError {
        let failed = (0..count).find_map(|_| self.read::<T>().err());
        failed.unwrap_or_else(|| self.unexpected("the same values again"))
    }

    /// `N` values, one after the other.
    #[inline]
    pub(super) fn array<T: FromArgs<'a>, const N: usize>(&mut self) -> Result<[T; N], ArgsError> {
        let mut place = self.clone();
        let values: [Option<T>; N] = std::array::from_fn(|_| place.read().ok());
        if values.iter().any(Option::is_none) {
            return Err(self.clone().first_error::<T>(N));
        }
        *self = place;
        #[expect(clippy::unreachable, reason = "every read succeeded")]
        Ok(values.map(|value| value.unwrap_or_else(|| unreachable!("a value was read"))))
    }

    /// Appends the remaining values.
    pub(super) fn rest<T: FromArgs<'a>>(&mut self, mut values: Vec<T>) -> Result<Vec<T>, ArgsError> {
        while !self.is_empty() {
            let before = self.index;
            values.push(self.read()?);
            // A type that reads no arguments would loop forever.
            if self.index == before {
                return Err(self.clone().error(Kind::TooMany, "no more"));
            }
        }
        Ok(values)
    }

    /// Returns the data of the next argument, if it has this type tag.
    #[inline]
    pub(super) fn data<const SIZE: usize>(&mut self, tag: u8) -> Option<[u8; SIZE]> {
        (self.cursor.peek() == tag).then(|| {
            self.count(1);
            self.cursor.take()
        })
    }

    /// Returns the data of the next `count` arguments, if all of them have this type tag.
    #[inline]
    pub(super) fn run(&mut self, tag: u8, size: usize, count: usize) -> Option<&'a [u8]> {
        let data = self.cursor.take_run(tag, size, count)?;
        self.count(count);
        Some(data)
    }

    /// Returns how many of the next arguments have this type tag.
    pub(super) fn run_len(&self, tag: u8) -> usize {
        self.cursor.tags.iter().take_while(|&&one| one == tag).count()
    }

    /// Skips a type tag without data, if it is next.
    pub(super) fn mark(&mut self, tag: u8) -> bool {
        let found = self.cursor.peek() == tag;
        if found {
            self.cursor.advance();
            self.count(1);
        }
        found
    }

    #[inline]
    pub(super) fn text(&mut self, expected: &'static str) -> Result<Text<'a>, ArgsError> {
        if !matches!(self.cursor.peek(), b's' | b'S') {
            return Err(self.clone().unexpected(expected));
        }
        self.count(1);
        Ok(Text::new(self.cursor.take_text()))
    }

    #[inline]
    pub(super) fn utf8(&mut self) -> Result<&'a str, ArgsError> {
        let before = self.clone();
        let text = self.text("a string")?;
        text.to_str().map_err(|_| before.error(Kind::NotUtf8, "a string"))
    }

    #[inline]
    pub(super) fn blob(&mut self) -> Result<&'a [u8], ArgsError> {
        if self.cursor.peek() != b'b' {
            return Err(self.clone().unexpected("a blob"));
        }
        self.count(1);
        Ok(self.cursor.take_blob())
    }

    /// Returns owned bytes: a slice of the message's buffer, or a copy.
    pub(super) fn share(&self, bytes: &'a [u8]) -> Bytes {
        match self.source {
            Some(source) if !bytes.is_empty() => source.slice_ref(bytes),
            _ => Bytes::copy_from_slice(bytes),
        }
    }

    /// Reads the next argument as a number that fits. The error has the index of that argument.
    #[inline]
    pub(super) fn convert<T>(
        &mut self,
        expected: &'static str,
        fit: fn(Number) -> Option<T>,
    ) -> Result<T, ArgsError> {
        let (value, after) = self.clone().converted(expected, fit)?;
        *self = after;
        Ok(value)
    }

    #[cold]
    pub(super) fn converted<T>(
        self,
        expected: &'static str,
        fit: fn(Number) -> Option<T>,
    ) -> Result<(T, Self), ArgsError> {
        let mut after = self.clone();
        let number = match after.cursor.peek() {
            b'i' => Number::Int(i32::from_be_bytes(after.cursor.take()).into()),
            b'h' => Number::Int(i64::from_be_bytes(after.cursor.take())),
            b'f' => Number::Float(f32::from_be_bytes(after.cursor.take()).into()),
            b'd' => Number::Float(f64::from_be_bytes(after.cursor.take())),
            tag @ (b'T' | b'F') => {
                after.cursor.advance();
                Number::Int((tag == b'T').into())
            }
            _ => return Err(self.unexpected(expected)),
        };
        after.count(1);
        match fit(number) {
            Some(value) => Ok((value, after)),
            None => Err(self.error(Kind::OutOfRange, expected)),
        }
    }

    /// Converts the argument to an owned value. Arrays are converted iteratively.
    pub(super) fn owned(&self, arg: ArgRef<'a>) -> Arg {
        let ArgRef::Array(array) = arg else { return self.owned_scalar(arg) };
        let mut open = vec![(array.iter(), Vec::new())];
        loop {
            let Some((elements, values)) = open.last_mut() else { return Arg::Array(Vec::new()) };
            match elements.next() {
                Some(ArgRef::Array(inner)) => open.push((inner.iter(), Vec::new())),
                Some(scalar) => values.push(self.owned_scalar(scalar)),
                None => {
                    let array = Arg::Array(std::mem::take(values));
                    open.pop();
                    match open.last_mut() {
                        Some((_, outer)) => outer.push(array),
                        None => return array,
                    }
                }
            }
        }
    }

    fn owned_scalar(&self, arg: ArgRef<'a>) -> Arg {
        arg.to_scalar(|bytes| self.share(bytes))
    }
}

/// A number before conversion to the requested type.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "rounding is what is promised")]
    pub(super) fn to_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "rounding is what is promised"
    )]
    pub(super) fn to_f32(self) -> Option<f32> {
        match self {
            Self::Int(value) => Some(value as f32),
            Self::Float(value) => {
                let rounded = value as f32;
                (rounded.is_finite() || !value.is_finite()).then_some(rounded)
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "integral and in range")]
    pub(super) fn to_i64(self) -> Option<i64> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match self {
            Self::Int(value) => Some(value),
            Self::Float(value) => {
                let fits = value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value);
                fits.then_some(value as i64)
            }
        }
    }

    pub(super) fn to_bool(self) -> Option<bool> {
        match self.to_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        }
    }
}
