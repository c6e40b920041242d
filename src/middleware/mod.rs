//! Layers between the wire and the packets, which inspect, change or drop packets.
//!
//! A layer is a [`Middleware`]: one of this module, a closure ([`on_packet_in`] and similar), or your own
//! type. Channels, clients and bare codecs take any number of layers.
//!
//! ```text
//!   in:   frame ──► frame_in ──► decode ──► packet_in ──► packet
//!   out:  frame ◄── frame_out ◄── encode ◄── packet_out ◄── packet
//! ```
//!
//! ```
//! use tokio_osc::Udp;
//! use tokio_osc::middleware::{AllowedTypeTags, Dump, Middleware};
//! use tokio_osc::packet::TypeTagSet;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plain = TypeTagSet::of("ifsb").expect("four type tags");
//! let channel = Udp::new("127.0.0.1:0")
//!     .middleware(Dump::to_tracing())                                        // next to the wire
//!     .middleware(AllowedTypeTags::new(plain).converting().only_out())
//!     .bind()
//!     .await?;
//! # drop(channel);
//! # Ok(()) }
//! ```

mod access;
mod address_table;
mod allowed_type_tags;
mod chain;
mod dump;
mod envelope;
mod hooks;
mod only;
mod send_checks;
#[cfg(feature = "encoding")]
mod transcode;

pub use access::{Access, NetworkError};
pub use address_table::{AddressTable, AddressTableError, AddressTableErrorKind};
pub use allowed_type_tags::AllowedTypeTags;
pub(crate) use chain::Chain;
pub use chain::FilterStats;
pub use dump::Dump;
#[cfg(feature = "crypto")]
pub use envelope::{ChaCha20Poly1305, Crc32, HmacSha256};
pub use envelope::{
    Checksum, Cipher, Envelope, EnvelopeBuilder, EnvelopeError, EnvelopeFault, ProtocolError, ReplayWindow,
    Signature,
};
pub use hooks::{on_frame_in, on_frame_out, on_packet_in, on_packet_out};
use only::{Direction, Only};
pub use send_checks::SendChecks;
#[cfg(feature = "encoding")]
pub use transcode::Transcode;

use std::sync::Arc;

use bytes::Bytes;

use crate::packet::{EncodeError, EncodeErrorKind, Meta, Packet, Peer};
use crate::wire::DecodeError;

/// A layer between the wire and the packets of a channel, a client or a codec. It sees each frame before it
/// is decoded and after it was encoded, and each packet after it was decoded and before it is encoded. The
/// default implementations pass everything on.
///
/// Layers are nested like those of an onion: the first one added is next to the wire. Incoming packets pass
/// them in the order in which they were added, outgoing packets in the reverse order.
///
/// The methods are called by the task that reads or sends, so they must not block, and must not send or
/// receive on their own channel or client. All connections and clones of a channel or client share its
/// layers, so the methods take `&self`.
///
/// Outgoing packets pass the layers when they are sent, before they wait in a queue.
///
/// If a layer panics, only the packet is lost: an incoming packet is dropped and counted
/// ([`FilterStats::panicked_in`]), sending an outgoing packet fails
/// ([`FilterStats::PANICKED`]).
///
/// Add a layer with [`Udp::middleware`](crate::Udp::middleware),
/// [`StreamOptions::middleware`](crate::channel::StreamOptions::middleware), or to a bare codec with
/// [`Codec::middleware`](crate::codec::Codec::middleware) and
/// [`Datagram::middleware`](crate::codec::Datagram::middleware). An `Arc<M>` is a `Middleware` too, so that
/// you can keep a handle.
///
/// ```
/// use tokio_osc::middleware::{Flow, Middleware};
/// use tokio_osc::packet::DecodeError;
/// use tokio_osc::{Meta, Packet};
///
/// /// Hears only one host.
/// struct OnlyFrom(std::net::IpAddr);
///
/// impl Middleware for OnlyFrom {
///     fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
///         Ok(if meta.peer.ip() == Some(self.0) { Flow::Pass(packet) } else { Flow::Drop })
///     }
/// }
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Called with an incoming frame, before it is decoded: a datagram, or one frame of a stream.
    ///
    /// # Errors
    /// Return an error to refuse the frame. It becomes an error item of the channel, which goes on.
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        let _ = meta;
        Ok(Flow::Pass(frame))
    }

    /// Called with an incoming packet. Changes to `meta` reach the handlers.
    ///
    /// # Errors
    /// Return an error to refuse the packet. It becomes an error item of the channel, which goes on.
    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        let _ = meta;
        Ok(Flow::Pass(packet))
    }

    /// Called with an outgoing packet to `meta.peer`.
    ///
    /// # Errors
    /// Return an error to refuse the packet. The sender gets the error.
    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(packet))
    }

    /// Called with the bytes of an outgoing packet to `meta.peer`, before they are framed.
    ///
    /// # Errors
    /// Return an error to refuse the packet. The sender gets the error.
    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(frame))
    }

    /// Limits the layer to some peers. The packets of other peers bypass it.
    ///
    /// ```
    /// use tokio_osc::middleware::{Flow, Middleware, on_packet_in};
    ///
    /// // Only this host is heard.
    /// let deaf = on_packet_in(|_, _| Flow::Drop)
    ///     .only_for(|peer| !peer.ip().is_some_and(|ip| ip.is_loopback()));
    /// # let _ = deaf;
    /// ```
    fn only_for<P>(self, peers: P) -> impl Middleware
    where
        Self: Sized,
        P: Fn(Peer) -> bool + Send + Sync + 'static,
    {
        Only::new(self, move |_, peer| peers(peer))
    }

    /// Limits the layer to incoming packets. Outgoing packets bypass it.
    ///
    /// ```
    /// use tokio_osc::middleware::{AddressTable, Middleware};
    /// use tokio_osc::Udp;
    ///
    /// let theirs = AddressTable::new([("/meters/1", 1), ("/meters/2", 2)])?;
    /// let ours = AddressTable::new([("/fader/1", 1), ("/fader/2", 2)])?;
    /// let desk = Udp::new("127.0.0.1:9000").middleware(theirs.only_in()).middleware(ours.only_out());
    /// # let _ = desk;
    /// # Ok::<(), tokio_osc::middleware::AddressTableError>(())
    /// ```
    fn only_in(self) -> impl Middleware
    where
        Self: Sized,
    {
        Only::new(self, |way, _| way == Direction::In)
    }

    /// Limits the layer to outgoing packets. Incoming packets bypass it.
    fn only_out(self) -> impl Middleware
    where
        Self: Sized,
    {
        Only::new(self, |way, _| way == Direction::Out)
    }
}

impl<M: Middleware + ?Sized> Middleware for Arc<M> {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        (**self).frame_in(frame, meta)
    }

    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        (**self).packet_in(packet, meta)
    }

    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        (**self).packet_out(packet, meta)
    }

    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        (**self).frame_out(frame, meta)
    }
}

/// The error for an outgoing packet that a peer would not accept.
fn not_accepted(error: DecodeError) -> EncodeError {
    EncodeError::new(EncodeErrorKind::NotAccepted(error.kind()), error.offset())
}

/// The decision of a [`Middleware`].
///
/// ```
/// use tokio_osc::middleware::{Flow, on_packet_in};
/// use tokio_osc::Packet;
///
/// let no_bundles = on_packet_in(|packet, _meta| match packet {
///     Packet::Message(_) => Flow::Pass(packet),
///     Packet::Bundle(_) => Flow::Drop,
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow<T> {
    /// Passes the value on, unchanged or changed.
    Pass(T),
    /// Drops the packet without an error. It is counted.
    Drop,
}
