//! The format: bytes in, offsets out; values in, bytes out. Only this floor touches offsets.

mod dump;
mod error;
mod limits;
mod read;
mod repairs;
mod scan;
mod validate;
mod write;

pub use dump::HexDump;
pub use error::{DecodeError, DecodeErrorKind};
pub use limits::DecodeOptions;
pub use read::ArgIter;
pub(crate) use read::{ArgCursor, be_u32, be_u64};
pub use repairs::Repairs;
pub(crate) use scan::{padded, text_end};
pub(crate) use validate::{BUNDLE_HEADER, BUNDLE_NAME, Layout, Validator};
pub use write::ArgsWriter;
pub(crate) use write::{Measure, WriteInto};
