//! Servers: how they run, what they count, what a mistake of the caller says, and how they end.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blocking;
mod cost;
mod dial;
mod idle;
mod latest;
mod lifecycle;
mod mistakes;
mod models;
mod networks;
mod node_events;
mod panics;
mod pause;
mod serving;
mod subscribers;
mod user_panics;

#[path = "../support/mod.rs"]
mod support;
