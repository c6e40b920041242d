//! Streams of packets: `--framing` of `osc decode` and `osc encode`.

use std::io::Read;

use clap::ValueEnum;
use tokio_osc::bytes::BytesMut;
use tokio_osc::codec::{Codec, Framing};
use tokio_osc::packet::{DecodeOptions, Repairs, SendError};
use tokio_osc::{Bytes, LengthPrefix, Packet, Slip};
use tokio_util::codec::Encoder;

use crate::failure::Failure;

/// The content of a frame: a packet, or what is wrong with it.
type Frame = Result<(Packet, Repairs), String>;

/// Bytes that are read at a time.
const READ: usize = 64 * 1_024;

#[derive(clap::Args)]
pub(crate) struct FramingOptions {
    /// The framing of the stream
    #[arg(long, value_name = "FRAMING")]
    framing: Option<FramingKind>,

    /// The maximum size of a frame [default: 1048576]
    #[arg(long, value_name = "BYTES", requires = "framing")]
    max_frame: Option<usize>,
}

/// The framings that a stream of bytes can have.
#[derive(Clone, Copy, ValueEnum)]
enum FramingKind {
    /// SLIP, END at both ends (OSC 1.1)
    Slip,
    /// A 32-bit big-endian length before each packet (OSC 1.0)
    Length,
}

impl FramingOptions {
    /// Whether there is one packet, without framing.
    pub(crate) const fn is_none(&self) -> bool {
        self.framing.is_none()
    }

    /// Yields the content of each frame, until the stream ends or its frame boundaries are lost.
    pub(crate) fn read(
        &self,
        place: &str,
        source: impl Read,
        options: DecodeOptions,
        show: impl FnMut(Frame) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.framing {
            Some(FramingKind::Length) => {
                read(place, source, Codec::with_options(self.length_prefix(), options), show)
            }
            _ => read(place, source, Codec::with_options(self.slip(), options), show),
        }
    }

    /// Appends a packet to a stream.
    pub(crate) fn write(&self, packet: &Packet, stream: &mut BytesMut) -> Result<(), SendError> {
        let bytes: Bytes = packet.as_bytes().clone();
        match self.framing {
            Some(FramingKind::Slip) => self.slip().encode(bytes, stream),
            Some(FramingKind::Length) => self.length_prefix().encode(bytes, stream),
            None => {
                stream.extend_from_slice(&bytes);
                Ok(())
            }
        }
    }

    fn slip(&self) -> Slip {
        self.max_frame.map_or_else(Slip::new, |bytes| Slip::new().max_frame(bytes))
    }

    fn length_prefix(&self) -> LengthPrefix {
        self.max_frame.map_or_else(LengthPrefix::new, |bytes| LengthPrefix::new().max_frame(bytes))
    }
}

fn read(
    place: &str,
    mut source: impl Read,
    mut codec: Codec<impl Framing>,
    mut show: impl FnMut(Frame) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = BytesMut::new();
    let mut chunk = vec![0; READ];
    let mut at_end = false;
    loop {
        let next = if at_end { codec.read_eof(&mut buffer) } else { codec.read(&mut buffer) };
        match next {
            Ok(Some((Ok(packet), meta))) => show(Ok((packet, *meta.repairs())))?,
            Ok(Some((Err(error), _))) => show(Err(error.to_string()))?,
            Err(error) => return show(Err(error.to_string())),
            Ok(None) if at_end => return Ok(()),
            Ok(None) => match source.read(&mut chunk) {
                Ok(0) => at_end = true,
                Ok(bytes) => buffer.extend_from_slice(chunk.get(..bytes).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::at(place, error)),
            },
        }
    }
}
