//! The traits of a framing: a codec of byte frames.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::FrameError;
use crate::packet::SendError;
use crate::wire::DecodeError;

/// Default limit of the size of a frame, in bytes: 1 MiB.
///
/// ```
/// use tokio_osc::codec::MAX_FRAME;
/// use tokio_osc::Slip;
///
/// let framing = Slip::new().max_frame(4 * MAX_FRAME);
/// assert_eq!(MAX_FRAME, 1_048_576);
/// ```
pub const MAX_FRAME: usize = 1_024 * 1_024;

/// The item of a framing's decoder: a frame, or why one is broken.
///
/// Implemented for [`Bytes`], [`BytesMut`] and `Result<Bytes, DecodeError>`, so that your own
/// framing may be a plain `Decoder<Item = Bytes>`, and `LengthDelimitedCodec` can be used unchanged.
///
/// ```
/// use tokio_osc::codec::IntoFrame;
/// use tokio_osc::Bytes;
///
/// let frame = Bytes::from_static(b"/a\0\0,\0\0\0");
/// assert_eq!(frame.clone().into_frame()?, frame);
/// # Ok::<(), tokio_osc::packet::DecodeError>(())
/// ```
pub trait IntoFrame {
    /// Converts to the frame.
    ///
    /// # Errors
    /// Returns an error if this frame is broken. The next one may be valid.
    fn into_frame(self) -> Result<Bytes, DecodeError>;
}

impl IntoFrame for Bytes {
    fn into_frame(self) -> Result<Bytes, DecodeError> {
        Ok(self)
    }
}

impl IntoFrame for BytesMut {
    fn into_frame(self) -> Result<Bytes, DecodeError> {
        Ok(self.freeze())
    }
}

impl IntoFrame for Result<Bytes, DecodeError> {
    fn into_frame(self) -> Result<Bytes, DecodeError> {
        self
    }
}

/// How packets are delimited in a stream of bytes. Implemented for every codec that decodes and encodes
/// frames, and can be cloned for the next connection.
///
/// Implemented by [`Slip`](crate::Slip), [`LengthPrefix`](crate::LengthPrefix), [`Detect`](crate::codec::Detect), and
/// any codec that decodes to [`Bytes`] and encodes them. Each connection gets a clone of the framing in its initial
/// state.
///
/// A frame counts as unfinished while the decoder leaves bytes in the buffer. Meanwhile the
/// [`in_frame_timeout`](crate::channel::StreamOptions#structfield.in_frame_timeout) of the connection runs. A decoder
/// that takes the bytes of an unfinished frame should leave at least one.
///
/// A custom framing, with packets as lines of text:
///
/// ```
/// use tokio_osc::{Bytes, Channel, Client};
/// use tokio_util::bytes::{BufMut, BytesMut};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// /// Packets in hexadecimal digits, one a line.
/// #[derive(Clone)]
/// struct HexLines;
///
/// impl Decoder for HexLines {
///     type Item = Bytes;
///     type Error = std::io::Error;
///
///     fn decode(&mut self, src: &mut BytesMut) -> std::io::Result<Option<Bytes>> {
///         let Some(end) = src.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
///         let line = src.split_to(end + 1);
///         let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
///         Ok(Some(line[..end].chunks(2).map(|pair| pair.iter().fold(0, |n, &c| n << 4 | digit(c))).collect()))
///     }
/// }
///
/// impl Encoder<Bytes> for HexLines {
///     type Error = std::io::Error;
///
///     fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> std::io::Result<()> {
///         frame.iter().for_each(|byte| dst.extend_from_slice(format!("{byte:02x}").as_bytes()));
///         dst.put_u8(b'\n');
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = tokio::io::duplex(1_024);
/// let mut channel = Channel::io(here, HexLines);
/// Client::io(there, HexLines).send(("/ping", 7)).await?;
/// assert_eq!(channel.recv().await.expect("the pipe is open").0?.to_string(), "/ping ,i 7");
/// # Ok(()) }
/// ```
pub trait Framing:
    Decoder<Item: IntoFrame, Error: Into<FrameError>>
    + Encoder<Bytes, Error: Into<SendError>>
    + Clone
    + Send
    + Unpin
    + 'static
{
}

impl<F> Framing for F where
    F: Decoder<Item: IntoFrame, Error: Into<FrameError>>
        + Encoder<Bytes, Error: Into<SendError>>
        + Clone
        + Send
        + Unpin
        + 'static
{
}
