//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the router is what uses it")]
mod dispatch;
#[allow(dead_code, reason = "the floors above are what uses it")]
mod pattern;
mod types;

pub use pattern::{Pattern, PatternError, PatternErrorKind};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
