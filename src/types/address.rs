//! Addresses: where a message goes.

use std::str::Utf8Error;

use bytes::Bytes;

use super::{Text, shared_text};

/// The address of a message, as text that begins with `/` and names a path from the root:
/// `/mixer/channel/1/gain` has the four parts `mixer`, `channel`, `1` and `gain` (OSC 1.0).
///
/// [`Address::new`] takes only literal addresses: printable ASCII without space and without
/// `#*,?[]{}`. The address of a *received* message, which a handler gets as an extractor, is what
/// the sender wrote: it may be a pattern and may hold any byte but NUL. Cloning is a reference
/// count.
///
/// ```
/// use tokio_osc::Address;
///
/// let address = Address::new("/mixer/channel/1/gain").expect("a literal address");
/// assert_eq!(address.parts().count(), 4);
/// assert_eq!(address, "/mixer/channel/1/gain");
/// assert!(Address::new("/mixer/*/gain").is_none(), "that is a pattern");
/// assert!(Address::new("mixer").is_none(), "no leading slash");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Bytes);

impl Address {
    /// A literal address; `None` for anything else.
    pub fn new(address: impl Into<Bytes>) -> Option<Self> {
        let bytes = address.into();
        let legal = |(at, &byte): (usize, &u8)| byte == b'/' || (at > 0 && is_name_byte(byte));
        (!bytes.is_empty() && bytes.iter().enumerate().all(legal)).then_some(Self(bytes))
    }

    /// The address as text: always there for a literal one, as [`new`](Address::new) takes.
    ///
    /// ```
    /// use tokio_osc::Address;
    ///
    /// let address = Address::new("/mixer/1/gain").expect("a literal address");
    /// assert_eq!(address.to_str(), Ok("/mixer/1/gain"));
    /// ```
    ///
    /// # Errors
    /// The bytes of a received address are not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        self.as_text().to_str()
    }

    /// For the address of a validated message.
    pub(crate) fn from_wire(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The names between and behind the slashes, from the root. `/a/` has two, the last one empty.
    pub fn parts(&self) -> impl Iterator<Item = Text<'_>> {
        self.0.split(|&byte| byte == b'/').skip(1).map(Text::new)
    }
}

/// Whether a byte may stand in a part of an address: printable ASCII but for space and
/// `# * , / ? [ ] { }` (OSC 1.0).
pub(crate) const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~')
        && !matches!(byte, b'#' | b'*' | b',' | b'/' | b'?' | b'[' | b']' | b'{' | b'}')
}

impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq<str> for Address {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl PartialEq<&str> for Address {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

shared_text!(Address, 0);
