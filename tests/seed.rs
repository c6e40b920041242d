//! Every feature of osc4py3 1.0.8, row by row: `seed/rows.rs` lists them all, each with the tests that
//! show it here, or with the reason why there is none.
//!
//! The rows are lettered as the features are grouped, and the tests of the files beside this one are
//! named after their rows. A row may point to a test elsewhere: a test below checks that it exists.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "seed/a_packets.rs"]
mod a_packets;
#[path = "seed/b_type_tags.rs"]
mod b_type_tags;
#[path = "seed/e_errors.rs"]
mod e_errors;
#[path = "seed/l_auto_tags.rs"]
mod l_auto_tags;
#[path = "seed/rows.rs"]
mod rows;
#[path = "seed/t_time_tags.rs"]
mod t_time_tags;
