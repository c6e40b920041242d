//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]

mod types;

pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
