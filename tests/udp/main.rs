//! Datagrams over loopback. What takes several hosts is in `netns`.
#![cfg(feature = "net")]
#![allow(clippy::cast_possible_truncation, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batch;
mod framed;
mod loopback;
mod threats;
mod unix;

#[path = "../support/mod.rs"]
mod support;
