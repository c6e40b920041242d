//! Layers between the wire and the packets: they look at what passes, change it, or hold it back.
//!
//! A layer is a [`Middleware`]: one of those here, a closure ([`on_packet_in`] and its like), or a type of
//! your own. Channels, clients and bare codecs take as many as they are given.
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

/// What sits between the wire and the packets of a channel, a client or a codec: it sees each frame
/// before it is decoded and after it was encoded, and each packet after it was decoded and before
/// it is encoded. All four methods pass on what they get, unless they are written.
///
/// Several of them are layers of an onion: the first one added is next to the wire. On the way in
/// they are asked in the order in which they were added, on the way out in the reverse order.
///
/// They are called by the task that reads or sends, so they must not wait, nor send or read by the channel
/// or client that they are part of. All connections and all clones of a channel or client share
/// them, hence `&self`.
///
/// On the way out they are asked when a packet is sent, also where it waits in a queue then.
///
/// A layer that panics costs the packet alone: one that has arrived is dropped and counted
/// ([`FilterStats::panicked_in`]), one that is to be sent is an error
/// ([`FilterStats::PANICKED`]).
///
/// Add them with [`Udp::middleware`](crate::Udp::middleware),
/// [`StreamOptions::middleware`](crate::channel::StreamOptions::middleware), or to a bare codec with
/// [`Codec::middleware`](crate::codec::Codec::middleware) and
/// [`Datagram::middleware`](crate::codec::Datagram::middleware). An `Arc` of one is one, to keep a hand on
/// it.
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
    /// A frame that has arrived, before it is decoded: a datagram, or what the framing gave.
    ///
    /// # Errors
    /// The frame is refused: the channel gives the error as an item, and goes on.
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        let _ = meta;
        Ok(Flow::Pass(frame))
    }

    /// A packet that has arrived. What is changed in `meta` reaches the handlers.
    ///
    /// # Errors
    /// The packet is refused: the channel gives the error as an item, and goes on.
    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        let _ = meta;
        Ok(Flow::Pass(packet))
    }

    /// A packet that is to be sent to `meta.peer`.
    ///
    /// # Errors
    /// The packet is refused: the sender gets the error.
    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(packet))
    }

    /// The bytes of a packet that is to be sent to `meta.peer`, before they are framed.
    ///
    /// # Errors
    /// The packet is refused: the sender gets the error.
    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(frame))
    }

    /// The same for certain peers only: what comes from others or goes to them passes by.
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

    /// The same for what arrives only: what is sent passes by.
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

    /// The same for what is sent only: what arrives passes by.
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

/// A packet that is to be sent, and that a peer would not accept.
fn not_accepted(error: DecodeError) -> EncodeError {
    EncodeError::new(EncodeErrorKind::NotAccepted(error.kind()), error.offset())
}

/// What a [`Middleware`] decides.
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
    /// Goes on, as it was or changed.
    Pass(T),
    /// Ends here, without an error. It is counted.
    Drop,
}
