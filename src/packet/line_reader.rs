//! Parses canonical lines: the inverse of [`line`](super::line).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::line::{NAN32, NAN64};
use super::{Bundle, BundleBuilder, EncodeError, Message, Packet};
use crate::types::{Arg, Char, Color, Midi, TextBuf, TimeTag, TypeTag};

use ParseLineErrorKind as Kind;

/// Parses packets from canonical lines, one line at a time.
///
/// A message is one line; a bundle is `#bundle TIMETAG`, its elements, and `#end`. Blank lines and
/// other lines that begin with `#` are skipped. A time tag is `0x` and 16 hexadecimal digits,
/// `now` for [`TimeTag::IMMEDIATELY`], or `+DURATION` or `-DURATION` from the present time: a number
/// of seconds, or a number followed by `us`, `ms` or `s`.
///
/// ```
/// use tokio_osc::packet::LineReader;
///
/// let mut lines = LineReader::new();
/// assert!(lines.push("#bundle now")?.is_none());
/// assert!(lines.push("/synth/1/freq ,f 440")?.is_none());
/// let bundle = lines.push("#end")?.expect("a whole bundle");
/// assert_eq!(bundle.to_string(), "#bundle 0x0000000000000001\n/synth/1/freq ,f 440\n#end");
/// lines.finish()?;
/// # Ok::<(), tokio_osc::packet::ParseLineError>(())
/// ```
#[derive(Debug, Default)]
pub struct LineReader {
    open: Vec<BundleBuilder>,
    line: usize,
}

/// Maximum depth of bundles. Greater than the default of decoding, because a file may have been written with
/// a higher limit.
const MAX_DEPTH: usize = 1_024;

impl LineReader {
    /// Creates a reader.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a line, with or without its line end. Returns a packet when one is complete.
    ///
    /// # Errors
    /// Returns an error if the line is not a canonical line. The state of the reader is unchanged then.
    pub fn push(&mut self, line: &str) -> Result<Option<Packet>, ParseLineError> {
        self.line = self.line.saturating_add(1);
        self.read(line.trim_end_matches(['\n', '\r'])).map_err(|error| error.in_line(self.line))
    }

    /// Ends the input.
    ///
    /// # Errors
    /// Returns an error if a bundle is open.
    pub fn finish(self) -> Result<(), ParseLineError> {
        if self.open.is_empty() {
            return Ok(());
        }
        Err(ParseLineError::new(Kind::UnclosedBundle, 0).in_line(self.line.saturating_add(1)))
    }

    fn read(&mut self, line: &str) -> Result<Option<Packet>, ParseLineError> {
        let mut words = line.split_ascii_whitespace();
        let element = match words.next() {
            Some("#bundle") => {
                self.open(words.next().unwrap_or_default())?;
                return Ok(None);
            }
            Some("#end") => {
                let unexpected = ParseLineError::new(Kind::UnexpectedEnd, 0);
                self.open.pop().ok_or(unexpected)?.build()?.into()
            }
            Some(comment) if comment.starts_with('#') => return Ok(None),
            Some(_) => message(line)?.into(),
            None => return Ok(None),
        };
        match self.open.pop() {
            Some(bundle) => {
                self.open.push(bundle.with(&element));
                Ok(None)
            }
            None => Ok(Some(element)),
        }
    }

    /// Parses the argument of a type tag from its token.
    #[cfg(feature = "serde")]
    pub(super) fn arg(tag: TypeTag, token: &str) -> Option<Arg> {
        parse_arg(tag, token)
    }

    fn open(&mut self, time_tag: &str) -> Result<(), ParseLineError> {
        if self.open.len() == MAX_DEPTH {
            return Err(ParseLineError::new(Kind::TooDeep, 0));
        }
        let time_tag =
            parse_time_tag(time_tag).ok_or(ParseLineError::new(Kind::TimeTag, "#bundle ".len()))?;
        self.open.push(Bundle::at(time_tag));
        Ok(())
    }
}

/// Parses one canonical line.
impl FromStr for Message {
    type Err = ParseLineError;

    fn from_str(line: &str) -> Result<Self, ParseLineError> {
        message(line)
    }
}

/// Parses one packet: a canonical line, or the lines of a bundle.
impl FromStr for Packet {
    type Err = ParseLineError;

    fn from_str(text: &str) -> Result<Self, ParseLineError> {
        let mut reader = LineReader::new();
        let mut found = None;
        for line in text.lines() {
            let packet = reader.push(line)?;
            if found.is_some() && packet.is_some() {
                return Err(ParseLineError::new(Kind::Trailing, 0).in_line(reader.line));
            }
            found = found.or(packet);
        }
        let line = reader.line.max(1);
        reader.finish()?;
        found.ok_or(ParseLineError::new(Kind::Address, 0).in_line(line))
    }
}

fn message(line: &str) -> Result<Message, ParseLineError> {
    let mut tokens = LineTokens { line, at: 0 };
    let not_an_address = ParseLineError::new(Kind::Address, 0);
    let address = match tokens.next() {
        Some((_, token)) if token.starts_with(['"', 'x']) => parse_text(token).ok_or(not_an_address)?,
        Some((_, token)) if token.starts_with('/') && !token.contains(char::is_control) => token.into(),
        _ => return Err(not_an_address),
    };
    let Some((tags_at, tags)) = tokens.next() else {
        return Ok(Message::untagged(&address, &[])?);
    };
    let no_type_tags = ParseLineError::new(Kind::TypeTags, tags_at);
    let Some(tags) = tags.strip_prefix(',') else {
        let tail = parse_untyped(tags).ok_or(no_type_tags)?;
        return tokens.end(Message::untagged(&address, &tail)?);
    };
    let mut open = vec![Vec::new()];
    // Behind the comma.
    let tags_at = tags_at.saturating_add(1);
    for (index, byte) in tags.bytes().enumerate() {
        let unknown = ParseLineError::new(Kind::TypeTags, tags_at.saturating_add(index));
        let tag = TypeTag::from_byte(byte).ok_or(unknown)?;
        let missing = ParseLineError::new(Kind::Argument(tag), line.len());
        let (at, token) = tokens.next().ok_or(missing)?;
        let malformed = ParseLineError::new(Kind::Argument(tag), at);
        let arg = match tag {
            TypeTag::ArrayBegin if token == "[" && u8::try_from(open.len()).is_ok() => {
                open.push(Vec::new());
                continue;
            }
            TypeTag::ArrayEnd if token == "]" && open.len() > 1 => Arg::Array(open.pop().unwrap_or_default()),
            _ => parse_arg(tag, token).ok_or(malformed)?,
        };
        open.last_mut().ok_or(unknown)?.push(arg);
    }
    if open.len() > 1 {
        return Err(ParseLineError::new(Kind::TypeTags, tags_at.saturating_add(tags.len())));
    }
    tokens.end(Message::with_any_address(&address, &open.pop())?)
}

/// Splits a line at spaces, but not inside text and character literals.
struct LineTokens<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> LineTokens<'a> {
    /// The next token and the byte it begins at.
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let rest = self.line.get(self.at..)?.trim_start_matches(' ');
        let start = self.line.len().saturating_sub(rest.len());
        let end = match rest.as_bytes() {
            [] => return None,
            [b'"', ..] => quoted_end(rest, 1),
            [b'x', b'"', ..] => quoted_end(rest, 2),
            [b'\'', ..] => rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at),
            _ => rest.find(' ').unwrap_or(rest.len()),
        };
        self.at = start.saturating_add(end);
        Some((start, rest.get(..end)?))
    }

    /// The message, if nothing follows.
    fn end(&mut self, message: Message) -> Result<Message, ParseLineError> {
        match self.next() {
            Some((at, _)) => Err(ParseLineError::new(Kind::Trailing, at)),
            None => Ok(message),
        }
    }
}

/// The end of text in quotes whose content begins at `start`.
fn quoted_end(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

fn parse_arg(tag: TypeTag, token: &str) -> Option<Arg> {
    Some(match tag {
        TypeTag::Int32 => Arg::Int32(token.parse().ok()?),
        TypeTag::Int64 => Arg::Int64(token.parse().ok()?),
        TypeTag::Float32 => Arg::Float32(parse_float(token, NAN32, f32::from_bits, parse_hex)?),
        TypeTag::Float64 => Arg::Float64(parse_float(token, NAN64, f64::from_bits, parse_hex64)?),
        TypeTag::String => Arg::String(TextBuf::new(parse_text(token)?)),
        TypeTag::Symbol => Arg::Symbol(TextBuf::new(parse_text(token)?)),
        TypeTag::Blob => Arg::Blob(Bytes::from(parse_blob(token)?)),
        TypeTag::TimeTag => Arg::TimeTag(parse_time_tag(token)?),
        TypeTag::Char => Arg::Char(parse_char(token)?),
        TypeTag::Color => Arg::Color(Color::from(parse_four(token.strip_prefix('#')?)?)),
        TypeTag::Midi => Arg::Midi(Midi::from(parse_four(token.strip_prefix("m:")?)?)),
        TypeTag::True if token == "true" => Arg::Bool(true),
        TypeTag::False if token == "false" => Arg::Bool(false),
        TypeTag::Nil if token == "nil" => Arg::Nil,
        TypeTag::Impulse if token == "impulse" => Arg::Impulse,
        _ => return None,
    })
}

/// A number, `nan`, or `nan:` and the bits of another one.
fn parse_float<F: FromStr + PartialEq + Copy, B>(
    token: &str,
    quiet_nan: B,
    from_bits: fn(B) -> F,
    parse_bits: fn(&str) -> Option<B>,
) -> Option<F> {
    #[expect(clippy::eq_op, reason = "only a NaN differs from itself")]
    let is_nan = |value: &F| value != value;
    match token.strip_prefix("nan:") {
        Some(bits) => parse_bits(bits).map(from_bits).filter(is_nan),
        None if token == "nan" => Some(from_bits(quiet_nan)),
        None => token.parse().ok().filter(|value| !is_nan(value)),
    }
}

fn parse_time_tag(token: &str) -> Option<TimeTag> {
    if token == "now" {
        return Some(TimeTag::IMMEDIATELY);
    }
    if let Some(delay) = token.strip_prefix('+') {
        return parse_duration(delay).map(TimeTag::after);
    }
    if let Some(age) = token.strip_prefix('-') {
        return parse_duration(age).map(|age| TimeTag::now() - age);
    }
    let digits = token.strip_prefix("0x").filter(|digits| digits.len() == 16)?;
    parse_hex64(digits).map(TimeTag::from_bits)
}

/// A number of seconds, or one with its unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let units = [("us", 1e6), ("ms", 1e3), ("s", 1.0)];
    let with_unit = units.into_iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
    let (number, per_second) = with_unit.unwrap_or((text, 1.0));
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? / per_second).ok()
}

fn parse_char(token: &str) -> Option<Char> {
    if let Some(bits) = token.strip_prefix("c:") {
        return parse_hex(bits).map(Char::from_bits);
    }
    let mut inner = token.strip_prefix('\'')?.strip_suffix('\'')?.chars();
    let character = inner.next()?;
    inner.next().is_none().then(|| Char::from(character))
}

fn parse_four(digits: &str) -> Option<[u8; 4]> {
    parse_bytes(digits)?.try_into().ok()
}

fn parse_blob(token: &str) -> Option<Vec<u8>> {
    parse_bytes(token.strip_prefix('<')?.strip_suffix('>')?)
}

/// The bytes of a message without type tags: whole words of 4 bytes that do not begin with a comma.
fn parse_untyped(token: &str) -> Option<Vec<u8>> {
    parse_blob(token).filter(|tail| !tail.is_empty() && tail.len() % 4 == 0 && !tail.starts_with(b","))
}

fn parse_bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
            _ => None,
        })
        .collect()
}

fn hex_digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

fn parse_hex(digits: &str) -> Option<u32> {
    u32::try_from(parse_hex64(digits)?).ok()
}

fn parse_hex64(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

/// The bytes of a JSON string or of `x"<hex>"`.
fn parse_text(token: &str) -> Option<Vec<u8>> {
    if let Some(digits) = token.strip_prefix("x\"") {
        return parse_bytes(digits.strip_suffix('"')?);
    }
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    let mut units = Vec::new();
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(character) = chars.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        text.push(match chars.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                units.push(utf16_unit(&mut chars)?);
                match char::decode_utf16(units.iter().copied()).next()? {
                    Ok(character) => {
                        units.clear();
                        character
                    }
                    Err(_) if units.len() == 1 && chars.as_str().starts_with("\\u") => continue,
                    Err(_) => return None,
                }
            }
            _ => return None,
        });
    }
    units.is_empty().then(|| text.into_bytes())
}

fn utf16_unit(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    let digits =
        chars.as_str().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    chars.nth(3);
    u16::from_str_radix(digits, 16).ok()
}

/// The error of parsing a canonical line.
///
/// ```
/// use tokio_osc::Message;
///
/// let error = "/synth/1/freq ,f loud".parse::<Message>().unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 18: not the argument of the type tag 'f'");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParseLineError {
    kind: ParseLineErrorKind,
    line: usize,
    column: usize,
}

impl ParseLineError {
    fn new(kind: ParseLineErrorKind, at: usize) -> Self {
        Self { kind, line: 1, column: at.saturating_add(1) }
    }

    fn in_line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> ParseLineErrorKind {
        self.kind
    }

    /// Returns the number of the line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in bytes, from 1.
    pub const fn column(&self) -> usize {
        self.column
    }
}

/// The kinds of [`ParseLineError`].
///
/// ```
/// use tokio_osc::packet::ParseLineErrorKind;
/// use tokio_osc::Message;
///
/// let error = "/synth/1/freq ,f loud".parse::<Message>().unwrap_err();
/// assert!(matches!(error.kind(), ParseLineErrorKind::Argument(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseLineErrorKind {
    /// Not an address.
    Address,
    /// The text after the address is not a type tag string, or one with an undefined or unbalanced type tag.
    TypeTags,
    /// The argument of this type tag is missing or malformed.
    Argument(TypeTag),
    /// The text after `#bundle` is not a time tag.
    TimeTag,
    /// There is more text than the type tags require, or more than one packet.
    Trailing,
    /// `#end` without `#bundle`.
    UnexpectedEnd,
    /// `#bundle` without `#end`.
    UnclosedBundle,
    /// More than 1,024 bundles are open.
    TooDeep,
    /// The values cannot be encoded.
    Encode(EncodeError),
}

impl From<EncodeError> for ParseLineError {
    fn from(error: EncodeError) -> Self {
        Self::new(Kind::Encode(error), 0)
    }
}

impl fmt::Display for ParseLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        match self.kind {
            Kind::Address => f.write_str("not an address"),
            Kind::TypeTags => f.write_str("not a type tag string"),
            Kind::Argument(tag) => write!(f, "not the argument of the type tag '{tag}'"),
            Kind::TimeTag => {
                f.write_str("not a time tag, such as now, +1.5s or 0x and 16 hexadecimal digits")
            }
            Kind::Trailing => f.write_str("more than the type tags say"),
            Kind::UnexpectedEnd => f.write_str("#end without #bundle"),
            Kind::UnclosedBundle => f.write_str("#bundle without #end"),
            Kind::TooDeep => f.write_str("more than 1,024 bundles are open"),
            Kind::Encode(error) => error.fmt(f),
        }
    }
}

readable! { struct ParseLineError { kind, line, column } }

impl std::error::Error for ParseLineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Encode(error) => error.source(),
            _ => None,
        }
    }
}
