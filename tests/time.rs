//! Timed bundles in a server with paused time: everything here is exact to the nanosecond.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::unchecked_time_subtraction,
    missing_docs
)]

#[path = "time/cancel.rs"]
mod cancel;
#[path = "time/late.rs"]
mod late;
#[path = "time/options.rs"]
mod options;
#[path = "time/order.rs"]
mod order;
#[path = "time/overrides.rs"]
mod overrides;
#[path = "time/rig.rs"]
mod rig;
