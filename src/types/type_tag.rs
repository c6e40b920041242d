//! The characters of a type tag string.

/// One character of a type tag string (OSC 1.0 and 1.1; the two name the same set).
///
/// | tag | argument | bytes | tag | argument | bytes |
/// |-----|----------|-------|-----|----------|-------|
/// | `i` | int32 | 4 | `c` | character | 4 |
/// | `f` | float32 | 4 | `r` | color | 4 |
/// | `s` | string | 4 n | `m` | MIDI message | 4 |
/// | `b` | blob | 4 n | `T` `F` | true, false | 0 |
/// | `h` | int64 | 8 | `N` | nil | 0 |
/// | `t` | time tag | 8 | `I` | impulse | 0 |
/// | `d` | float64 | 8 | `[` `]` | array | 0 |
/// | `S` | symbol | 4 n | | | |
///
/// ```
/// use tokio_osc::TypeTag;
///
/// assert_eq!(TypeTag::from_byte(b'f'), Some(TypeTag::Float32));
/// assert_eq!(TypeTag::Int64.as_byte(), b'h');
/// assert_eq!(TypeTag::from_byte(b'u'), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum TypeTag {
    /// `i`: a 32-bit integer.
    Int32 = b'i',
    /// `f`: a 32-bit IEEE 754 number.
    Float32 = b'f',
    /// `s`: text.
    String = b's',
    /// `b`: bytes.
    Blob = b'b',
    /// `h`: a 64-bit integer.
    Int64 = b'h',
    /// `t`: a time tag.
    TimeTag = b't',
    /// `d`: a 64-bit IEEE 754 number.
    Float64 = b'd',
    /// `S`: text that is to be told apart from a string (a symbol).
    Symbol = b'S',
    /// `c`: a character, sent as 32 bits.
    Char = b'c',
    /// `r`: a color.
    Color = b'r',
    /// `m`: a MIDI message.
    Midi = b'm',
    /// `T`: true.
    True = b'T',
    /// `F`: false.
    False = b'F',
    /// `N`: nil.
    Nil = b'N',
    /// `I`: impulse ("bang") of OSC 1.1, called infinitum in OSC 1.0.
    Impulse = b'I',
    /// `[`: the beginning of an array.
    ArrayBegin = b'[',
    /// `]`: the end of an array.
    ArrayEnd = b']',
}

impl TypeTag {
    /// Every type tag.
    pub const ALL: [Self; 17] = [
        Self::Int32,
        Self::Float32,
        Self::String,
        Self::Blob,
        Self::Int64,
        Self::TimeTag,
        Self::Float64,
        Self::Symbol,
        Self::Char,
        Self::Color,
        Self::Midi,
        Self::True,
        Self::False,
        Self::Nil,
        Self::Impulse,
        Self::ArrayBegin,
        Self::ArrayEnd,
    ];

    /// The tag of a byte, `None` for what OSC does not define.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            b'i' => Self::Int32,
            b'f' => Self::Float32,
            b's' => Self::String,
            b'b' => Self::Blob,
            b'h' => Self::Int64,
            b't' => Self::TimeTag,
            b'd' => Self::Float64,
            b'S' => Self::Symbol,
            b'c' => Self::Char,
            b'r' => Self::Color,
            b'm' => Self::Midi,
            b'T' => Self::True,
            b'F' => Self::False,
            b'N' => Self::Nil,
            b'I' => Self::Impulse,
            b'[' => Self::ArrayBegin,
            b']' => Self::ArrayEnd,
            _ => return None,
        })
    }

    /// The byte on the wire.
    pub const fn as_byte(self) -> u8 {
        self as u8
    }
}

impl std::fmt::Display for TypeTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        f.write_char(char::from(self.as_byte()))
    }
}
