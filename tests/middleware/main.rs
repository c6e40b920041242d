//! What sits between the wire and the packets, on live channels and by itself.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[cfg(feature = "net")]
mod access;
mod codecs;
mod compression;
mod converting;
mod dump;
mod envelope;
#[cfg(feature = "net")]
mod live;
mod marks;
mod options;
mod send_checks;
#[cfg(feature = "encoding")]
mod transcode;

#[path = "../support/mod.rs"]
mod support;
