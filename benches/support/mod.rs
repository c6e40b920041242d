//! What the benchmarks are made of: the cases, the harness, and peers that are not Rust.

pub(crate) mod cases;
pub(crate) mod goals;
pub(crate) mod harness;
pub(crate) mod program;
