//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_auto_cfg))]

mod packet;
mod pattern;
mod types;
mod wire;

pub use bytes::{self, Bytes};
#[cfg(feature = "encoding")]
pub use encoding_rs;
pub use packet::{
    AnnotatedDump, ArgsError, ArgsErrorKind, ArgsReader, Array, Bundle, BundleBuilder, BundleOf, BundleRef,
    Elements, EncodeError, EncodeErrorKind, Exact, FromArgs, Impulse, IntoArgs, IntoPacket, LineReader,
    Message, MessageRef, Meta, Nil, OwnedArgs, Packet, PacketRef, ParseLineError, ParseLineErrorKind, Peer,
    Rest, Symbol,
};
#[cfg(feature = "serde")]
pub use packet::{SerdeError, from_args, to_args};
pub use types::{
    Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag, TypeTagSet,
};
#[cfg(feature = "encoding")]
pub use types::{OnUnmappable, UnmappableText};
pub use wire::{
    AddressPolicy, ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump,
    MissingTypeTags, Repairs, TextPolicy,
};
