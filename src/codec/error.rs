//! Why the frame boundaries of a stream are lost.

use std::error::Error;
use std::{fmt, io};

use bytes::BytesMut;

use super::LikelyCause;
use crate::packet::SendError;

/// Why the frame boundaries of a peer's stream are lost.
///
/// A fault in *one* packet of a peer is not such an error but an item,
/// [`DecodeError`](crate::packet::DecodeError): the stream goes on. What fails when a packet is sent is a
/// [`SendError`].
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

/// The ways in which a stream fails.
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
    /// The peer's length is negative or over the limit: where the next frame begins is unknown.
    BadLength {
        /// The length, as the framing reads it.
        length: i128,
        /// Bytes that are allowed.
        limit: usize,
        /// What the bytes look like.
        cause: Option<LikelyCause>,
    },
    /// The peer's first byte begins none of the framings that [`Detect`](crate::codec::Detect) knows.
    UnknownFraming {
        /// The byte.
        first: u8,
        /// What the bytes look like.
        cause: Option<LikelyCause>,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// Bytes of that frame that had arrived.
        bytes: usize,
    },
    /// The transport failed.
    Io(io::Error),
    /// A framing of the caller's refuses the bytes ([`FrameError::other`]).
    Other(Box<dyn Error + Send + Sync>),
}

impl FrameError {
    /// For a [`Framing`](crate::codec::Framing) of your own: where the next frame begins is unknown,
    /// for this reason. Its text is the text of this error.
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

    /// What is wrong.
    pub const fn kind(&self) -> &FrameErrorKind {
        &self.kind
    }

    /// What is wrong, as a value.
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

    /// The result of a decoder that has no frame left at the end of its stream; forgets the rest.
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

/// So that a framing of your own may have one error type for both directions.
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
