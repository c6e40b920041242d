//! Byte streams: framings, connections, and their ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod close;
mod codec;
mod connections;
mod half_closed;
mod reconnect;
#[cfg(all(target_os = "linux", feature = "serial"))]
mod serial;
mod threats;
mod wakes;

#[path = "../support/mod.rs"]
mod support;
