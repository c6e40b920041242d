//! What servers are asked for beyond routes: connections that they open themselves, handlers that block,
//! subscribers, places that are taken, and functions of the user that panic.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../support/fed.rs"]
mod fed;

mod blocking;
mod dial;
mod idle;
mod latest;
mod node_events;
mod panics;
mod pause;
mod subscribers;
