//! Type tags.

macro_rules! type_tags {
    ($($(#[$doc:meta])* $tag:ident = $byte:literal, $name:literal;)*) => {
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
        /// use tokio_osc::packet::TypeTag;
        ///
        /// assert_eq!(TypeTag::from_byte(b'f'), Some(TypeTag::Float32));
        /// assert_eq!(TypeTag::Int64.as_byte(), b'h');
        /// assert_eq!(TypeTag::from_byte(b'u'), None);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum TypeTag {
            $($(#[$doc])* $tag = $byte,)*
        }

        impl TypeTag {
            /// Every type tag.
            pub const ALL: [Self; 17] = [$(Self::$tag),*];

            /// Returns the type tag of a byte. `None` for bytes that OSC does not define.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$tag),)*
                    _ => None,
                }
            }

            /// Returns the name of an argument with this type tag, with an article.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$tag => $name,)*
                }
            }
        }
    };
}

type_tags! {
    /// `i`: a 32-bit integer.
    Int32 = b'i', "an int32";
    /// `f`: a 32-bit IEEE 754 number.
    Float32 = b'f', "a float32";
    /// `s`: text.
    String = b's', "a string";
    /// `b`: bytes.
    Blob = b'b', "a blob";
    /// `h`: a 64-bit integer.
    Int64 = b'h', "an int64";
    /// `t`: a time tag.
    TimeTag = b't', "a time tag";
    /// `d`: a 64-bit IEEE 754 number.
    Float64 = b'd', "a float64";
    /// `S`: a symbol: text that is distinct from a string.
    Symbol = b'S', "a symbol";
    /// `c`: a character, sent as 32 bits.
    Char = b'c', "a character";
    /// `r`: a color.
    Color = b'r', "a color";
    /// `m`: a MIDI message.
    Midi = b'm', "a MIDI message";
    /// `T`: true.
    True = b'T', "true";
    /// `F`: false.
    False = b'F', "false";
    /// `N`: nil.
    Nil = b'N', "nil";
    /// `I`: impulse ("bang") of OSC 1.1, called infinitum in OSC 1.0.
    Impulse = b'I', "an impulse";
    /// `[`: the beginning of an array.
    ArrayBegin = b'[', "an array";
    /// `]`: the end of an array.
    ArrayEnd = b']', "the end of the array";
}

impl TypeTag {
    /// Returns the byte on the wire.
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
