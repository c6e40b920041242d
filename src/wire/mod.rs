//! The format: bytes in, offsets out; values in, bytes out. Only this floor touches offsets.

mod dump;
mod error;
mod fields;
mod levels;
mod mend;
mod options;
mod policy;
mod read;
mod repairs;
mod rewrite;
mod scan;
mod validate;
mod walk;
mod write;

pub use dump::HexDump;
pub(crate) use dump::hex;
pub use error::{DecodeError, DecodeErrorKind};
pub(crate) use fields::{Field, FieldKind, Fields};
pub(crate) use mend::mend;
pub use options::DecodeOptions;
pub use policy::{AddressPolicy, MissingTypeTags, TextPolicy};
pub use read::ArgIter;
pub(crate) use read::{ArgCursor, be_u32, be_u64, blob_size};
pub use repairs::Repairs;
pub(crate) use rewrite::{Rewrite, rewrite};
pub(crate) use scan::{padded, put_text, text_end};
pub(crate) use validate::{BUNDLE_HEADER, BUNDLE_NAME, Layout, NUMERIC_ADDRESS, Shape, Validator};
pub(crate) use walk::{WireStep, WireWalk};
pub use write::ArgsWriter;
pub(crate) use write::{Measure, WriteInto};
