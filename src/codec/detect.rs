//! Detection of the framing that the peer uses.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, FrameErrorKind, LengthPrefix, LikelyCause, MAX_FRAME, Slip};
use crate::packet::{SendError, SendErrorKind};
use crate::wire::DecodeError;

/// Detects [`Slip`] or [`LengthPrefix`] by the first byte of a connection, and then uses it.
///
/// | first byte | framing |
/// |---------|------|
/// | `c0` | SLIP; replies have END at both ends |
/// | `/` or `#` | SLIP with a single END, also in replies (liblo) |
/// | `00` | length prefix, signed 32-bit big-endian |
/// | anything else | a [`FrameError`] that names the likely cause |
///
/// For the accepting side: the framing is unknown until the peer has sent a byte. Packets that a channel
/// sends earlier wait in the queue of the connection; a bare encoder refuses them.
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
    /// Creates a codec for frames of at most 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum size of a frame, in both directions. Default [`MAX_FRAME`].
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

    /// Decodes the next frame.
    ///
    /// # Errors
    /// Returns an error if the first byte does not belong to a framing, and the errors of the detected
    /// framing.
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

    /// Same as `decode`.
    ///
    /// # Errors
    /// Also returns an error if the stream ends inside a frame.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        match self.decode(src)? {
            Some(frame) => Ok(Some(frame)),
            None => FrameError::at_end(src),
        }
    }
}

impl Encoder<Bytes> for Detect {
    type Error = SendError;

    /// Appends the frame in the framing of the peer.
    ///
    /// # Errors
    /// Returns an error if the peer has sent nothing yet, and the errors of the detected framing.
    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        match &mut self.found {
            Some(DetectedFraming::Slip(slip)) => slip.encode(frame, dst),
            Some(DetectedFraming::LengthPrefix(prefix)) => prefix.encode(frame, dst),
            None => Err(SendErrorKind::Undetected.into()),
        }
    }
}
