//! Byte streams: framings, connections, and their ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod close;
mod codec;
mod connections;
mod half_closed;
mod reconnect;
mod threats;
mod wakes;

#[path = "../support/mod.rs"]
mod support;
