//! The command line tool `osc`, run as a user runs it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(unix)]
mod docs;
mod dump;
mod network;
mod packets;
#[path = "../support/ports.rs"]
mod ports;
mod run;
mod send;
mod streams;
mod usage;
