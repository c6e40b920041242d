//! The command line tool `osc`, run as a user runs it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(unix)]
#[path = "cli/docs.rs"]
mod docs;
#[path = "cli/dump.rs"]
mod dump;
#[path = "cli/network.rs"]
mod network;
#[path = "cli/packets.rs"]
mod packets;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/send.rs"]
mod send;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/usage.rs"]
mod usage;
