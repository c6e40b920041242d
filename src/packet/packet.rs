//! A packet: what one datagram or one frame of a stream carries.

use bytes::Bytes;

use super::walk::{PacketStep, PacketWalk};
use super::{Bundle, BundleRef, Message, MessageRef};
use super::{EncodeError, EncodeErrorKind};
use crate::wire::{DecodeError, DecodeOptions, PacketShape, Repairs, Validator, mend};

/// A message or a bundle: what one datagram, or one frame of a stream, carries.
///
/// `Display` writes canonical lines, `FromStr` reads them: one for a message, `#bundle` … `#end`
/// around those of a bundle.
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
    /// One message.
    Message(Message),
    /// Messages and bundles that belong together.
    Bundle(Bundle),
}

impl Packet {
    /// Decodes a packet with the default [`DecodeOptions`]. Nothing is copied: the packet is a view
    /// of the bytes and keeps them alive.
    ///
    /// # Errors
    /// The bytes are not a valid packet, or one over a limit. No part of a bad packet is delivered.
    #[inline]
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let mut validator = Validator::new(&DecodeOptions::DEFAULT);
        let shape = validator.packet(&frame)?;
        Ok(Self::from_parts(frame, shape, &validator.repairs))
    }

    /// Decodes a packet, and returns what was tolerated as well.
    ///
    /// # Errors
    /// As [`decode`](Packet::decode).
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

    /// For a frame that was validated, and what was found then.
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
    /// let options = DecodeOptions::default().allowed_type_tags(TypeTagSet::of("ifsb").unwrap_or_default());
    /// ("/gain", 0.5_f32).into_packet()?.check(&options)?;
    ///
    /// let error = ("/gain", 0.5_f64).into_packet()?.check(&options).unwrap_err();
    /// let not_allowed = DecodeErrorKind::TypeTagNotAllowed(TypeTag::Float64);
    /// assert_eq!(error.kind(), EncodeErrorKind::NotAccepted(not_allowed));
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// The packet is not accepted; the error's position is a byte of the packet.
    pub fn check(&self, options: &DecodeOptions) -> Result<(), EncodeError> {
        self.as_ref().check(options)
    }

    /// The packet, borrowed.
    pub fn as_ref(&self) -> PacketRef<'_> {
        match self {
            Self::Message(message) => PacketRef::Message(message.as_ref()),
            Self::Bundle(bundle) => PacketRef::Bundle(bundle.as_ref()),
        }
    }

    /// The messages of the packet, bundles opened at any depth, in wire order: each shares the
    /// packet's buffer.
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

    /// The bytes of the packet, as they are sent.
    pub fn as_bytes(&self) -> &Bytes {
        match self {
            Self::Message(message) => message.as_bytes(),
            Self::Bundle(bundle) => bundle.as_bytes(),
        }
    }

    /// The bytes of the packet, without a copy.
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
    /// One message.
    Message(MessageRef<'a>),
    /// Messages and bundles that belong together.
    Bundle(BundleRef<'a>),
}

impl<'a> PacketRef<'a> {
    /// Decodes a packet, and returns what was tolerated as well.
    ///
    /// # Errors
    /// The bytes are not a valid packet, or one over a limit.
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

    /// Checks a packet before it is sent, as [`Packet::check`].
    ///
    /// # Errors
    /// The packet is not accepted; the error's position is a byte of the packet.
    pub fn check(&self, options: &DecodeOptions) -> Result<(), EncodeError> {
        match PacketRef::decode(self.as_bytes(), options) {
            Ok(_) => Ok(()),
            Err(error) => Err(EncodeError::new(EncodeErrorKind::NotAccepted(error.kind()), error.offset())),
        }
    }

    /// The same packet as a share of the buffer it lies in.
    pub(super) fn share(self, buffer: &Bytes) -> Packet {
        match self {
            Self::Message(message) => Packet::Message(message.share(buffer)),
            Self::Bundle(bundle) => {
                let frame = buffer.slice_ref(bundle.as_bytes());
                Packet::Bundle(Bundle::from_parts(frame, bundle.may_hold_unknown()))
            }
        }
    }

    /// The bytes of the packet.
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Message(message) => message.as_bytes(),
            Self::Bundle(bundle) => bundle.as_bytes(),
        }
    }

    /// A packet of its own, in a buffer of exactly its size.
    pub fn to_owned(&self) -> Packet {
        match self {
            Self::Message(message) => Packet::Message(message.to_owned()),
            Self::Bundle(bundle) => Packet::Bundle(bundle.to_owned()),
        }
    }

    /// The messages of the packet, at any depth, in wire order.
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

    /// The packet and all that is in it, bundles opened, in wire order.
    pub(crate) fn walk(self) -> PacketWalk<'a> {
        PacketWalk::new(self)
    }
}
