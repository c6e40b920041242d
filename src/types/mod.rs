//! Plain data that packets are made of: time tags, arguments, text, addresses. No encoding.

mod address;
mod arg;
mod arg_steps;
mod brief;
mod clock_offset;
mod color;
#[cfg(feature = "encoding")]
mod encoding;
mod midi;
mod network;
mod shared_text;
mod text;
mod texts;
mod time_tag;
mod type_tag;
mod type_tag_set;

pub use address::Address;
pub(crate) use address::is_name_byte;
pub use arg::{Arg, ArgRef, ArrayRef};
pub(crate) use arg_steps::ArgStep;
pub(crate) use brief::brief;
pub use clock_offset::ClockOffset;
pub use color::Color;
#[cfg(feature = "encoding")]
pub use encoding::{OnUnmappable, UnmappableText};
pub use midi::Midi;
pub(crate) use network::Network;
pub(crate) use shared_text::shared_text;
pub use text::{Char, Text, TextBuf};
pub(crate) use texts::texts;
pub use time_tag::TimeTag;
pub use type_tag::TypeTag;
pub use type_tag_set::TypeTagSet;
