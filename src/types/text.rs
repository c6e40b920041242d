//! OSC strings and characters: bytes, with text views.
//!
//! The specification requires ASCII; real programs send UTF-8 and Latin-1. No byte is lost, and the reader
//! chooses the charset.

use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

use bytes::Bytes;

use super::shared_text;

/// Borrowed text of an OSC-string (type tags `s` and `S`): bytes, in the sender's charset.
///
/// Received text contains no NUL. Text with a NUL cannot be encoded.
///
/// ```
/// use tokio_osc::packet::Text;
///
/// let latin1 = Text::new(b"caf\xe9");
/// assert!(latin1.to_str().is_err());
/// assert_eq!(latin1.to_latin1(), "café");
/// assert_eq!(latin1.to_string_lossy(), "caf\u{fffd}");
/// assert_eq!(latin1.as_bytes(), b"caf\xe9");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Creates text from bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes as sent.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the text, if the bytes are UTF-8, which includes ASCII.
    ///
    /// # Errors
    /// Returns an error with the position if the bytes are not UTF-8.
    pub fn to_str(self) -> Result<&'a str, Utf8Error> {
        std::str::from_utf8(self.0)
    }

    /// Returns the text, with U+FFFD in place of invalid UTF-8.
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// Returns the text decoded from Latin-1 (ISO 8859-1), where every byte is a character.
    pub fn to_latin1(self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }
}

impl<'a> From<&'a TextBuf> for Text<'a> {
    fn from(text: &'a TextBuf) -> Self {
        text.as_text()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_str() {
            Ok(text) => write!(f, "{text:?}"),
            Err(_) => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// Invalid UTF-8 is shown as U+FFFD.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

/// Owned text of an OSC string. Cloning increments a reference count.
///
/// ```
/// use tokio_osc::packet::TextBuf;
///
/// let text = TextBuf::new("saw");
/// assert_eq!(text.as_text(), "saw");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextBuf(Bytes);

impl TextBuf {
    /// Creates text from a string or bytes, without a copy if they are static or [`Bytes`].
    pub fn new(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }
}

shared_text!(TextBuf, 0);

/// A character (type tag `c`): its 32 bits on the wire.
///
/// "An ASCII character, sent as 32 bits" (OSC 1.0) is written as a big-endian number: `00 00 00 41` is `A`. osc4py3
/// writes it to the first byte, `41 00 00 00`. [`to_char`](Char::to_char) reads both forms, and the bits are kept.
///
/// ```
/// use tokio_osc::packet::Char;
///
/// assert_eq!(Char::from('A').to_bits(), 0x41);
/// assert_eq!(Char::from_bits(0x4100_0000).to_char(), Some('A'));
/// assert_eq!(Char::from_bits(0x4142_0000).to_char(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Char(u32);

impl Char {
    /// Creates a character from its 32 bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the 32 bits.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// Returns the character, if the bits are one in either form.
    pub const fn to_char(self) -> Option<char> {
        if self.0 != 0 && self.0.trailing_zeros() >= 24 {
            return char::from_u32(self.0 >> 24);
        }
        char::from_u32(self.0)
    }
}

impl From<char> for Char {
    fn from(character: char) -> Self {
        Self(u32::from(character))
    }
}
