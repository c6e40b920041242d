//! Messages, bundles and packets in their validated wire form, and the way from Rust values to
//! them and back.

mod annotated;
mod args_reader;
mod bundle;
mod error;
mod from_args;
mod head;
mod into_args;
mod into_packet;
mod line;
mod line_reader;
mod message;
mod meta;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod packet;
mod send;
#[cfg(feature = "serde")]
mod serde_support;
mod values;
mod walk;

pub use annotated::AnnotatedDump;
pub use args_reader::ArgsReader;
pub use bundle::{Bundle, BundleBuilder, BundleOf, BundleRef, Elements, IntoElements};
pub use error::{ArgsError, ArgsErrorKind, EncodeError, EncodeErrorKind};
pub use from_args::{FromArgs, OwnedArgs};
pub use into_args::IntoArgs;
pub use into_packet::IntoPacket;
pub(crate) use into_packet::append;
pub use line_reader::{LineReader, ParseLineError, ParseLineErrorKind};
pub use message::{Message, MessageRef};
pub(crate) use meta::Work;
pub use meta::{ConnectionId, Meta, Peer, ScheduleId, TimeOverrides};
pub use packet::{Packet, PacketRef};
pub use send::{SendError, SendErrorKind};
pub(crate) use send::{SendTo, Sending, Sent};
#[cfg(feature = "serde")]
pub use serde_support::{SerdeError, from_args, to_args};
pub use values::{Array, Exact, Impulse, Nil, Rest, Symbol};
pub(crate) use walk::Step;
