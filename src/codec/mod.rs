//! Bytes to frames to packets: codecs for `tokio_util::codec`, usable without the rest.

mod datagram;
mod error;

pub use datagram::{Datagram, MAX_DATAGRAM};
pub use error::{FrameError, FrameErrorKind};
