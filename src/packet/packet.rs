//! Packets: the content of one datagram, or of one frame of a stream.

use bytes::Bytes;

use super::walk::{PacketStep, PacketWalk};
use super::{Bundle, BundleRef, Message, MessageRef};
use super::{EncodeError, EncodeErrorKind};
use crate::wire::{DecodeError, DecodeOptions, PacketShape, Repairs, Validator, mend};

/// A message or a bundle: the content of one datagram, or of one frame of a stream.
///
/// `Display` writes canonical lines, and `FromStr` reads them: one line for a message, and for a bundle the lines of
/// its elements between `#bundle` and `#end`.
///
/// ```
/// use tokio_osc::{Bytes, Packet};
///
/// let packet = Packet::decode(Bytes::from_static(b"/synth/1/freq\0\0\0,f\0\0\x43\xdc\0\0"))?;
/// let Packet::Message(message) = &packet else { unreachable!("it begins with a slash") };
/// assert_eq!(message.parse::<f32>()?, 440.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum Packet {
    /// A message.
    Message(Message),
    /// A bundle.
    Bundle(Bundle),
}

impl Packet {
    /// Decodes a packet with the default [`DecodeOptions`]. Nothing is copied: the packet shares the bytes and keeps
    /// them alive.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a valid packet, or exceed a limit.
    #[inline]
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let mut validator = Validator::new(&DecodeOptions::DEFAULT);
        let shape = validator.packet(&frame)?;
        Ok(Self::from_parts(frame, shape, &validator.repairs))
    }

    /// Decodes a packet with options, and returns the repairs too.
    ///
    /// # Errors
    /// Same as [`decode`](Packet::decode).
    pub fn decode_with(frame: Bytes, options: &DecodeOptions) -> Result<(Self, Repairs), DecodeError> {
        let mut validator = Validator::new(options);
        let shape = validator.packet(&frame);
        if options.mends() && (shape.is_err() || validator.repairs.untyped > 0) {
            if let Some(mended) = Self::decode_mended(&frame, options) {
                return Ok(mended);
            }
        }
        Ok((Self::from_parts(frame, shape?, &validator.repairs), validator.repairs))
    }

    /// Creates a packet from a frame that was validated, and the result of that.
    #[inline]
    fn from_parts(frame: Bytes, shape: PacketShape, repairs: &Repairs) -> Self {
        match shape {
            PacketShape::Message(layout) => Self::Message(Message::from_parts(frame, layout)),
            PacketShape::Bundle => Self::Bundle(Bundle::from_parts(frame, repairs.unknown_type_tags > 0)),
        }
    }

    #[cold]
    fn decode_mended(frame: &[u8], options: &DecodeOptions) -> Option<(Self, Repairs)> {
        let (frame, mended) = mend(frame, options)?;
        let mut validator = Validator::new(options);
        let shape = validator.packet(&frame).ok()?;
        validator.repairs += mended;
        Some((Self::from_parts(frame, shape, &validator.repairs), validator.repairs))
    }

    /// Checks a packet before it is sent: whether its receivers, or a channel, accept its type tags, its
    /// charset and its addresses. In osc4py3: the out-of-band options for encoding.
    ///
    /// ```
    /// use tokio_osc::packet::{
    ///     DecodeErrorKind, DecodeOptions, EncodeErrorKind, IntoPacket, TypeTag, TypeTagSet,
    /// };
    ///
    /// let allowed = TypeTagSet::of("ifsb").unwrap_or_default();
    /// let options = DecodeOptions::default().allowed_type_tags(allowed);
    /// ("/gain", 0.5_f32).into_packet()?.check(&options)?;
    ///
    /// let error = ("/gain", 0.5_f64).into_packet()?.check(&options).unwrap_err();
    /// let not_allowed = DecodeErrorKind::TypeTagNotAllowed(TypeTag::Float64);
    /// assert_eq!(error.kind(), EncodeErrorKind::NotAccepted(not_allowed));
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the packet is not accepted. Its position is a byte of the packet.
    pub fn check(&self, options: &DecodeOptions) -> Result<(), EncodeError> {
        self.as_ref().check(options)
    }

    /// Borrows the packet.
    pub fn as_ref(&self) -> PacketRef<'_> {
        match self {
            Self::Message(message) => PacketRef::Message(message.as_ref()),
            Self::Bundle(bundle) => PacketRef::Bundle(bundle.as_ref()),
        }
    }

    /// Returns all messages of the packet, at any depth of bundles, in wire order. Each shares the buffer of the packet.
    ///
    /// ```
    /// use tokio_osc::packet::IntoPacket;
    /// use tokio_osc::Bundle;
    ///
    /// let inner = Bundle::immediately().with(("/b", 2));
    /// let packet = Bundle::immediately().with(("/a", 1)).with(inner).into_packet()?;
    /// let values: Result<Vec<i32>, _> = packet.messages().map(|message| message.parse()).collect();
    /// assert_eq!(values?, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        self.as_ref().messages().map(|message| message.share(self.as_bytes()))
    }

    /// Returns the bytes of the packet, as they are sent.
    pub fn as_bytes(&self) -> &Bytes {
        match self {
            Self::Message(message) => message.as_bytes(),
            Self::Bundle(bundle) => bundle.as_bytes(),
        }
    }

    /// Returns the bytes of the packet, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Message(message) => message.into_bytes(),
            Self::Bundle(bundle) => bundle.into_bytes(),
        }
    }
}

impl From<Message> for Packet {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl From<Bundle> for Packet {
    fn from(bundle: Bundle) -> Self {
        Self::Bundle(bundle)
    }
}

/// A validated packet in borrowed bytes: decoding one allocates nothing.
///
/// ```
/// use tokio_osc::packet::{DecodeOptions, PacketRef};
///
/// let (packet, repairs) = PacketRef::decode(b"/ping\0\0\0,\0\0\0", &DecodeOptions::default())?;
/// let PacketRef::Message(message) = packet else { unreachable!() };
/// assert_eq!(message.address(), "/ping");
/// assert!(repairs.is_none());
/// # Ok::<(), tokio_osc::packet::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketRef<'a> {
    /// A message.
    Message(MessageRef<'a>),
    /// A bundle.
    Bundle(BundleRef<'a>),
}

impl<'a> PacketRef<'a> {
    /// Decodes a packet with options, and returns the repairs too.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a valid packet, or exceed a limit.
    #[inline]
    pub fn decode(frame: &'a [u8], options: &DecodeOptions) -> Result<(Self, Repairs), DecodeError> {
        let mut validator = Validator::new(options);
        let packet = match validator.packet(frame)? {
            PacketShape::Message(layout) => Self::Message(MessageRef::from_parts(frame, layout)),
            PacketShape::Bundle => {
                let may_hold_unknown = validator.repairs.unknown_type_tags > 0;
                Self::Bundle(BundleRef::from_parts(frame, may_hold_unknown))
            }
        };
        Ok((packet, validator.repairs))
    }

    /// Same as [`Packet::check`].
    ///
    /// # Errors
    /// Same as [`Packet::check`].
    pub fn check(&self, options: &DecodeOptions) -> Result<(), EncodeError> {
        match PacketRef::decode(self.as_bytes(), options) {
            Ok(_) => Ok(()),
            Err(error) => Err(EncodeError::new(EncodeErrorKind::NotAccepted(error.kind()), error.offset())),
        }
    }

    /// Returns an owned packet that shares the buffer.
    #[inline]
    pub(super) fn share(self, buffer: &Bytes) -> Packet {
        self.in_frame(buffer.slice_ref(self.as_bytes()))
    }

    /// The same packet, whose bytes these are.
    #[inline]
    pub(super) fn in_frame(self, frame: Bytes) -> Packet {
        match self {
            Self::Message(message) => Packet::Message(Message::from_parts(frame, message.layout())),
            Self::Bundle(bundle) => Packet::Bundle(Bundle::from_parts(frame, bundle.may_hold_unknown())),
        }
    }

    /// Returns the bytes of the packet.
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Message(message) => message.as_bytes(),
            Self::Bundle(bundle) => bundle.as_bytes(),
        }
    }

    /// Copies the packet into a buffer of exactly its size.
    pub fn to_owned(&self) -> Packet {
        match self {
            Self::Message(message) => Packet::Message(message.to_owned()),
            Self::Bundle(bundle) => Packet::Bundle(bundle.to_owned()),
        }
    }

    /// Returns all messages of the packet, at any depth of bundles, in wire order.
    ///
    /// ```
    /// use tokio_osc::packet::IntoPacket;
    /// use tokio_osc::Bundle;
    ///
    /// let inner = Bundle::immediately().with(("/b", 2));
    /// let packet = Bundle::immediately().with(("/a", 1)).with(inner).into_packet()?;
    /// let lines: Vec<_> = packet.as_ref().messages().map(|message| message.to_string()).collect();
    /// assert_eq!(lines, ["/a ,i 1", "/b ,i 2"]);
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub fn messages(self) -> impl Iterator<Item = MessageRef<'a>> {
        self.walk().filter_map(|step| match step {
            PacketStep::Message(message) => Some(message),
            PacketStep::Begin(_) | PacketStep::End => None,
        })
    }

    /// Walks through the packet and all bundles in it, in wire order.
    pub(crate) fn walk(self) -> PacketWalk<'a> {
        PacketWalk::new(self)
    }
}
