//! Codecs for `tokio_util::codec`, from bytes to frames to packets. They can be used without the rest of the
//! crate.
//!
//! [`Datagram`] is for datagrams, [`Codec`] for byte streams with a [`Framing`]: [`Slip`], [`LengthPrefix`],
//! [`Detect`], or your own.
//!
//! ```
//! use futures::{SinkExt, StreamExt};
//! use tokio_osc::Slip;
//! use tokio_osc::codec::Codec;
//! use tokio_util::codec::Framed;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (here, there) = tokio::io::duplex(1_024);
//! let mut here = Framed::new(here, Codec::new(Slip::new()));
//! let mut there = Framed::new(there, Codec::new(Slip::new()));
//!
//! here.send(("/gain", 0.5_f32)).await?;
//! let packet = there.next().await.expect("the stream is open")??;    // broken stream, bad packet
//! assert_eq!(packet.to_string(), "/gain ,f 0.5");
//! # Ok(()) }
//! ```
//!
//! A malformed packet is an item, and the stream goes on. Broken framing is an error, [`FrameError`], and
//! ends the stream.

// No byte of a peer may reach a panic. Tests may: a panic is how they fail.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

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
