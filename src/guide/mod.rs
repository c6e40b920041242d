//! Longer texts on how to use this crate.

#[doc = include_str!("../../docs/models.md")]
pub mod models {}
