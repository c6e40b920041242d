//! Frames to packets and back.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, Framing, IntoFrame};
use crate::packet::{IntoPacket, Packet};
use crate::wire::{DecodeError, DecodeOptions, Repairs};

/// The codec of byte streams: packets, told apart by a [`Framing`].
///
/// It decodes to `Result<Packet, DecodeError>`: a frame that is no packet is an item, and the stream
/// goes on. An error is what ends the stream: the transport failed, or frames can no longer be told
/// apart.
///
/// | on the wire | [`Slip`](crate::Slip) | [`LengthPrefix`](crate::LengthPrefix) |
/// |---|---|---|
/// | a frame that is no packet | item `Err`, goes on | item `Err`, goes on |
/// | a bad escape | item `Err`, goes on | - |
/// | a frame over the limit | item `Err`, goes on | error |
/// | a negative length | - | error |
/// | the stream ends inside a frame | error | error |
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use tokio_osc::{Codec, Slip};
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
    /// Where a packet is encoded before it is framed; its memory is used again.
    scratch: BytesMut,
}

impl<F> Codec<F> {
    /// With the default [`DecodeOptions`].
    pub fn new(framing: F) -> Self {
        Self::with_options(framing, DecodeOptions::default())
    }

    /// With limits and tolerance of your own.
    pub fn with_options(framing: F, options: DecodeOptions) -> Self {
        Self { framing, options, scratch: BytesMut::new() }
    }
}

impl<F: Framing> Codec<F> {
    /// The next packet, and what was tolerated in it.
    ///
    /// # Errors
    /// Frames can no longer be told apart.
    pub fn read(&mut self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        let frame = self.framing.decode(src).map_err(Into::into)?;
        Ok(frame.map(|frame| self.packet(frame)))
    }

    /// As [`read`](Codec::read), where no more bytes will come.
    ///
    /// # Errors
    /// Also: the stream ends inside a frame.
    pub fn read_eof(&mut self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        let frame = self.framing.decode_eof(src).map_err(Into::into)?;
        Ok(frame.map(|frame| self.packet(frame)))
    }

    /// Frames a packet that is encoded already.
    pub(crate) fn write(&mut self, packet: Bytes, dst: &mut BytesMut) -> Result<(), FrameError> {
        let start = dst.len();
        self.framing.encode(packet, dst).map_err(|error| {
            dst.truncate(start);
            error.into()
        })
    }

    fn packet(&self, frame: F::Item) -> ReadPacket {
        Packet::decode_with(frame.into_frame()?, &self.options)
    }
}

/// A packet of a stream and what was tolerated in it, or why a frame is no packet.
pub type ReadPacket = Result<(Packet, Repairs), DecodeError>;

impl<F: Framing> Decoder for Codec<F> {
    type Item = Result<Packet, DecodeError>;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        Ok(self.read(src)?.map(|item| item.map(|(packet, _)| packet)))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        Ok(self.read_eof(src)?.map(|item| item.map(|(packet, _)| packet)))
    }
}

impl<F: Framing, P: IntoPacket> Encoder<P> for Codec<F> {
    type Error = FrameError;

    /// Appends the packet in its frame; on an error `dst` is as it was.
    fn encode(&mut self, packet: P, dst: &mut BytesMut) -> Result<(), FrameError> {
        self.scratch.clear();
        packet.encode(&mut self.scratch)?;
        let packet = self.scratch.split().freeze();
        self.write(packet, dst)
    }
}
