//! Clients: where they connect, what they wait for, and the names that they send.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod inbox;
mod names;
mod opening;
mod requests;

#[path = "../support/mod.rs"]
mod support;
