//! The error of a framing.

use std::error::Error;
use std::{fmt, io};

use bytes::BytesMut;

use super::LikelyCause;
use crate::packet::SendError;

/// The error of a framing or of its transport. The frame boundaries are lost, and the stream ends.
///
/// A malformed packet is not such an error but an item, a [`DecodeError`](crate::packet::DecodeError), and the stream
/// goes on. Errors of sending are a [`SendError`].
///
/// ```
/// use tokio_osc::codec::FrameErrorKind;
/// use tokio_osc::LengthPrefix;
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut stream = BytesMut::from(&b"\xff\xff\xff\xff"[..]);
/// let error = LengthPrefix::new().decode(&mut stream).unwrap_err();
/// assert!(matches!(error.kind(), FrameErrorKind::BadLength { length: -1, .. }));
/// ```
pub struct FrameError {
    /// Boxed: it is rare and ends the stream, while its size is that of every result of a decoder.
    kind: Box<FrameErrorKind>,
}

/// The kinds of [`FrameError`].
///
/// ```
/// use tokio_osc::codec::FrameErrorKind;
/// use tokio_osc::Slip;
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut stream = BytesMut::from(&b"\xc0/pi"[..]);
/// let error = Slip::new().decode_eof(&mut stream).unwrap_err();
/// assert!(matches!(error.kind(), FrameErrorKind::Truncated { bytes: 3 }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum FrameErrorKind {
    /// A length is negative or over the limit, so the start of the next frame is unknown.
    BadLength {
        /// The length.
        length: i128,
        /// The limit.
        limit: usize,
        /// The likely cause.
        cause: Option<LikelyCause>,
    },
    /// The first byte belongs to none of the framings that [`Detect`](crate::codec::Detect) knows.
    UnknownFraming {
        /// The byte.
        first: u8,
        /// The likely cause.
        cause: Option<LikelyCause>,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// The received bytes of that frame.
        bytes: usize,
    },
    /// The transport failed.
    Io(io::Error),
    /// A framing of the caller refused the bytes ([`FrameError::other`]).
    Other(Box<dyn Error + Send + Sync>),
}

impl FrameError {
    /// Creates an error for your own [`Framing`](crate::codec::Framing), with its text: the start of the next
    /// frame is unknown.
    ///
    /// ```
    /// use tokio_osc::codec::FrameError;
    ///
    /// let error = FrameError::other("the checksum of the frame is wrong");
    /// assert_eq!(error.to_string(), "the checksum of the frame is wrong");
    /// ```
    #[cold]
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        FrameErrorKind::Other(error.into()).into()
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> &FrameErrorKind {
        &self.kind
    }

    /// Returns the kind of the error as a value.
    pub fn into_kind(self) -> FrameErrorKind {
        *self.kind
    }

    /// The protocol that the peer seems to speak, if the bytes show one.
    pub const fn likely_cause(&self) -> Option<LikelyCause> {
        match *self.kind {
            FrameErrorKind::BadLength { cause, .. } | FrameErrorKind::UnknownFraming { cause, .. } => cause,
            _ => None,
        }
    }

    /// The result of a decoder at the end of its stream. Discards the remaining bytes.
    pub(super) fn at_end<T>(src: &mut BytesMut) -> Result<Option<T>, Self> {
        let bytes = src.len();
        src.clear();
        if bytes == 0 { Ok(None) } else { Err(FrameErrorKind::Truncated { bytes }.into()) }
    }
}

impl From<FrameErrorKind> for FrameError {
    #[cold]
    fn from(kind: FrameErrorKind) -> Self {
        Self { kind: Box::new(kind) }
    }
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        FrameErrorKind::Io(error).into()
    }
}

/// So that your own framing can have one error type for both directions.
impl From<FrameError> for SendError {
    fn from(error: FrameError) -> Self {
        match error.into_kind() {
            FrameErrorKind::Io(error) => error.into(),
            kind => io::Error::new(io::ErrorKind::InvalidData, FrameError::from(kind)).into(),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            FrameErrorKind::BadLength { length, .. } if *length < 0 => {
                write!(f, "a frame of {length} bytes")
            }
            FrameErrorKind::BadLength { length, limit, .. } => {
                write!(f, "a frame of {length} bytes, over the limit of {limit}")
            }
            FrameErrorKind::UnknownFraming { first, .. } => {
                write!(f, "no framing begins with the byte {first:#04x}")
            }
            FrameErrorKind::Truncated { bytes } => {
                write!(f, "the stream ended {bytes} bytes into a frame")
            }
            FrameErrorKind::Io(error) => error.fmt(f),
            FrameErrorKind::Other(error) => error.fmt(f),
        }?;
        self.likely_cause().map_or(Ok(()), |cause| write!(f, ": this looks like {cause}"))
    }
}

readable! { struct FrameError { kind } }

impl Error for FrameError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.kind {
            FrameErrorKind::Io(error) => error.source(),
            FrameErrorKind::Other(error) => error.source(),
            _ => None,
        }
    }
}
