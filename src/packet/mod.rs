//! Messages, bundles and packets, in their validated wire form.
//!
//! A [`Message`] is an address with arguments, a [`Bundle`] is a time tag with messages and bundles, and a
//! [`Packet`] is either. Creating one encodes it; reading borrows from its bytes. [`IntoArgs`] converts Rust
//! values to arguments by their type; [`FromArgs`] converts them back, if no meaning is lost.
//!
//! ```
//! use tokio_osc::packet::IntoPacket;
//! use tokio_osc::{Bundle, Message, Packet, TimeTag};
//!
//! let message = Message::new("/synth/1/freq", (440.0_f32, "saw"))?;
//! assert_eq!(message.parse::<(f32, String)>()?, (440.0, "saw".to_owned()));
//!
//! let bundle = Bundle::at(TimeTag::IMMEDIATELY).with(message).with(("/synth/1/gate", true));
//! let bytes = bundle.into_packet()?.into_bytes();            // the bytes to send
//! let received = Packet::decode(bytes)?;
//! let addresses = received.messages().map(|message| message.address().to_string());
//! let addresses: Vec<_> = addresses.collect();
//! assert_eq!(addresses, ["/synth/1/freq", "/synth/1/gate"]);
//! # Ok::<(), tokio_osc::Error>(())
//! ```
//!
//! Nothing here uses a socket or a clock. There are three errors: [`EncodeError`] is the caller's fault,
//! [`DecodeError`] the peer's, and [`ArgsError`] reports other arguments than requested.

// No byte of a peer may reach a panic. Tests may: a panic is how they fail.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod annotated;
mod arg_types;
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
mod peer;
mod retime;
mod send;
#[cfg(feature = "serde")]
mod serde_support;
mod split;
mod tuples;
mod values;
mod walk;

#[cfg(feature = "encoding")]
pub use encoding_rs;

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
pub use arg_types::ArgTypes;
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
pub use meta::{Meta, ScheduleId, TimeOverrides};
pub use overflow::Overflow;
pub use packet::{Packet, PacketRef};
pub use peer::{ConnectionId, Peer};
pub use send::{SendError, SendErrorKind};
pub(crate) use send::{SendTo, Sent};
#[cfg(feature = "serde")]
pub use serde_support::{SerdeError, from_args, to_args};
pub use values::{Array, Exact, Finite, Impulse, Nil, Rest, Symbol};
pub(crate) use walk::PacketStep;
