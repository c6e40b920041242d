//! The codec of byte streams.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, Framing, IntoFrame};
use crate::middleware::{Chain, Middleware};
use crate::packet::{IntoPacket, Meta, Packet, Peer, SendError, append};
use crate::wire::{DecodeError, DecodeOptions};

/// The codec of byte streams: packets, delimited by a [`Framing`].
///
/// Its items are `Result<Packet, DecodeError>`: a frame that is not a packet is an item, and the stream goes
/// on. Errors end the stream: the transport failed, or the framing is broken.
///
/// | on the wire | [`Slip`](crate::Slip) | [`LengthPrefix`](crate::LengthPrefix) |
/// |---|---|---|
/// | an empty frame | skipped | skipped and counted |
/// | a frame that is not a packet | an item `Err`; the stream goes on | an item `Err`; the stream goes on |
/// | an invalid escape | an item `Err`; the stream goes on | - |
/// | a frame over the limit | an item `Err`; the stream goes on | error |
/// | a negative length | - | error |
/// | the stream ends inside a frame | error | error |
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use tokio_osc::codec::Codec;
/// use tokio_osc::Slip;
/// use tokio_util::codec::Framed;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = tokio::io::duplex(64);
/// let mut here = Framed::new(here, Codec::new(Slip::new()));
/// let mut there = Framed::new(there, Codec::new(Slip::new()));
///
/// there.send(("/synth/1/freq", 440.0_f32)).await?;
/// let packet = here.next().await.expect("the stream is open")?;
/// assert_eq!(packet?.to_string(), "/synth/1/freq ,f 440");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Codec<F> {
    framing: F,
    options: DecodeOptions,
    peer: Peer,
    chain: Chain,
    /// The buffer for encoding a packet before framing, which is reused.
    scratch: BytesMut,
}

impl<F> Codec<F> {
    /// Creates a codec with the default [`DecodeOptions`].
    pub fn new(framing: F) -> Self {
        Self::with_options(framing, DecodeOptions::default())
    }

    /// Creates a codec with limits and tolerance.
    pub fn with_options(framing: F, options: DecodeOptions) -> Self {
        Self { framing, options, peer: Peer::LOCAL, chain: Chain::default(), scratch: BytesMut::new() }
    }

    /// Sets the peer that [`read`](Codec::read) and the middleware find in their [`Meta`]. Default [`Peer::LOCAL`].
    #[must_use]
    pub fn peer(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }

    /// Adds a middleware layer in both directions. The first layer is next to the framing. A packet that it
    /// drops is skipped.
    #[must_use]
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.chain.push(layer);
        self
    }

    /// The layers of a channel, shared by all its connections.
    pub(crate) fn chain(self, chain: Chain) -> Self {
        Self { chain, ..self }
    }
}

impl<F: Framing> Codec<F> {
    /// Decodes the next packet, with its metadata.
    ///
    /// # Errors
    /// Returns an error if the frame boundaries are lost.
    pub fn read(&mut self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        while let Some(frame) = self.read_frame(src)? {
            if let Some(packet) = self.open(frame) {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    /// Same as [`read`](Codec::read), at the end of the stream.
    ///
    /// # Errors
    /// Also returns an error if the stream ends inside a frame.
    pub fn read_eof(&mut self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        while let Some(frame) = self.read_frame_eof(src)? {
            if let Some(packet) = self.open(frame) {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    /// Decodes the next frame, without opening it.
    pub(crate) fn read_frame(&mut self, src: &mut BytesMut) -> Result<Option<F::Item>, FrameError> {
        self.framing.decode(src).map_err(Into::into)
    }

    /// Same as `read_frame`, at the end of the stream.
    pub(crate) fn read_frame_eof(&mut self, src: &mut BytesMut) -> Result<Option<F::Item>, FrameError> {
        self.framing.decode_eof(src).map_err(Into::into)
    }

    /// Decodes a frame. `None` if it is empty or the middleware dropped it.
    pub(crate) fn open(&self, frame: F::Item) -> Option<ReadPacket> {
        let frame = self.not_empty(frame)?;
        let mut meta = Meta::from_peer(self.peer);
        let packet = frame.and_then(|frame| self.chain.read(frame, &mut meta, &self.options));
        Some((packet.transpose()?, meta))
    }

    fn open_packet(&self, frame: F::Item) -> Option<Result<Packet, DecodeError>> {
        let frame = self.not_empty(frame)?;
        frame.and_then(|frame| self.chain.read_packet(frame, self.peer, &self.options)).transpose()
    }

    /// Skips empty frames.
    fn not_empty(&self, frame: F::Item) -> Option<Result<Bytes, DecodeError>> {
        let frame = frame.into_frame();
        if frame.as_ref().is_ok_and(Bytes::is_empty) {
            self.chain.note_empty();
            return None;
        }
        Some(frame)
    }

    /// Appends a framed packet, or nothing if the middleware drops it. On an error, `dst` is unchanged.
    pub(crate) fn write(&mut self, packet: Packet, dst: &mut BytesMut) -> Result<(), SendError> {
        match self.chain.write(packet, self.peer)? {
            Some(frame) => self.write_frame(frame, dst),
            None => Ok(()),
        }
    }

    /// Frames the bytes of a packet after the middleware.
    pub(crate) fn write_frame(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        let start = dst.len();
        self.framing.encode(frame, dst).map_err(|error| {
            dst.truncate(start);
            error.into()
        })
    }
}

/// A packet of a stream, or the error of a frame, with its metadata.
pub type ReadPacket = (Result<Packet, DecodeError>, Meta);

impl<F: Framing> Decoder for Codec<F> {
    type Item = Result<Packet, DecodeError>;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        while let Some(frame) = self.read_frame(src)? {
            if let Some(packet) = self.open_packet(frame) {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        Ok(self.read_eof(src)?.map(|(packet, _)| packet))
    }
}

impl<F: Framing, P: IntoPacket> Encoder<P> for Codec<F> {
    type Error = SendError;

    /// Appends the framed packet. On an error, `dst` is unchanged.
    fn encode(&mut self, packet: P, dst: &mut BytesMut) -> Result<(), SendError> {
        if !self.chain.is_empty() {
            return self.write(packet.into_packet()?, dst);
        }
        self.scratch.clear();
        append(&mut self.scratch, &packet)?;
        let frame = self.scratch.split().freeze();
        self.write_frame(frame, dst)
    }
}
