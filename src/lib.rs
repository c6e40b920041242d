//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_auto_cfg))]

mod channel;
mod codec;
mod dispatch;
mod packet;
mod pattern;
mod schedule;
mod server;
mod types;
mod wire;

pub use bytes::Bytes;

pub use channel::{
    Broadcast, Channel, Client, ClientState, ClientStates, Connect, ConnectionEvent, ConnectionEvents,
    Delivery, Disconnect, Listener, Outlet, QueuePolicy, Reconnecting, Refusal, Request, RequestError,
    StreamOptions, Subscription, Verdict,
};
pub use codec::{
    Codec, Datagram, Detect, FrameError, FrameErrorKind, Framing, IntoFrame, LengthPrefix, LikelyCause,
    MAX_DATAGRAM, MAX_FRAME, ReadPacket, Slip,
};
pub use dispatch::{
    Args, CaptureError, Captures, Context, Extract, FromCapture, FromCaptures, FromContext, Function,
    IntoReply, Rejection, Reply, Returned, Router, State,
};
pub use packet::{
    ArgsError, ArgsErrorKind, ArgsReader, Array, Bundle, BundleBuilder, BundleRef, ConnectionId, Elements,
    EncodeError, EncodeErrorKind, Exact, FromArgs, Impulse, IntoArgs, IntoElements, IntoPacket, LineReader,
    Message, MessageRef, Meta, Nil, OwnedArgs, Packet, PacketRef, ParseLineError, ParseLineErrorKind, Peer,
    Rest, Symbol,
};
pub use pattern::{Pattern, PatternError, PatternErrorKind};
pub use schedule::{
    CapacityPolicy, Clock, HorizonPolicy, ManualClock, Reading, ScheduleCounters, ScheduleLimits,
    SystemClock, TokioClock,
};
pub use server::{Server, ServerHandle, Stats};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
pub use wire::{ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump, Repairs};
