//! Why a packet could not be sent, or a stream not be framed.

use std::{fmt, io};

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
/// assert_eq!(error.to_string(), "70016 bytes do not fit a datagram of at most 65507");
/// assert!(matches!(error.kind(), FrameErrorKind::TooLarge { limit: 65_507, .. }));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FrameError {
    kind: FrameErrorKind,
}

/// The ways in which sending or framing fails.
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
    /// The transport failed.
    Io(io::Error),
}

impl FrameError {
    /// What is wrong.
    pub const fn kind(&self) -> &FrameErrorKind {
        &self.kind
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
                write!(f, "{size} bytes do not fit a datagram of at most {limit}")
            }
            FrameErrorKind::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FrameErrorKind::Encode(error) => Some(error),
            FrameErrorKind::TooLarge { .. } => None,
            FrameErrorKind::Io(error) => Some(error),
        }
    }
}
