//! Types that can be sent.

use bytes::{Bytes, BytesMut};

use super::{
    Bundle, BundleBuilder, EncodeError, IntoArgs, Message, MessageRef, Packet, PacketRef, bundle, head,
};
use crate::wire::{BUNDLE_NAME, DecodeOptions};

/// A type that can be sent: a [`Message`], a [`Bundle`], a [`Packet`], references to them, a
/// [`BundleBuilder`], a [`Bundle::of`] a slice, or an `(address, arguments)` tuple.
///
/// ```
/// use tokio_osc::packet::IntoPacket;
/// use tokio_osc::{Bundle, Packet};
///
/// assert!(matches!(("/ping", 7).into_packet()?, Packet::Message(_)));
/// assert!(matches!(("/stop", ()).into_packet()?, Packet::Message(_)));
/// assert!(matches!(Bundle::immediately().with(("/ping", 7)).into_packet()?, Packet::Bundle(_)));
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
///
/// Your own types delegate to one of these. The bytes are checked when they become a [`Packet`], an element
/// of a [`Bundle`] or the output of a codec:
///
/// ```
/// use tokio_osc::packet::{EncodeError, IntoPacket};
/// use tokio_osc::{Args, Router, bytes::BytesMut};
///
/// struct Pong(i32);
///
/// impl IntoPacket for Pong {
///     fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
///         ("/pong", self.0).encode(dst)
///     }
/// }
///
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| Pong(n));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as an OSC packet",
    note = "send a `Message`, a `Bundle`, or a tuple `(address, arguments)` with `()` for no arguments"
)]
pub trait IntoPacket {
    /// Appends the bytes of the packet.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded. `dst` is unchanged then.
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError>;

    /// Converts to a packet. For a packet, this increments a reference count.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded, or if your own type wrote bytes that are not a packet
    /// ([`NotAPacket`](crate::packet::EncodeErrorKind::NotAPacket)).
    fn to_packet(&self) -> Result<Packet, EncodeError> {
        let mut frame = BytesMut::new();
        append(&mut frame, &self)?;
        Ok(of_encoded(frame.freeze()))
    }

    /// Converts to a packet.
    ///
    /// # Errors
    /// Same as [`to_packet`](IntoPacket::to_packet).
    fn into_packet(self) -> Result<Packet, EncodeError>
    where
        Self: Sized,
    {
        self.to_packet()
    }

    #[doc(hidden)]
    fn writer(&self) -> Writer {
        Writer::Anybody
    }
}

/// The author of the code that writes the bytes of a packet. The type cannot be named outside of this crate, so no
/// other code can claim to be part of it.
#[derive(Debug)]
pub enum Writer {
    /// The bytes are a packet.
    ThisCrate,
    /// The bytes must be checked.
    Anybody,
}

/// Appends the bytes of a packet, or nothing on an error. They are checked unless this crate wrote them.
#[inline]
pub(crate) fn append(dst: &mut BytesMut, packet: &impl IntoPacket) -> Result<(), EncodeError> {
    match packet.writer() {
        Writer::ThisCrate => packet.encode(dst),
        Writer::Anybody => append_checked(dst, packet),
    }
}

/// The writer cannot access earlier bytes.
fn append_checked(dst: &mut BytesMut, packet: &impl IntoPacket) -> Result<(), EncodeError> {
    let mut written = dst.split_off(dst.len());
    packet.encode(&mut written)?;
    PacketRef::decode(&written, &DecodeOptions::unlimited()).map_err(EncodeError::not_a_packet)?;
    dst.unsplit(written);
    Ok(())
}

/// For bytes that are a packet.
fn of_encoded(frame: Bytes) -> Packet {
    if frame.starts_with(BUNDLE_NAME) {
        return Bundle::from_encoded(frame).into();
    }
    let layout = MessageRef::of_validated(&frame).layout();
    Message::from_parts(frame, layout).into()
}

impl<A: AsRef<[u8]>, T: IntoArgs> IntoPacket for (A, T) {
    #[inline]
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        head::encode(dst, self.0.as_ref(), &self.1)
    }

    #[inline]
    fn writer(&self) -> Writer {
        Writer::ThisCrate
    }
}

impl IntoPacket for BundleBuilder {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.extend_from_slice(self.encoded()?);
        Ok(())
    }

    fn into_packet(self) -> Result<Packet, EncodeError> {
        self.build().map(Packet::Bundle)
    }

    #[inline]
    fn writer(&self) -> Writer {
        Writer::ThisCrate
    }
}

/// Written directly to the end of `dst`.
impl<E: IntoPacket> IntoPacket for bundle::BundleOf<'_, E> {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        bundle::encode(dst, self.time_tag, self.elements)
    }

    #[inline]
    fn writer(&self) -> Writer {
        if self.elements.iter().all(|element| matches!(element.writer(), Writer::ThisCrate)) {
            return Writer::ThisCrate;
        }
        Writer::Anybody
    }
}

impl<T: IntoPacket + ?Sized> IntoPacket for &T {
    #[inline]
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        (**self).encode(dst)
    }

    fn to_packet(&self) -> Result<Packet, EncodeError> {
        (**self).to_packet()
    }

    #[inline]
    fn writer(&self) -> Writer {
        (**self).writer()
    }
}

macro_rules! encoded {
    ($($type:ty),*) => {$(
        impl IntoPacket for $type {
            #[inline]
            fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
                dst.extend_from_slice(self.as_bytes());
                Ok(())
            }

            fn to_packet(&self) -> Result<Packet, EncodeError> {
                Ok(self.clone().into())
            }

            fn into_packet(self) -> Result<Packet, EncodeError> {
                Ok(self.into())
            }

            #[inline]
            fn writer(&self) -> Writer {
                Writer::ThisCrate
            }
        }
    )*};
}

encoded!(Message, Bundle, Packet);
