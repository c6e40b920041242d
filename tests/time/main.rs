//! Timed bundles in a server with paused time: everything here is exact to the nanosecond.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::unchecked_time_subtraction,
    missing_docs
)]

mod cancel;
mod late;
mod options;
mod order;
mod overrides;
mod threats;

#[path = "../support/mod.rs"]
mod support;
