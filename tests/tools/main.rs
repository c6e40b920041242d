//! What is made of the public names: nodes, relays, pacers, and clocks that agree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unchecked_time_subtraction)]

mod node;
mod pacer;
mod relay;
mod time_tools;

#[path = "../support/mod.rs"]
mod support;
