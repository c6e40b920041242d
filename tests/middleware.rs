//! What sits between the wire and the packets, on live channels and by itself.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

#[path = "middleware/codecs.rs"]
mod codecs;
#[path = "middleware/compression.rs"]
mod compression;
#[path = "middleware/converting.rs"]
mod converting;
#[path = "middleware/dump.rs"]
mod dump;
#[cfg(feature = "net")]
#[path = "middleware/live.rs"]
mod live;
#[path = "middleware/marks.rs"]
mod marks;
#[path = "middleware/options.rs"]
mod options;
#[cfg(feature = "encoding")]
#[path = "middleware/transcode.rs"]
mod transcode;
