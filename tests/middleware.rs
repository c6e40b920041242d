//! What sits between the wire and the packets, on live channels and by itself.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "middleware/codecs.rs"]
mod codecs;
#[cfg(feature = "net")]
#[path = "middleware/live.rs"]
mod live;
#[path = "middleware/marks.rs"]
mod marks;
