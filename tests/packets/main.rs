//! Packets, their values and their address patterns: decoding, encoding, limits, and what they cost.
//!
//! The allocator of this process counts, for each thread on its own: `allocations` and `threats` read it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::match_same_arms,
    clippy::format_collect
)]

mod allocations;
mod dialects;
mod errors;
mod fuzz_seeds;
mod limits;
mod patterns;
mod reference;
mod rosc;
mod roundtrip;
mod serde;
mod sizes;
mod stack;
mod threats;
mod truncation;
mod values;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

#[global_allocator]
static ALLOCATOR: support::counting::Counting = support::counting::Counting;
