//! Messages: an address, type tags and arguments, kept as their encoded bytes.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::head::Head;
use super::{ArgsError, ArgsReader, EncodeError, FromArgs, IntoArgs, Packet, PacketRef};
use crate::types::{Address, Text, TypeTag, brief};
use crate::wire::{ArgIter, DecodeError, DecodeErrorKind, DecodeOptions, Layout};

/// An address with arguments, kept as validated bytes.
///
/// ```text
/// +--------------------+-------------------------+-----------------+
/// | address, NUL, pad  | "," type tags, NUL, pad | arguments       |
/// | "/synth/1/freq\0"  | ",f\0\0"                | 43 dc 00 00     |
/// +--------------------+-------------------------+-----------------+
/// ```
///
/// A message holds its encoded bytes. Creating one encodes it, and sending it copies the bytes. Cloning it, and taking
/// it out of a bundle, increments a reference count. [`args`](Message::args) iterates over the arguments, and
/// [`parse`](Message::parse) converts them to Rust values.
///
/// `==` compares addresses, type tags and values (floats by their bits), and ignores padding. `Display` writes the
/// canonical line, `FromStr` reads it, and `Debug` shows at most its first 1,024 bytes.
///
/// ```
/// use tokio_osc::Message;
///
/// let message = Message::new("/synth/1/freq", (440.0_f32, "saw"))?;
/// assert_eq!(message.address(), "/synth/1/freq");
/// assert_eq!(message.type_tags(), ",fs");
/// assert_eq!(message.parse::<(f32, &str)>()?, (440.0, "saw"));
///
/// assert_eq!(message.to_string(), r#"/synth/1/freq ,fs 440 "saw""#);
/// assert_eq!(message, message.to_string().parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Message {
    frame: Bytes,
    layout: Layout,
}

impl Message {
    /// Creates a message with an address or address pattern. Names may contain any byte except NUL, such as spaces,
    /// umlauts and commas.
    ///
    /// ```
    /// use tokio_osc::Message;
    ///
    /// let message = Message::new("/1/Küche links", 0.5_f32)?;
    /// assert_eq!(message.to_string(), r#""/1/Küche links" ,f 0.5"#);
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the address is not a valid [`Pattern`](crate::Pattern): it does not begin with `/`, has an
    /// unbalanced bracket or brace, or exceeds a limit. Also returns an error if a text contains a NUL, or the message
    /// takes more than 2<sup>31</sup> - 1 bytes. For an address that is not a valid pattern use
    /// [`with_raw_address`](Message::with_raw_address), for one without a slash
    /// [`with_bare_address`](Message::with_bare_address).
    pub fn new(address: impl AsRef<[u8]>, args: impl IntoArgs) -> Result<Self, EncodeError> {
        Self::build(Head::pattern(address.as_ref())?, &args)
    }

    /// Creates a message whose address may be any bytes except NUL that begin with `/`. An address that is not a valid
    /// pattern, such as `/clip [2`, is a literal name.
    ///
    /// ```
    /// use tokio_osc::Message;
    ///
    /// assert!(Message::new("/clip [2", 0.5_f32).is_err(), "a bracket without its partner");
    /// let message = Message::with_raw_address("/clip [2", 0.5_f32)?;
    /// assert_eq!(message.to_string(), r#""/clip [2" ,f 0.5"#);
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`new`](Message::new), except that any characters are accepted in the address.
    pub fn with_raw_address(address: impl AsRef<[u8]>, args: impl IntoArgs) -> Result<Self, EncodeError> {
        Self::build(Head::path(address.as_ref())?, &args)
    }

    /// Creates a message whose address has no slash, for receivers that
    /// [accept such addresses](crate::packet::DecodeOptions::accept_bare_addresses). The address may be any bytes
    /// except NUL, but not the word `#bundle`.
    ///
    /// # Errors
    /// Same as [`with_raw_address`](Message::with_raw_address), except that the slash is not required.
    pub fn with_bare_address(address: impl AsRef<[u8]>, args: impl IntoArgs) -> Result<Self, EncodeError> {
        Self::build(Head::text(address.as_ref())?, &args)
    }

    /// Creates a message with a command number instead of an address, as `SuperCollider`'s server accepts. A number has
    /// 24 bits, so its first byte is NUL, with which no address begins.
    ///
    /// ```
    /// use tokio_osc::Message;
    ///
    /// const SYNC: u32 = 52;
    /// let message = Message::with_numeric_address(SYNC, 7)?;
    /// assert_eq!(message.as_bytes().as_ref(), b"\0\0\0\x34,i\0\0\0\0\0\x07");
    /// assert_eq!(message.numeric_address(), Some(52));
    /// assert_eq!(message.address(), "");
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the number is not below 2<sup>24</sup>, and the errors of [`new`](Message::new) for the
    /// arguments.
    pub fn with_numeric_address(number: u32, args: impl IntoArgs) -> Result<Self, EncodeError> {
        Self::build(Head::number(&number.to_be_bytes())?, &args)
    }

    fn build(head: Head<'_>, args: &impl IntoArgs) -> Result<Self, EncodeError> {
        let mut frame = BytesMut::new();
        let layout = head.encode(&mut frame, args)?;
        Ok(Self { frame: frame.freeze(), layout })
    }

    /// Creates a message without type tags, with an address of any kind, as senders before OSC 1.0 write it. The
    /// number of bytes after the address is a multiple of 4, and they do not begin with a comma.
    pub(super) fn untagged(address: &[u8], tail: &[u8]) -> Result<Self, EncodeError> {
        let head = Head::any(address)?;
        let mut frame = address.to_vec();
        frame.resize(head.size, 0);
        frame.extend_from_slice(tail);
        Ok(Self { frame: frame.into(), layout: head.layout(head.size) })
    }

    /// Creates a message with an address of any kind.
    pub(crate) fn with_any_address(address: &[u8], args: &impl IntoArgs) -> Result<Self, EncodeError> {
        Self::build(Head::any(address)?, args)
    }

    /// Decodes a message with the default [`DecodeOptions`], without copying it.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a valid message, or exceed a limit.
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let layout = MessageRef::decode(&frame)?.layout;
        Ok(Self { frame, layout })
    }

    /// The bytes of the address, or of the number instead of one.
    #[inline]
    pub(crate) fn name(&self) -> &[u8] {
        self.layout.name(&self.frame)
    }

    /// For a frame that was validated, and the layout found then.
    pub(crate) fn from_parts(frame: Bytes, layout: Layout) -> Self {
        Self { frame, layout }
    }

    /// Borrows the message.
    #[inline]
    pub fn as_ref(&self) -> MessageRef<'_> {
        MessageRef { frame: &self.frame, layout: self.layout }
    }

    /// The address or address pattern, as sent.
    #[inline]
    pub fn address(&self) -> Text<'_> {
        self.as_ref().address()
    }

    /// Returns the number instead of an address, if the message has one: see
    /// [`accept_bare_addresses`](DecodeOptions::accept_bare_addresses). The [`address`](Message::address) is empty
    /// then.
    pub fn numeric_address(&self) -> Option<u32> {
        self.as_ref().numeric_address()
    }

    /// Returns the bytes after the address of a message without type tags, if there are any: see
    /// [`MissingTypeTags::Untyped`](crate::packet::MissingTypeTags::Untyped).
    ///
    /// ```
    /// use tokio_osc::packet::DecodeOptions;
    /// use tokio_osc::{Bytes, Message, Packet};
    ///
    /// let old = Bytes::from_static(b"/vol\0\0\0\0\0\0\0\x05");
    /// let (packet, _) = Packet::decode_with(old, &DecodeOptions::lenient())?;
    /// let message = Message::try_from(packet).expect("a message");
    /// assert_eq!(message.args().count(), 0);
    /// assert_eq!(message.untyped(), Some(&[0, 0, 0, 5][..]));
    /// # Ok::<(), tokio_osc::packet::DecodeError>(())
    /// ```
    pub fn untyped(&self) -> Option<&[u8]> {
        self.as_ref().untyped()
    }

    /// Returns the address as an owned value that shares the buffer of the message.
    pub fn to_address(&self) -> Address {
        Address::from_wire(self.frame.slice_ref(self.layout.address(&self.frame)))
    }

    /// The type tag string, with its comma; empty if the message has none.
    pub fn type_tags(&self) -> &str {
        self.as_ref().type_tags()
    }

    /// The arguments, one after the other.
    #[inline]
    pub fn args(&self) -> ArgIter<'_> {
        self.as_ref().args()
    }

    /// The arguments as Rust values, converted as [`FromArgs`] says.
    ///
    /// # Errors
    /// Returns an error if the arguments have other types, or their number differs. The error names the argument, the
    /// expected type and the type found.
    #[inline]
    pub fn parse<'a, T: FromArgs<'a>>(&'a self) -> Result<T, ArgsError> {
        self.as_ref().read(Some(&self.frame))
    }

    /// The bytes of the message.
    pub fn as_bytes(&self) -> &Bytes {
        &self.frame
    }

    /// Returns the bytes of the message, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.frame
    }
}

impl TryFrom<Packet> for Message {
    type Error = Packet;

    /// Returns the message. A bundle is returned as the error.
    fn try_from(packet: Packet) -> Result<Self, Packet> {
        match packet {
            Packet::Message(message) => Ok(message),
            bundle @ Packet::Bundle(_) => Err(bundle),
        }
    }
}

/// A validated message in borrowed bytes: decoding one allocates nothing.
///
/// ```
/// use tokio_osc::packet::MessageRef;
///
/// let message = MessageRef::decode(b"/synth/1/freq\0\0\0,f\0\0\x43\xdc\0\0")?;
/// assert_eq!(message.address(), "/synth/1/freq");
/// assert_eq!(message.parse::<f32>()?, 440.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct MessageRef<'a> {
    frame: &'a [u8],
    layout: Layout,
}

impl<'a> MessageRef<'a> {
    /// Decodes a message with the default [`DecodeOptions`].
    ///
    /// # Errors
    /// Returns an error if the bytes are not a valid message, or exceed a limit.
    pub fn decode(frame: &'a [u8]) -> Result<Self, DecodeError> {
        match PacketRef::decode(frame, &DecodeOptions::DEFAULT)?.0 {
            PacketRef::Message(message) => Ok(message),
            PacketRef::Bundle(_) => Err(DecodeError::new(DecodeErrorKind::NotAMessage, 0)),
        }
    }

    /// For a frame that was validated, and the layout found then.
    #[inline]
    pub(super) fn from_parts(frame: &'a [u8], layout: Layout) -> Self {
        Self { frame, layout }
    }

    /// Creates a message of a bundle that was validated as a whole.
    #[inline]
    pub(crate) fn of_validated(frame: &'a [u8]) -> Self {
        Self { frame, layout: Layout::of_validated(frame) }
    }

    /// Returns an owned message that shares the buffer.
    #[inline]
    pub(super) fn share(self, buffer: &Bytes) -> Message {
        Message::from_parts(buffer.slice_ref(self.frame), self.layout)
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether all type tags are known. A message of a bundle with an unknown one is skipped.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        let tags = self.layout.args(self.frame).tags.iter().take_while(|&&tag| tag != 0);
        tags.copied().all(|tag| TypeTag::from_byte(tag).is_some())
    }

    /// The address or address pattern, as sent.
    #[inline]
    pub fn address(&self) -> Text<'a> {
        Text::new(self.layout.address(self.frame))
    }

    /// Same as [`Message::numeric_address`].
    pub fn numeric_address(&self) -> Option<u32> {
        self.layout.number(self.frame)
    }

    /// The bytes of the address, or of the number instead of one.
    pub(crate) fn name(&self) -> &'a [u8] {
        self.layout.name(self.frame)
    }

    /// The type tag string, with its comma; empty if the message has none.
    pub fn type_tags(&self) -> &'a str {
        std::str::from_utf8(self.layout.type_tags(self.frame)).unwrap_or_default()
    }

    /// Same as [`Message::untyped`].
    pub fn untyped(&self) -> Option<&'a [u8]> {
        self.layout.untyped(self.frame)
    }

    /// The arguments, one after the other.
    #[inline]
    pub fn args(&self) -> ArgIter<'a> {
        ArgIter::new(self.layout.args(self.frame))
    }

    /// The arguments as Rust values, converted as [`FromArgs`] says.
    ///
    /// # Errors
    /// Returns an error if the arguments have other types, or their number differs.
    #[inline]
    pub fn parse<T: FromArgs<'a>>(&self) -> Result<T, ArgsError> {
        self.read(None)
    }

    #[inline]
    fn read<T: FromArgs<'a>>(&self, source: Option<&'a Bytes>) -> Result<T, ArgsError> {
        let mut args = ArgsReader::new(self.layout.args(self.frame), source);
        let value = args.read()?;
        args.finish()?;
        Ok(value)
    }

    /// The bytes of the message.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.frame
    }

    /// Copies the message into a buffer of exactly its size.
    pub fn to_owned(&self) -> Message {
        Message { frame: Bytes::copy_from_slice(self.frame), layout: self.layout }
    }
}

impl PartialEq for MessageRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame
            || (self.name() == other.name()
                && self.type_tags() == other.type_tags()
                && self.untyped() == other.untyped()
                && self.args().scalars().eq(other.args().scalars()))
    }
}

impl Eq for MessageRef<'_> {}

impl fmt::Debug for MessageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        brief(f, "Message", self)
    }
}
