//! The canonical line: a text form of messages that can be parsed to the same bits.
//!
//! ```text
//! ADDRESS ,TAGS ARG ARG …          /s_new ,siT[ff] "default" 1001 true [ 0.5 440 ]
//! ```
//!
//! One token per type tag, separated by one space. A bundle is `#bundle 0x<time tag>`, its elements, and
//! `#end`, each on its own line. Three forms exist only for packets that lenient options accept: an address
//! in quotes without its slash, `x"0000000b"` for a number in place of the address, and `ADDRESS <hex>` for
//! bytes without type tags.

use std::fmt::{self, Display, Formatter, Write as _};

use super::walk::PacketStep;
use super::{BundleRef, MessageRef, PacketRef};
use crate::types::{Arg, ArgRef, ArgStep, ArrayRef, Char, Text, brief};
use crate::wire::ArgIter;

/// The quiet NaNs that are written as `nan`. Other NaNs are written as bits.
pub(super) const NAN32: u32 = 0x7fc0_0000;
pub(super) const NAN64: u64 = 0x7ff8_0000_0000_0000;

/// Writes the canonical line, without a line feed.
impl Display for MessageRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        address(f, self.name())?;
        if let Some(tail) = self.untyped() {
            return write!(f, " {}", ArgRef::Blob(tail));
        }
        let type_tags = self.type_tags();
        if !type_tags.is_empty() {
            write!(f, " {type_tags}")?;
        }
        args(f, self.args())
    }
}

/// Canonical lines from `#bundle` to `#end`, without a line feed after the last.
impl Display for BundleRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        PacketRef::Bundle(*self).fmt(f)
    }
}

/// Canonical lines, without a line feed after the last.
impl Display for PacketRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (line, step) in self.walk().enumerate() {
            if line > 0 {
                f.write_char('\n')?;
            }
            match step {
                PacketStep::Message(message) => message.fmt(f)?,
                PacketStep::Begin(time_tag) => write!(f, "#bundle {time_tag}")?,
                PacketStep::End => f.write_str("#end")?,
            }
        }
        Ok(())
    }
}

/// The token of the canonical line; an array with its brackets.
impl Display for ArgRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int32(value) => value.fmt(f),
            Self::Int64(value) => value.fmt(f),
            Self::Float32(value) => float(f, *value, value.is_nan(), value.to_bits(), &NAN32),
            Self::Float64(value) => float(f, *value, value.is_nan(), value.to_bits(), &NAN64),
            Self::String(value) | Self::Symbol(value) => text(f, *value),
            Self::Blob(bytes) => {
                f.write_char('<')?;
                hex(f, bytes)?;
                f.write_char('>')
            }
            Self::TimeTag(tag) => tag.fmt(f),
            Self::Char(value) => character(f, *value),
            Self::Color(color) => {
                f.write_char('#')?;
                hex(f, &<[u8; 4]>::from(*color))
            }
            Self::Midi(midi) => {
                f.write_str("m:")?;
                hex(f, &<[u8; 4]>::from(*midi))
            }
            Self::Bool(value) => value.fmt(f),
            Self::Nil => f.write_str("nil"),
            Self::Impulse => f.write_str("impulse"),
            Self::Array(array) => array.fmt(f),
        }
    }
}

impl Display for ArrayRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        args(f, self.iter())?;
        f.write_str(" ]")
    }
}

/// The canonical text: at most its first 1,024 bytes.
impl fmt::Debug for ArrayRef<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        brief(f, "Array", self)
    }
}

/// The token of the canonical line; an array with its brackets.
impl Display for Arg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps().enumerate() {
            let separator = if index > 0 { " " } else { "" };
            f.write_str(separator)?;
            match step {
                ArgStep::Begin(_) => f.write_char('[')?,
                ArgStep::End => f.write_char(']')?,
                ArgStep::Scalar(scalar) => scalar.as_scalar().map_or(Ok(()), |scalar| scalar.fmt(f))?,
            }
        }
        Ok(())
    }
}

/// Writes each argument after a space. Arrays are written iteratively.
fn args(f: &mut Formatter<'_>, args: ArgIter<'_>) -> fmt::Result {
    let mut open = vec![args];
    while let Some(level) = open.last_mut() {
        match level.next() {
            Some(ArgRef::Array(array)) => {
                f.write_str(" [")?;
                open.push(array.iter());
            }
            Some(scalar) => write!(f, " {scalar}")?,
            None => {
                open.pop();
                if !open.is_empty() {
                    f.write_str(" ]")?;
                }
            }
        }
    }
    Ok(())
}

/// The shortest decimal that reads back to the same bits.
fn float<T, B>(f: &mut Formatter<'_>, value: T, is_nan: bool, bits: B, quiet_nan: &B) -> fmt::Result
where
    T: Display + fmt::LowerExp,
    B: PartialEq + fmt::LowerHex + Copy,
{
    if is_nan {
        return if bits == *quiet_nan { f.write_str("nan") } else { write!(f, "nan:{bits:x}") };
    }
    let decimal = value.to_string();
    let scientific = format!("{value:e}");
    f.write_str(if scientific.len() < decimal.len() { &scientific } else { &decimal })
}

fn character(f: &mut Formatter<'_>, value: Char) -> fmt::Result {
    match u8::try_from(value.to_bits()) {
        Ok(byte @ 0x20..=0x7e) if byte != b'\'' && byte != b'\\' => write!(f, "'{}'", char::from(byte)),
        _ => write!(f, "c:{:x}", value.to_bits()),
    }
}

/// Unquoted if it begins with a slash and is unambiguous, otherwise as text in quotes. A number instead of an address
/// is written as its four bytes.
fn address(f: &mut Formatter<'_>, address: &[u8]) -> fmt::Result {
    if let [0, ..] = address {
        return quoted_hex(f, address);
    }
    let plain =
        |text: &str| text.starts_with('/') && !text.chars().any(|c| c == ' ' || c == '"' || is_hidden(c));
    match std::str::from_utf8(address) {
        Ok(address) if plain(address) => f.write_str(address),
        _ => text(f, Text::new(address)),
    }
}

/// A JSON string, or `x"<hex>"` for invalid UTF-8.
fn text(f: &mut Formatter<'_>, text: Text<'_>) -> fmt::Result {
    let Ok(utf8) = text.to_str() else { return quoted_hex(f, text.as_bytes()) };
    f.write_char('"')?;
    for character in utf8.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            hidden if is_hidden(hidden) => {
                for unit in hidden.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
            plain => f.write_char(plain)?,
        }
    }
    f.write_char('"')
}

fn quoted_hex(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("x\"")?;
    hex(f, bytes)?;
    f.write_char('"')
}

/// Characters that a terminal interprets: controls, line and paragraph separators, and those that change the
/// writing direction.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

fn hex(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
