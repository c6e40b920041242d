//! The framing that the peer uses.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, FrameErrorKind, LengthPrefix, LikelyCause, MAX_FRAME, Slip};
use crate::packet::{SendError, SendErrorKind};
use crate::wire::DecodeError;

/// Tells [`Slip`] from [`LengthPrefix`] by the first byte of a connection, and stays with it.
///
/// | first byte | framing |
/// |---------|------|
/// | `c0` | SLIP, answered with END at both ends |
/// | `/` or `#` | SLIP with a single END, answered alike (liblo) |
/// | `00` | length prefix, signed 32-bit big-endian |
/// | anything else | a [`FrameError`] that names the likely cause |
///
/// It is for the side that is connected to: until the peer has sent a byte, there is nothing to
/// tell. What a channel is to send before that waits in the connection's queue; a bare encoder
/// refuses it.
///
/// ```
/// use tokio_osc::codec::Detect;
/// use tokio_osc::Bytes;
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut framing = Detect::new();
/// assert!(framing.encode(Bytes::from_static(b"too early"), &mut BytesMut::new()).is_err());
///
/// let mut wire = BytesMut::from(&b"\0\0\0\x04abcd"[..]);
/// assert_eq!(framing.decode(&mut wire)?, Some(Ok(Bytes::from_static(b"abcd"))));
/// framing.encode(Bytes::from_static(b"efgh"), &mut wire)?;
/// assert_eq!(&wire[..], b"\0\0\0\x04efgh");
/// # Ok::<(), tokio_osc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detect {
    max_frame: usize,
    found: Option<DetectedFraming>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DetectedFraming {
    Slip(Slip),
    LengthPrefix(LengthPrefix),
}

impl Default for Detect {
    fn default() -> Self {
        Self { max_frame: MAX_FRAME, found: None }
    }
}

impl Detect {
    /// Frames of at most 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of the largest frame, in both directions. Default [`MAX_FRAME`].
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    fn look(&self, src: &[u8]) -> Result<Option<DetectedFraming>, FrameError> {
        let Some(&first) = src.first() else { return Ok(None) };
        match first {
            0xc0 => Ok(Some(DetectedFraming::Slip(Slip::new().max_frame(self.max_frame)))),
            b'/' | b'#' => {
                Ok(Some(DetectedFraming::Slip(Slip::new().max_frame(self.max_frame).flag_at_start(false))))
            }
            0 => Ok(Some(DetectedFraming::LengthPrefix(LengthPrefix::new().max_frame(self.max_frame)))),
            _ => Err(FrameErrorKind::UnknownFraming { first, cause: LikelyCause::of(src) }.into()),
        }
    }
}

impl Decoder for Detect {
    type Item = Result<Bytes, DecodeError>;
    type Error = FrameError;

    /// The next frame.
    ///
    /// # Errors
    /// The first byte begins no framing; and those of the framing found.
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        if self.found.is_none() {
            self.found = self.look(src)?;
        }
        match &mut self.found {
            Some(DetectedFraming::Slip(slip)) => slip.decode(src),
            Some(DetectedFraming::LengthPrefix(prefix)) => Ok(prefix.decode(src)?.map(Ok)),
            None => Ok(None),
        }
    }

    /// As `decode`.
    ///
    /// # Errors
    /// Also: the stream ends inside a frame.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        match self.decode(src)? {
            Some(frame) => Ok(Some(frame)),
            None => FrameError::at_end(src),
        }
    }
}

impl Encoder<Bytes> for Detect {
    type Error = SendError;

    /// Appends the frame as the peer frames its own.
    ///
    /// # Errors
    /// The peer has sent nothing yet; and those of the framing found.
    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        match &mut self.found {
            Some(DetectedFraming::Slip(slip)) => slip.encode(frame, dst),
            Some(DetectedFraming::LengthPrefix(prefix)) => prefix.encode(frame, dst),
            None => Err(SendErrorKind::Undetected.into()),
        }
    }
}
