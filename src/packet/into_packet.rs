//! What can be sent.

use bytes::{Bytes, BytesMut};

use super::{
    Bundle, BundleBuilder, BundleOf, EncodeError, IntoArgs, Message, MessageRef, Packet, bundle, head,
};
use crate::wire::BUNDLE_NAME;

/// What can be sent: a [`Message`], a [`Bundle`], a [`Packet`], references to them, a
/// [`BundleBuilder`], a [`BundleOf`] a slice, or an address with its arguments as a tuple.
///
/// ```
/// use tokio_osc::{Bundle, IntoPacket, Packet};
///
/// assert!(matches!(("/ping", 7).into_packet()?, Packet::Message(_)));
/// assert!(matches!(("/stop", ()).into_packet()?, Packet::Message(_)));
/// assert!(matches!(Bundle::immediately().with(("/ping", 7)).into_packet()?, Packet::Bundle(_)));
/// # Ok::<(), tokio_osc::EncodeError>(())
/// ```
///
/// A type of your own hands the work to one of these, so that its bytes are a packet:
///
/// ```
/// use tokio_osc::{Args, EncodeError, IntoPacket, Router, bytes::BytesMut};
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
    /// Appends the packet's bytes.
    ///
    /// # Errors
    /// The packet cannot be encoded; then `dst` is as it was.
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError>;

    /// The packet as a value; what is one already is a reference count.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    fn to_packet(&self) -> Result<Packet, EncodeError> {
        let mut frame = BytesMut::new();
        self.encode(&mut frame)?;
        Ok(of_encoded(frame.freeze()))
    }

    /// The packet as a value.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    fn into_packet(self) -> Result<Packet, EncodeError>
    where
        Self: Sized,
    {
        self.to_packet()
    }
}

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
}

impl IntoPacket for BundleBuilder {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.extend_from_slice(self.encoded()?);
        Ok(())
    }

    fn into_packet(self) -> Result<Packet, EncodeError> {
        self.build().map(Packet::Bundle)
    }
}

/// Written straight behind what `dst` holds.
impl<E: IntoPacket> IntoPacket for BundleOf<'_, E> {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        bundle::encode(dst, self.time_tag, self.elements)
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
        }
    )*};
}

encoded!(Message, Bundle, Packet);
