//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]

mod pattern;
mod types;

pub use pattern::{Pattern, PatternError, PatternErrorKind};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
