//! A server under attack: what one peer, one packet or one function of the program can cost the others.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cancelling;
mod lanes;
mod matching;
mod memory;
mod own_channel;
mod panics;
mod reflection;

#[path = "../support/mod.rs"]
mod support;
