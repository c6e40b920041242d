//! A message: an address, type tags and arguments, kept as the bytes that travel.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::{ArgsError, ArgsReader, EncodeError, EncodeErrorKind, FromArgs, IntoArgs, Packet, PacketRef};
use crate::pattern;
use crate::types::{Address, Text, TypeTag};
use crate::wire::{
    ArgCursor, ArgIter, DecodeError, DecodeErrorKind, DecodeOptions, Layout, Measure, Validator, WriteInto,
    padded, text_end,
};

/// A message in its validated wire form.
///
/// ```text
/// +--------------------+-------------------------+-----------------+
/// | address, NUL, pad  | "," type tags, NUL, pad | arguments       |
/// | "/synth/1/freq\0"  | ",f\0\0"                | 43 dc 00 00     |
/// +--------------------+-------------------------+-----------------+
/// ```
///
/// Making one is encoding it; sending it is a copy; cloning it and taking it out of a bundle are
/// reference counts. Reading parses nothing twice: [`args`](Message::args) walks the bytes,
/// [`parse`](Message::parse) takes them as Rust values.
///
/// `==` compares addresses, type tags and values (floats by their bits), not padding. `Display`
/// writes the canonical line, `FromStr` reads it.
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
    /// Encodes a message to an address or address pattern.
    ///
    /// # Errors
    /// The address is no legal OSC address pattern, a text holds a NUL, or the whole takes more
    /// than 2<sup>31</sup> - 1 bytes. For addresses that OSC does not allow but devices have, see
    /// [`with_raw_address`](Message::with_raw_address).
    pub fn new(address: impl AsRef<[u8]>, args: impl IntoArgs) -> Result<Self, EncodeError> {
        let mut frame = BytesMut::new();
        let layout = encode(&mut frame, address.as_ref(), &args)?;
        Ok(Self { frame: frame.freeze(), layout })
    }

    /// Encodes a message to an address of any characters but NUL, as long as it begins with `/`:
    /// some devices name their controls with spaces and umlauts.
    ///
    /// ```
    /// use tokio_osc::Message;
    ///
    /// let message = Message::with_raw_address("/1/Küche links", 0.5_f32)?;
    /// assert_eq!(message.to_string(), r#""/1/Küche links" ,f 0.5"#);
    /// # Ok::<(), tokio_osc::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Message::new), but for the characters of the address.
    pub fn with_raw_address(address: impl AsRef<[u8]>, args: impl IntoArgs) -> Result<Self, EncodeError> {
        let mut frame = BytesMut::new();
        let layout = encode_raw(&mut frame, address.as_ref(), &args)?;
        Ok(Self { frame: frame.freeze(), layout })
    }

    /// Decodes a message with the default [`DecodeOptions`], without copying it.
    ///
    /// # Errors
    /// The bytes are no message, or one over a limit.
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let layout = MessageRef::decode(&frame)?.layout;
        Ok(Self { frame, layout })
    }

    /// A message that ends after its address, as pre-1.0 senders write it.
    pub(super) fn untagged(address: &[u8]) -> Result<Self, EncodeError> {
        check_raw(address)?;
        let mut frame = address.to_vec();
        frame.resize(padded(address.len()), 0);
        let frame = Bytes::from(frame);
        let layout = MessageRef::of_validated(&frame).layout;
        Ok(Self { frame, layout })
    }

    /// For a frame that was validated, and the layout found then.
    pub(crate) fn from_parts(frame: Bytes, layout: Layout) -> Self {
        Self { frame, layout }
    }

    /// The message, borrowed.
    #[inline]
    pub fn as_ref(&self) -> MessageRef<'_> {
        MessageRef { frame: &self.frame, layout: self.layout }
    }

    /// The address or address pattern, as sent.
    #[inline]
    pub fn address(&self) -> Text<'_> {
        self.as_ref().address()
    }

    /// The address as a value of its own, sharing the message's buffer.
    pub fn to_address(&self) -> Address {
        Address::from_wire(self.frame.slice(..self.layout.address as usize))
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
    /// The arguments are of other types or of another number; the error says which, and what was
    /// expected and found.
    #[inline]
    pub fn parse<'a, T: FromArgs<'a>>(&'a self) -> Result<T, ArgsError> {
        self.as_ref().read(Some(&self.frame))
    }

    /// The bytes of the message.
    pub fn as_bytes(&self) -> &Bytes {
        &self.frame
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Message {}

impl TryFrom<Packet> for Message {
    type Error = Packet;

    /// The message a packet is; a bundle is given back.
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
/// use tokio_osc::MessageRef;
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
    /// The bytes are no message, or one over a limit.
    pub fn decode(frame: &'a [u8]) -> Result<Self, DecodeError> {
        match PacketRef::decode(frame, &DecodeOptions::default())?.0 {
            PacketRef::Message(message) => Ok(message),
            PacketRef::Bundle(_) => Err(DecodeError::new(DecodeErrorKind::NotAMessage, 0)),
        }
    }

    /// Validates bytes that begin with `/`.
    #[inline]
    pub(crate) fn validate(frame: &'a [u8], validator: &mut Validator<'_>) -> Result<Self, DecodeError> {
        let layout = validator.message(frame, 0)?;
        Ok(Self { frame, layout })
    }

    /// A message out of a bundle that was validated as a whole.
    #[inline]
    pub(crate) fn of_validated(frame: &'a [u8]) -> Self {
        let address = text_end(frame);
        let tags = padded(address);
        let args = match frame.get(tags..) {
            Some(tag_string) if !tag_string.is_empty() => tags + padded(text_end(tag_string)),
            _ => frame.len(),
        };
        #[expect(clippy::cast_possible_truncation, reason = "frames end at 2^31")]
        let layout = Layout { address: address as u32, args: args as u32 };
        Self { frame, layout }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether all type tags are known: a bundle may hold messages that are to be passed over.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        let tags = self.cursor().tags.iter().take_while(|&&tag| tag != 0);
        tags.copied().all(|tag| TypeTag::from_byte(tag).is_some())
    }

    /// The address or address pattern, as sent.
    #[inline]
    pub fn address(&self) -> Text<'a> {
        Text::new(&self.frame[..self.layout.address as usize])
    }

    /// The type tag string, with its comma; empty if the message has none.
    pub fn type_tags(&self) -> &'a str {
        let tag_string = self.frame.get(padded(self.layout.address as usize)..).unwrap_or_default();
        std::str::from_utf8(&tag_string[..text_end(tag_string)]).unwrap_or_default()
    }

    /// The arguments, one after the other.
    #[inline]
    pub fn args(&self) -> ArgIter<'a> {
        ArgIter::new(self.cursor())
    }

    /// The arguments as Rust values, converted as [`FromArgs`] says.
    ///
    /// # Errors
    /// The arguments are of other types or of another number.
    #[inline]
    pub fn parse<T: FromArgs<'a>>(&self) -> Result<T, ArgsError> {
        self.read(None)
    }

    #[inline]
    fn read<T: FromArgs<'a>>(&self, source: Option<&'a Bytes>) -> Result<T, ArgsError> {
        let mut args = ArgsReader::new(self.cursor(), source);
        let value = args.read()?;
        args.finish()?;
        Ok(value)
    }

    /// The bytes of the message.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.frame
    }

    /// A message of its own, in a buffer of exactly its size.
    pub fn to_owned(&self) -> Message {
        Message { frame: Bytes::copy_from_slice(self.frame), layout: self.layout }
    }

    #[inline]
    fn cursor(&self) -> ArgCursor<'a> {
        let args = self.layout.args as usize;
        let tags = padded(self.layout.address as usize) + 1;
        ArgCursor {
            tags: self.frame.get(tags..args).unwrap_or_default(),
            data: self.frame.get(args..).unwrap_or_default(),
        }
    }
}

impl PartialEq for MessageRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame
            || (self.address() == other.address()
                && self.type_tags() == other.type_tags()
                && self.args().scalars().eq(other.args().scalars()))
    }
}

impl Eq for MessageRef<'_> {}

impl fmt::Debug for MessageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({self})")
    }
}

/// Appends a message to an address that must be a legal pattern; on an error nothing.
#[inline]
pub(super) fn encode(
    dst: &mut BytesMut,
    address: &[u8],
    args: &impl IntoArgs,
) -> Result<Layout, EncodeError> {
    pattern::check(address).map_err(|error| EncodeError::new(EncodeErrorKind::Address, error.position()))?;
    encode_raw(dst, address, args)
}

/// Appends a message to an address of any characters; on an error nothing.
#[inline]
fn encode_raw(dst: &mut BytesMut, address: &[u8], args: &impl IntoArgs) -> Result<Layout, EncodeError> {
    check_raw(address)?;
    let mut measure = Measure::default();
    args.write_args(&mut measure);
    if let Some(index) = measure.nul_at {
        return Err(EncodeError::new(EncodeErrorKind::NulInText, index));
    }
    if measure.too_deep {
        return Err(EncodeError::new(EncodeErrorKind::ArraysTooDeep, 0));
    }
    let tags_at = padded(address.len());
    let args_at = tags_at + padded(1 + measure.tags);
    let size = args_at.saturating_add(measure.data);
    if size > i32::MAX as usize {
        return Err(EncodeError::new(EncodeErrorKind::TooLarge, size));
    }
    let start = dst.len();
    dst.resize(start + size, 0);
    let (head, data) = dst[start..].split_at_mut(args_at);
    let (address_field, tag_field) = head.split_at_mut(tags_at);
    address_field[..address.len()].copy_from_slice(address);
    tag_field[0] = b',';
    let mut write = WriteInto::new(&mut tag_field[1..=measure.tags], data);
    args.write_args(&mut write);
    if !write.is_exact() {
        dst.truncate(start);
        return Err(EncodeError::new(EncodeErrorKind::Unstable, 0));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the size was checked")]
    Ok(Layout { address: address.len() as u32, args: args_at as u32 })
}

/// An address can be written if it begins with `/` and holds no NUL.
#[inline]
fn check_raw(address: &[u8]) -> Result<(), EncodeError> {
    if address.first() != Some(&b'/') {
        return Err(EncodeError::new(EncodeErrorKind::Address, 0));
    }
    match address.iter().position(|&byte| byte == 0) {
        Some(at) => Err(EncodeError::new(EncodeErrorKind::Address, at)),
        None => Ok(()),
    }
}
