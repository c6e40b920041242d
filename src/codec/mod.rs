//! Bytes to frames to packets: codecs for `tokio_util::codec`, usable without the rest.

mod datagram;
mod detect;
mod error;
mod frame;
mod length_prefix;
mod likely_cause;
mod packet_codec;
mod slip;

pub use datagram::{Datagram, MAX_DATAGRAM};
pub use detect::Detect;
pub use error::{FrameError, FrameErrorKind};
pub use frame::{Framing, IntoFrame, MAX_FRAME};
pub use length_prefix::LengthPrefix;
pub use likely_cause::LikelyCause;
pub use packet_codec::{Codec, ReadPacket};
pub use slip::Slip;
