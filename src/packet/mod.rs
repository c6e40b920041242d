//! Messages, bundles and packets in their validated wire form, and the way from Rust values to
//! them and back.

mod annotated;
mod args_reader;
mod bundle;
mod by_ref;
mod error;
mod from_args;
mod head;
mod into_args;
mod into_packet;
mod line;
mod line_reader;
mod message;
mod meta;
mod overflow;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod packet;
mod retime;
mod send;
#[cfg(feature = "serde")]
mod serde_support;
mod tuples;
mod values;
mod walk;

#[doc(inline)]
pub use crate::types::{
    Arg, ArgRef, ArrayRef, Char, ClockOffset, Color, Midi, Text, TextBuf, TimeTag, TypeTag, TypeTagSet,
};
#[doc(inline)]
#[cfg(feature = "encoding")]
pub use crate::types::{OnUnmappable, UnmappableText};
#[doc(inline)]
pub use crate::wire::{
    AddressPolicy, ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump,
    MissingTypeTags, Repairs, TextPolicy,
};
pub use annotated::AnnotatedDump;
pub use args_reader::{ArgsReader, FromArgs, OwnedArgs};
#[doc(hidden)]
pub use bundle::IntoElements;
pub use bundle::{Bundle, BundleBuilder, BundleRef};
pub use error::{ArgsError, ArgsErrorKind, EncodeError, EncodeErrorKind};
pub use into_args::IntoArgs;
pub use into_packet::IntoPacket;
pub(crate) use into_packet::append;
pub use line_reader::{LineReader, ParseLineError, ParseLineErrorKind};
pub use message::{Message, MessageRef};
pub(crate) use meta::Work;
pub use meta::{ConnectionId, Meta, Peer, ScheduleId, TimeOverrides};
pub use overflow::Overflow;
pub use packet::{Packet, PacketRef};
pub use send::{SendError, SendErrorKind};
pub(crate) use send::{SendTo, Sending, Sent};
#[cfg(feature = "serde")]
pub use serde_support::{SerdeError, from_args, to_args};
pub use values::{Array, Exact, Finite, Impulse, Nil, Rest, Symbol};
pub(crate) use walk::PacketStep;
