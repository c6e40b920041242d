//! What sits between the wire and the packets: looks at them, changes them, holds them back.
//!
//! ```text
//!   in:   frame ──► frame_in ──► decode ──► packet_in ──► packet
//!   out:  frame ◄── frame_out ◄── encode ◄── packet_out ◄── packet
//! ```

mod chain;
mod envelope;

#[allow(unused_imports, reason = "until the codecs have it")]
pub(crate) use chain::Chain;
#[cfg(feature = "crypto")]
pub use envelope::{ChaCha20Poly1305, Crc32, HmacSha256};
pub use envelope::{
    Checksum, Cipher, Envelope, EnvelopeBuilder, EnvelopeError, ProtocolError, ReplayWindow, Signature,
};

use bytes::Bytes;

use crate::packet::{EncodeError, Meta, Packet};
use crate::wire::DecodeError;

/// What sits between the wire and the packets of a channel, a client or a codec: it sees each frame
/// before it is decoded and after it was encoded, and each packet after it was decoded and before
/// it is encoded. All four methods pass on what they get, unless they are written.
///
/// Several of them are layers of an onion: the first one added is next to the wire. On the way in
/// they are asked in the order in which they were added, on the way out in the reverse order.
///
/// They are called by whoever reads or sends, so they must not wait; all connections and all
/// clones of a channel or client share them, hence `&self`.
///
/// ```
/// use tokio_osc::{DecodeError, Flow, Meta, Middleware, Packet};
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
    /// The packet is refused: whoever sends it gets the error.
    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(packet))
    }

    /// The bytes of a packet that is to be sent to `meta.peer`, before they are framed.
    ///
    /// # Errors
    /// The packet is refused: whoever sends it gets the error.
    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        let _ = meta;
        Ok(Flow::Pass(frame))
    }
}

/// What a [`Middleware`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow<T> {
    /// Goes on, as it was or changed.
    Pass(T),
    /// Ends here, without an error. It is counted.
    Drop,
}
