//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_auto_cfg))]

#[cfg(feature = "net")]
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

#[cfg(feature = "net")]
pub use channel::{
    Broadcast, Channel, Client, Endpoint, EndpointError, FanOut, HostPort, HostPortError, Interface,
    IpFamily, Multicast, PeerNames, Request, RequestError, Scheme, SendReport, Udp, UdpMonitor, UdpStats,
};
pub use codec::{Datagram, FrameError, FrameErrorKind, MAX_DATAGRAM};
pub use dispatch::{
    Args, CaptureError, Captures, Context, Extract, FromCapture, FromCaptures, FromContext, Function,
    IntoReply, Rejection, Reply, Returned, Router, State,
};
pub use packet::{
    ArgsError, ArgsErrorKind, ArgsReader, Array, Bundle, BundleBuilder, BundleRef, Elements, EncodeError,
    EncodeErrorKind, Exact, FromArgs, Impulse, IntoArgs, IntoElements, IntoPacket, LineReader, Message,
    MessageRef, Meta, Nil, OwnedArgs, Packet, PacketRef, ParseLineError, ParseLineErrorKind, Peer, Rest,
    Symbol,
};
pub use pattern::{Pattern, PatternError, PatternErrorKind};
pub use schedule::{
    CapacityPolicy, Clock, HorizonPolicy, ManualClock, Reading, ScheduleCounters, ScheduleLimits,
    SystemClock, TokioClock,
};
pub use server::{Server, ServerHandle, Stats};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
pub use wire::{ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump, Repairs};
