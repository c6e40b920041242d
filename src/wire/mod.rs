//! The wire format: reading and writing of packets. Only this module computes offsets.

// No byte of a peer may reach a panic. Tests may: a panic is how they fail.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod dump;
mod error;
mod fields;
mod layout;
mod levels;
mod mend;
mod options;
mod policy;
mod read;
mod repairs;
mod rewrite;
mod scan;
mod sizes;
mod validate;
mod walk;
mod write;

pub use dump::HexDump;
pub(crate) use dump::hex;
pub use error::{DecodeError, DecodeErrorKind};
pub(crate) use fields::{FieldKind, Fields};
pub(crate) use layout::{BUNDLE_NAME, Layout, NUMERIC_ADDRESS, bundle_header, split_bundle, split_element};
pub(crate) use mend::mend;
pub use options::DecodeOptions;
pub use policy::{AddressPolicy, MissingTypeTags, TextPolicy};
pub(crate) use read::ArgCursor;
pub use read::ArgIter;
pub use repairs::Repairs;
pub(crate) use rewrite::{Rewrite, rewrite};
pub(crate) use scan::{padded, put_text};
pub(crate) use sizes::be_u32;
pub(crate) use validate::{PacketShape, Validator};
pub(crate) use walk::{WireStep, WireWalk};
pub use write::ArgsWriter;
pub(crate) use write::{Fault, Measure, WriteInto};
