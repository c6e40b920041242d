//! Longer texts on how to use this crate.

#[doc = include_str!("../../docs/models.md")]
pub mod models {}

#[doc = include_str!("../../docs/limits.md")]
pub mod limits {}

#[doc = include_str!("../../docs/architecture.md")]
pub mod architecture {}

#[doc = include_str!("testing.md")]
pub mod testing {}
