//! The codec of datagrams.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::FrameError;
use crate::middleware::{Chain, Middleware};
use crate::packet::{IntoPacket, Meta, Packet, Peer, SendError, append};
use crate::wire::{DecodeError, DecodeOptions};

/// Maximum size of a datagram on any transport.
///
/// ```
/// use tokio_osc::codec::MAX_DATAGRAM;
/// use tokio_osc::Udp;
///
/// let options = Udp::new("127.0.0.1:0").max_datagram(MAX_DATAGRAM / 4);
/// # drop(options);
/// ```
pub const MAX_DATAGRAM: usize = 65_535;

/// Small datagrams are copied into chunks of this size, so that most need no allocation of their own. In
/// larger chunks, a kept packet would keep too much memory alive.
const CHUNK: usize = 2_048;

/// The codec of datagram transports: each datagram is one packet, without framing.
///
/// Its items are `Result<Packet, DecodeError>`: a malformed datagram is an item, and the stream goes on. The
/// packet is a copy with its exact size (or a part of a 2 KiB chunk), whatever the size of the receive
/// buffer.
///
/// [`Channel`](crate::Channel) uses it. It also works in a `tokio_util::udp::UdpFramed`:
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use tokio::net::UdpSocket;
/// use tokio_osc::codec::Datagram;
/// use tokio_util::udp::UdpFramed;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut here = UdpFramed::new(UdpSocket::bind("127.0.0.1:0").await?, Datagram::new());
/// let mut there = UdpFramed::new(UdpSocket::bind("127.0.0.1:0").await?, Datagram::new());
/// there.send((("/synth/1/freq", 440.0_f32), here.get_ref().local_addr()?)).await?;
///
/// let (packet, peer) = here.next().await.expect("the socket is open")?;
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// assert_eq!(peer, there.get_ref().local_addr()?);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Datagram {
    options: DecodeOptions,
    chain: Chain,
    chunk: BytesMut,
}

impl Datagram {
    /// Creates a codec with the default [`DecodeOptions`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a codec with limits and tolerance.
    pub fn with_options(options: DecodeOptions) -> Self {
        Self { options, chain: Chain::default(), chunk: BytesMut::new() }
    }

    /// Adds a middleware layer in both directions. The first layer is next to the wire. A packet that it
    /// drops is skipped.
    ///
    /// `UdpFramed` passes no address to a codec, so the layers see [`Peer::LOCAL`]. It also sends everything that a
    /// codec returns: a packet that a layer drops is sent as an empty datagram, which this codec skips.
    #[must_use]
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.chain.push(layer);
        self
    }

    /// The layers of a channel, shared by both directions.
    #[cfg(feature = "net")]
    pub(crate) fn chain(self, chain: Chain) -> Self {
        Self { chain, ..self }
    }

    /// Decodes one datagram. `None` if the middleware dropped it. The middleware may change `meta`, and the
    /// repairs are recorded in it.
    ///
    /// # Errors
    /// Returns an error if the datagram is not a valid packet, or the middleware refuses it.
    pub fn read(&mut self, datagram: &[u8], meta: &mut Meta) -> Result<Option<Packet>, DecodeError> {
        let frame = self.copy(datagram);
        self.chain.read(frame, meta, &self.options)
    }

    fn copy(&mut self, datagram: &[u8]) -> Bytes {
        if datagram.len() > CHUNK / 4 {
            return Bytes::copy_from_slice(datagram);
        }
        if self.chunk.capacity() < datagram.len() {
            self.chunk = BytesMut::with_capacity(CHUNK);
        }
        self.chunk.extend_from_slice(datagram);
        self.chunk.split().freeze()
    }
}

impl Decoder for Datagram {
    type Item = Result<Packet, DecodeError>;
    type Error = FrameError;

    /// Decodes all of `src` as one datagram. Never fails. `None` if the middleware drops it.
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        if src.is_empty() {
            return Ok(None);
        }
        let frame = self.copy(src);
        src.clear();
        let packet = self.chain.read_packet(frame, Peer::LOCAL, &self.options);
        Ok(packet.transpose())
    }

    /// Same as `decode`: there is never a remainder.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        self.decode(src)
    }
}

impl<P: IntoPacket> Encoder<P> for Datagram {
    type Error = SendError;

    /// Appends the packet. On an error, `dst` is unchanged.
    fn encode(&mut self, packet: P, dst: &mut BytesMut) -> Result<(), SendError> {
        let start = dst.len();
        if self.chain.is_empty() {
            append(dst, &packet)?;
        } else if let Some(frame) = self.chain.write(packet.into_packet()?, Peer::LOCAL)? {
            dst.extend_from_slice(&frame);
        }
        let size = dst.len().saturating_sub(start);
        if size > MAX_DATAGRAM {
            dst.truncate(start);
            return Err(SendError::too_large_for_datagram(size, MAX_DATAGRAM));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn small_datagrams_share_chunks_and_large_ones_stand_alone() {
        let mut codec = Datagram::new();
        let small = b"/a\0\0,\0\0\0";
        let meta = &mut Meta::from_peer(Peer::LOCAL);
        let first = codec.read(small, meta).unwrap().unwrap();
        let second = codec.read(small, meta).unwrap().unwrap();
        let offset = second.as_bytes().as_ptr() as usize - first.as_bytes().as_ptr() as usize;
        assert_eq!(offset, small.len(), "side by side in one chunk");

        let mut large = BytesMut::new();
        codec.encode(("/blob", vec![1_u8; 600]), &mut large).unwrap();
        let large = codec.read(&large, meta).unwrap().unwrap();
        assert!(large.as_bytes().is_unique());
    }

    #[test]
    fn a_packet_that_does_not_fit_leaves_the_buffer_as_it_was() {
        let mut codec = Datagram::new();
        let mut dst = BytesMut::from(&b"before"[..]);
        assert!(codec.encode(("/blob", vec![0_u8; MAX_DATAGRAM]), &mut dst).is_err());
        assert!(codec.encode(("/text", "\0"), &mut dst).is_err());
        assert_eq!(&dst[..], b"before");
    }
}
