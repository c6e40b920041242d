//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_auto_cfg))]

mod packet;
mod pattern;
mod schedule;
mod types;
mod wire;

pub use bytes::Bytes;
pub use packet::{
    ArgsError, ArgsErrorKind, ArgsReader, Array, Bundle, BundleBuilder, BundleRef, Elements, EncodeError,
    EncodeErrorKind, Exact, FromArgs, Impulse, IntoArgs, IntoPacket, LineReader, Message, MessageRef, Meta,
    Nil, OwnedArgs, Packet, PacketRef, ParseLineError, ParseLineErrorKind, Peer, Rest, Symbol,
};
pub use schedule::{
    CapacityPolicy, Clock, HorizonPolicy, ManualClock, Reading, ScheduleCounters, ScheduleLimits,
    SystemClock, TokioClock,
};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
pub use wire::{ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump, Repairs};
