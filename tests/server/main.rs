//! Servers: how they run, what they count, what a mistake of the caller says, and how they end.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cost;
mod lifecycle;
mod mistakes;
mod models;
mod panics;
mod serving;

#[path = "../support/mod.rs"]
mod support;
