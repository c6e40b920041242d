//! Why a packet could not be sent, or a stream not be framed.

use std::{fmt, io};

use bytes::BytesMut;

use super::LikelyCause;
use crate::packet::EncodeError;

/// Why a packet could not be handed to the transport, or frames no longer be told apart.
///
/// What is wrong with *one* packet of a peer is not an error of this kind but an item,
/// [`DecodeError`](crate::DecodeError): the stream goes on.
///
/// ```
/// use tokio_osc::{Client, FrameErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let client = Client::udp("127.0.0.1:9000").await?;
/// let error = client.send(("/blob", vec![0_u8; 70_000])).await.unwrap_err();
/// assert_eq!(error.to_string(), "70016 bytes do not fit a frame of at most 65507");
/// assert!(matches!(error.kind(), FrameErrorKind::TooLarge { limit: 65_507, .. }));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FrameError {
    kind: FrameErrorKind,
}

/// The ways in which sending or framing fails.
///
/// ```
/// use tokio_osc::{Channel, Client, FrameErrorKind, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::reconnecting("127.0.0.1:9000", Slip::new()).spawn()?;
/// client.close().await?;
/// let error = client.send(("/scene", 3)).await.unwrap_err();
/// assert!(matches!(error.kind(), FrameErrorKind::Closed));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum FrameErrorKind {
    /// The caller's values make no packet.
    Encode(EncodeError),
    /// The caller's packet does not fit.
    TooLarge {
        /// Bytes of the packet.
        size: usize,
        /// Bytes that fit.
        limit: usize,
    },
    /// The peer's length is negative or over the limit: where the next frame begins is unknown.
    BadLength {
        /// The length, as the framing reads it.
        length: i128,
        /// Bytes that are allowed.
        limit: usize,
        /// What the bytes look like.
        cause: Option<LikelyCause>,
    },
    /// The peer's first byte begins none of the framings that [`Detect`](crate::Detect) knows.
    UnknownFraming {
        /// The byte.
        first: u8,
        /// What the bytes look like.
        cause: Option<LikelyCause>,
    },
    /// The peer has sent nothing yet, so that [`Detect`](crate::Detect) knows no framing to send in.
    Undetected,
    /// The stream ended inside a frame.
    Truncated {
        /// Bytes of that frame that had arrived.
        bytes: usize,
    },
    /// The packet would have to wait for earlier ones, and the caller will not.
    Full,
    /// The connection has ended, or there is none to this peer.
    Closed,
    /// The transport failed.
    Io(io::Error),
}

impl FrameError {
    /// What is wrong.
    pub const fn kind(&self) -> &FrameErrorKind {
        &self.kind
    }

    /// What is wrong, as a value.
    pub fn into_kind(self) -> FrameErrorKind {
        self.kind
    }

    /// What the peer seems to speak, if the framing makes no sense and the bytes say so.
    pub const fn likely_cause(&self) -> Option<LikelyCause> {
        match self.kind {
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

    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        FrameErrorKind::TooLarge { size, limit }.into()
    }
}

impl From<FrameErrorKind> for FrameError {
    fn from(kind: FrameErrorKind) -> Self {
        Self { kind }
    }
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        FrameErrorKind::Io(error).into()
    }
}

impl From<EncodeError> for FrameError {
    fn from(error: EncodeError) -> Self {
        FrameErrorKind::Encode(error).into()
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FrameErrorKind::Encode(error) => error.fmt(f),
            FrameErrorKind::TooLarge { size, limit } => {
                write!(f, "{size} bytes do not fit a frame of at most {limit}")
            }
            FrameErrorKind::BadLength { length, .. } if *length < 0 => {
                write!(f, "a frame of {length} bytes")
            }
            FrameErrorKind::BadLength { length, limit, .. } => {
                write!(f, "a frame of {length} bytes, over the limit of {limit}")
            }
            FrameErrorKind::UnknownFraming { first, .. } => {
                write!(f, "no framing begins with the byte {first:#04x}")
            }
            FrameErrorKind::Undetected => f.write_str("the peer has not shown its framing yet"),
            FrameErrorKind::Truncated { bytes } => {
                write!(f, "the stream ended {bytes} bytes into a frame")
            }
            FrameErrorKind::Full => f.write_str("earlier packets are not sent yet"),
            FrameErrorKind::Closed => f.write_str("the connection has ended"),
            FrameErrorKind::Io(error) => error.fmt(f),
        }?;
        self.likely_cause().map_or(Ok(()), |cause| write!(f, ": this looks like {cause}"))
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FrameErrorKind::Encode(error) => error.source(),
            FrameErrorKind::Io(error) => error.source(),
            _ => None,
        }
    }
}
