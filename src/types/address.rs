//! Addresses of messages.

use std::str::Utf8Error;

use bytes::Bytes;

use super::{Text, shared_text};

/// The address of a message: a path from the root that begins with `/`. `/mixer/channel/1/gain` has the four parts
/// `mixer`, `channel`, `1` and `gain` (OSC 1.0).
///
/// [`Address::new`] accepts literal addresses only: any bytes except NUL and the pattern characters `*?[]{}`. OSC 1.0
/// allows fewer characters: see [`AddressPolicy`](crate::packet::AddressPolicy). The address of a *received* message,
/// which a handler takes as a parameter, is that of the sender: it may be a pattern, or have no slash if the channel
/// accepts that. Cloning increments a reference count.
///
/// ```
/// use tokio_osc::Address;
///
/// let address = Address::new("/surfaces/Quad 1/opacity").expect("a literal address");
/// assert_eq!(address.parts().count(), 3);
/// assert_eq!(address, "/surfaces/Quad 1/opacity");
/// assert!(Address::new("/mixer/*/gain").is_none(), "that is a pattern");
/// assert!(Address::new("mixer").is_none(), "no leading slash");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Bytes);

impl Address {
    /// Creates a literal address. `None` for anything else.
    pub fn new(address: impl Into<Bytes>) -> Option<Self> {
        let bytes = address.into();
        let is_plain = |byte: &u8| !matches!(byte, 0 | b'*' | b'?' | b'[' | b']' | b'{' | b'}');
        (bytes.starts_with(b"/") && bytes.iter().all(is_plain)).then_some(Self(bytes))
    }

    /// Returns the address as text. Always succeeds for a literal address of [`new`](Address::new).
    ///
    /// ```
    /// use tokio_osc::Address;
    ///
    /// let address = Address::new("/mixer/1/gain").expect("a literal address");
    /// assert_eq!(address.to_str(), Ok("/mixer/1/gain"));
    /// ```
    ///
    /// # Errors
    /// Returns an error if a received address is not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        self.as_text().to_str()
    }

    /// Creates it from the address of a validated message.
    pub(crate) fn from_wire(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Returns the parts between the slashes, from the root. `/a/` has two, the last one empty.
    pub fn parts(&self) -> impl Iterator<Item = Text<'_>> {
        self.0.split(|&byte| byte == b'/').skip(1).map(Text::new)
    }
}

/// Returns `true` if OSC 1.0 allows this byte in a part of an address: printable ASCII except space and `# *
/// , / ? [ ] { }`.
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
