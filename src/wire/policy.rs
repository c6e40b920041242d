//! The policies of decoding.

/// How a message without a type tag string is interpreted. Pre-1.0 senders write such messages, and many
/// programs write requests without arguments in this way, such as `/info` to a mixer.
///
/// ```
/// use tokio_osc::packet::{DecodeOptions, MissingTypeTags};
/// use tokio_osc::{Bytes, Packet};
///
/// let packet = Bytes::from_static(b"/info\0\0\0");
/// let options = DecodeOptions::default();
/// assert!(Packet::decode_with(packet.clone(), &options).is_ok());
/// assert!(Packet::decode_with(packet, &options.missing_type_tags(MissingTypeTags::Reject)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingTypeTags {
    /// An error: OSC 1.0 to the letter.
    Reject,
    /// A message without arguments, if nothing follows the address. Otherwise an error, because the types of the bytes
    /// are unknown.
    NoArguments,
    /// A message without arguments. Bytes after the address are kept for
    /// [`Message::untyped`](crate::Message::untyped), for receivers that know their meaning.
    Untyped,
}

/// The bytes allowed in text: strings, symbols and addresses.
///
/// ```
/// use tokio_osc::packet::{DecodeOptions, TextPolicy};
/// use tokio_osc::{Bytes, Packet};
///
/// let packet = Bytes::from_static(b"/name\0\0\0,s\0\0caf\xe9\0\0\0\0");
/// let options = DecodeOptions::default();
/// assert!(Packet::decode_with(packet.clone(), &options).is_ok());
/// assert!(Packet::decode_with(packet, &options.text_policy(TextPolicy::Utf8)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextPolicy {
    /// Any byte except NUL. Invalid UTF-8 is kept unchanged and counted.
    Any,
    /// UTF-8, which includes ASCII.
    Utf8,
    /// ASCII, as OSC 1.0 requires, control characters included.
    Ascii,
}

/// The characters allowed in the address of a message, in addition to [`TextPolicy`].
///
/// ```
/// use tokio_osc::packet::{AddressPolicy, DecodeOptions};
/// use tokio_osc::{Bytes, Packet};
///
/// let packet = Bytes::from_static(b"/ch 1\0\0\0,\0\0\0");
/// let options = DecodeOptions::default();
/// assert!(Packet::decode_with(packet.clone(), &options).is_ok());
/// assert!(Packet::decode_with(packet, &options.address_policy(AddressPolicy::Literal)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressPolicy {
    /// Any, because devices use spaces and umlauts in names.
    Any,
    /// The characters of OSC 1.0, including those of patterns: printable ASCII except space and `#`.
    Pattern,
    /// The characters of a literal address: those of [`Pattern`](AddressPolicy::Pattern) without `* , ? [ ] { }`. In
    /// osc4py3: `check_addrpattern`.
    Literal,
}

impl AddressPolicy {
    /// Returns `true` if an address begins with `/` and contains only these characters. Use it to check your own
    /// addresses if every peer must accept them: sending and routing accept more.
    ///
    /// ```
    /// use tokio_osc::packet::AddressPolicy;
    ///
    /// assert!(AddressPolicy::Literal.accepts("/quad/1/opacity"));
    /// assert!(!AddressPolicy::Literal.accepts("/quad/*/opacity"));
    /// assert!(AddressPolicy::Pattern.accepts("/quad/*/opacity"));
    /// assert!(!AddressPolicy::Pattern.accepts("/Quad 1/opacity"));
    /// ```
    pub fn accepts(self, address: impl AsRef<[u8]>) -> bool {
        let address = address.as_ref();
        address.starts_with(b"/") && address.iter().all(|&byte| byte != 0 && self.allows(byte))
    }

    pub(super) fn allows(self, byte: u8) -> bool {
        let pattern = matches!(byte, b'*' | b',' | b'?' | b'[' | b']' | b'{' | b'}');
        match self {
            Self::Any => true,
            Self::Pattern => byte == b'/' || pattern || crate::types::is_name_byte(byte),
            Self::Literal => byte == b'/' || crate::types::is_name_byte(byte),
        }
    }
}
