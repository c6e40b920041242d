//! Open Sound Control (OSC 1.0 and 1.1) for Tokio.
//!
//! Codecs turn bytes into a `Stream` of packets; the packets feed an async dispatcher, which holds
//! timed bundles until `tokio::time::sleep_until` says now.
//!
//! ```
//! use std::time::Duration;
//! use tokio_osc::{Args, Bundle, Captures, Channel, Client, Router, Server, TimeTag};
//!
//! async fn freq(Captures(voice): Captures<u32>, Args((hz, wave)): Args<(f32, String)>) {
//!     println!("voice {voice}: {hz} Hz, {wave}");
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let router = Router::new()
//!     .route("/synth/*/freq", freq)
//!     .route("/ping", |Args(n): Args<i32>| ("/pong", n));      // what it returns goes back
//! let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
//!
//! let client = Client::udp(server.local_addr("udp").unwrap()).await?;
//! client.send(("/synth/1/freq", (440.0_f32, "saw"))).await?;
//! let later = TimeTag::after(Duration::from_millis(20));
//! client.send(Bundle::at(later).with(("/synth/2/freq", (220.0_f32, "later")))).await?;
//! let reply = client.request(("/ping", 7), "/pong").await?;
//! assert_eq!(reply.parse::<i32>()?, 7);
//!
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # The parts
//!
//! | for | there is |
//! |-----|----------|
//! | values | [`Message`], [`Bundle`], [`Packet`]; arguments by [`IntoArgs`] and [`FromArgs`], [`Arg`] and [`ArgRef`]; [`TimeTag`], [`Color`], [`Midi`] |
//! | addresses | [`Address`], [`Pattern`] |
//! | sending | [`Client`]: [`udp`](Client::udp), [`tcp`](Client::tcp), [`reconnecting`](Client::reconnecting); [`Request`], [`ClientSubscription`]; [`FanOut`]; [`Outlet`] of a channel |
//! | receiving | [`Channel`], a `Stream`; [`Udp`], [`Multicast`], [`Broadcast`], [`Endpoint`], their options as a URL; [`StreamOptions`] and `UnixDatagramOptions`, limits and timeouts; [`Listener`]; [`Meta`] and [`Peer`] of each packet, [`PeerNames`]; or bare codecs: [`Datagram`], [`Codec`] with [`Slip`], [`LengthPrefix`], [`Detect`] or a [`Framing`] of your own |
//! | between bytes and packets | [`Middleware`], for channels, clients and bare codecs: [`Envelope`] with a [`ReplayWindow`], [`AddressTable`], [`AllowedTypeTags`], `Transcode`, [`Dump`], [`on_packet_in`] and its like, layers of your own |
//! | handling | [`Router`]; the extractors [`Args`], [`Captures`], [`State`], [`Extra`], [`Meta`], [`Reply`], [`Message`] and those of [`FromContext`]; [`IntoReply`]; [`Lane`], [`LiveRoutes`], [`Subscription`]; [`Server`], [`ServerHandle`], [`Shutdown`] |
//! | running | [`Server::run`], [`Server::spawn`], [`FrameLoop`], [`Inbox`]; [`Budget`], [`Meter`]: see [three models](guide::models) |
//! | names | [`Node`]: channels by name, groups, [`LOCAL`], [`ALL`]; [`Targets`], [`Destination`] |
//! | between | [`Relay`] from channels to others, unchanged; [`Pacer`]: a rate, and the latest value of each address |
//! | time | [`Clock`]: [`SystemClock`], [`TokioClock`], [`ManualClock`]; [`TimeOptions`], [`ScheduleLimits`], [`Precision`]; [`Ticker`], [`TimedSender`], [`ClockSync`] |
//! | looking | [`Stats`], [`Report`]; [`ChannelEvents`], [`ConnectionEvents`]; [`UdpMonitor`], [`Filtered`], [`Repairs`] |
//! | errors | [`Error`], their sum for `?`; [`EncodeError`] is the caller's fault, [`DecodeError`] the peer's, [`SendError`] the transport's, [`FrameError`] the stream's; [`ArgsError`], [`RequestError`] |
//! | text | the canonical line: `Display` and `FromStr` of messages and packets, [`LineReader`]; [`HexDump`], [`AnnotatedDump`] |
//!
//! Each layer works without the ones above it: decode with [`Packet::decode`], read a [`Channel`] in
//! your own loop, or give a [`Server`] any stream of packets with [`Server::feed`].
//!
//! # Features
//!
//! | feature | adds | default |
//! |---------|------|---------|
//! | `net` | sockets: UDP, multicast, broadcast, TCP, Unix; without it, [`Channel::io`] and [`Client::io`] over any byte stream | yes |
//! | `regex` | `Router::route_regex` | no |
//! | `serde` | `Serialize` and `Deserialize` for arguments, messages and bundles; structs as arguments | no |
//! | `encoding` | text of any charset: `Text::decode`, `TextBuf::encode`, `Transcode` | no |
//! | `crypto` | ready-made functions for [`Envelope`]: `Crc32`, `HmacSha256`, `ChaCha20Poly1305` | no |
//! | `fine` | [`Precision::Fine`](Precision): timed bundles about 0.1 ms late at the median, instead of 1 ms | no |
//! | `batch` | `Udp::batch`: runs of datagrams in one call of the kernel (Linux) | no |
//! | `cli` | the command line tool `osc` | no |
//!
//! # Limits
//!
//! Ports are open to anything that can send a datagram. Nothing here grows without a bound:
//!
//! | what | default | to be set by |
//! |------|---------|--------------|
//! | datagram | 65,535 bytes | |
//! | frame on a stream | 1 MiB | the framing, such as [`Slip::max_frame`] |
//! | connections, and those of one address | 500, 64 | [`StreamOptions`] |
//! | time for a frame, for a write | 10 s | [`StreamOptions`] |
//! | time for the peer to close a connection that this side closes | 1 s | [`StreamOptions`] |
//! | bytes waiting for one connection | 1 MiB | [`StreamOptions`] |
//! | time to connect, of a reconnecting client | 10 s | |
//! | time for the reply to a request | 5 s | [`Request::timeout`] |
//! | sources of a framed UDP socket, and bytes of an unfinished frame of one | 500, 64 KiB | [`Udp::max_sources`], [`Udp::max_unfinished`] |
//! | peers of a Unix datagram socket that can be answered | 500 | |
//! | names of peers that were looked up | 1,024 | |
//! | depth of bundles and of arrays | 32 | [`DecodeOptions`] |
//! | type tags per message | 65,536 | [`DecodeOptions`] |
//! | elements per bundle | 16,384 | [`DecodeOptions`] |
//! | address or pattern | 4,096 bytes, 128 parts | [`DecodeOptions`]; routes: fixed |
//! | handler calls per packet | 16,384 | [`Server::max_calls`] |
//! | steps of matching per packet | 33,554,432 | [`Server::max_steps`] |
//! | replies per packet | 64, and 64 KiB | |
//! | replies per source and second | no limit | [`Server::reply_rate`] |
//! | what an [`AddressTable`] adds to a packet | 1 MiB | [`AddressTable::max_growth`] |
//! | packets waiting for a handler | 1,024 | [`Server::inbox`] |
//! | calls or messages waiting in an [`Inbox`], a [`Lane`], a [`Subscription`] | no default | the argument that makes it |
//! | messages waiting in a subscription of a client | 1,024, and 1 MiB | [`ClientSubscription::limits`] |
//! | senders that a [`ReplayWindow`] remembers, and packets of one | 64, 1,024 | [`ReplayWindow::senders`], [`ReplayWindow::packets`] |
//! | events waiting for a reader, or for the router | 256 | |
//! | packets waiting for one's own router ([`LOCAL`]) | 1,024 | [`NodeBuilder::local_queue`] |
//! | packets waiting for a name, in a node that holds them | 1,024, and 1 MiB, for 10 s | [`HoldLimits`] |
//! | bytes waiting for a destination of a relay | 1 MiB | [`Relay::queue`] |
//! | packets waiting in a pacer | 1,024, and 1 MiB | [`Pacer::capacity`], [`Pacer::bytes`] |
//! | bundles waiting for their time | 65,536, and 64 MiB; a quarter of it per peer | [`ScheduleLimits`] |
//! | how far ahead a bundle may lie | 7 days | [`ScheduleLimits`] |
//!
//! # Panics
//!
//! No byte of a peer makes this crate panic. A handler that panics is counted and traced, and the
//! server goes on (unless the program is built with `panic = "abort"`).
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod channel;
mod client;
mod codec;
mod dispatch;
mod error;
pub mod guide;
mod lock;
mod middleware;
mod node;
mod packet;
mod pattern;
mod schedule;
mod server;
mod tools;
mod types;
mod wire;

pub use bytes::{self, Bytes};
#[cfg(feature = "regex")]
pub use regex;

#[cfg(all(unix, feature = "net"))]
pub use channel::UnixDatagramOptions;
#[cfg(feature = "net")]
pub use channel::{
    Broadcast, Endpoint, EndpointError, HostPort, HostPortError, Interface, IpFamily, Multicast, PeerNames,
    Scheme, Udp, UdpMonitor, UdpStats,
};
pub use channel::{
    BroadcastReport, Channel, ConnectionEvent, ConnectionEvents, Delivery, Disconnect, Listener, Outlet,
    Refusal, StreamOptions, Verdict,
};
pub use client::{
    Client, ClientState, ClientStates, ClientSubscription, Connect, Reconnecting, Request, RequestError,
};
#[cfg(feature = "net")]
pub use client::{FanOut, SendReport};
pub use codec::{
    Codec, Datagram, Detect, FrameError, FrameErrorKind, Framing, IntoFrame, LengthPrefix, LikelyCause,
    MAX_DATAGRAM, MAX_FRAME, ReadPacket, Slip,
};
pub use dispatch::{
    Args, Budget, CaptureError, Captures, ChannelName, Context, Extra, Extract, FromCapture, FromCaptures,
    FromContext, Function, Handler, Inbox, InboxHandler, IntoReply, Lane, Lateness, LiveRoutes, MatchedRoute,
    Meter, Post, Progress, ReceivedAt, Rejection, Replies, Reply, ReplyError, Returned, RouteGuard,
    RouteHandle, Router, State, Subscription, TypeTags,
};
#[cfg(feature = "encoding")]
pub use encoding_rs;
pub use error::Error;
#[cfg(feature = "encoding")]
pub use middleware::Transcode;
pub use middleware::{
    AddressTable, AddressTableError, AddressTableErrorKind, AllowedTypeTags, Checksum, Cipher, Dump,
    Envelope, EnvelopeBuilder, EnvelopeError, EnvelopeFault, Filtered, Flow, Middleware, ProtocolError,
    ReplayWindow, Signature, on_frame_in, on_frame_out, on_packet_in, on_packet_out,
};
#[cfg(feature = "crypto")]
pub use middleware::{ChaCha20Poly1305, Crc32, HmacSha256};
pub use node::{
    ALL, Destination, HeldCounts, HoldLimits, LOCAL, Node, NodeBuilder, NodeError, NodeHandle, NodeReport,
    SendOutcome, Targets, UnknownNames,
};
pub use packet::{
    AnnotatedDump, ArgsError, ArgsErrorKind, ArgsReader, Array, Bundle, BundleBuilder, BundleOf, BundleRef,
    ConnectionId, Elements, EncodeError, EncodeErrorKind, Exact, FromArgs, Impulse, IntoArgs, IntoElements,
    IntoPacket, LineReader, Message, MessageRef, Meta, Nil, Overflow, OwnedArgs, Packet, PacketRef,
    ParseLineError, ParseLineErrorKind, Peer, Rest, ScheduleId, SendError, SendErrorKind, Symbol,
    TimeOverrides,
};
#[cfg(feature = "serde")]
pub use packet::{SerdeError, from_args, to_args};
pub use pattern::{Pattern, PatternError, PatternErrorKind};
pub use schedule::{
    CapacityPolicy, Clock, HorizonPolicy, LateHandler, LatePolicy, LatenessHistogram, ManualClock, Precision,
    Reading, ScheduleCounters, ScheduleLimits, SystemClock, TimeOptions, TokioClock,
};
pub use server::{
    ChannelError, ChannelErrorKind, ChannelEvent, ChannelEventKind, ChannelEvents, ChannelStats,
    PendingBundle, Report, Server, ServerHandle, Shutdown, Stats,
};
#[cfg(feature = "net")]
pub use tools::{ClockEstimate, ClockSync, ClockSyncError, TimedSender};
pub use tools::{
    FrameLoop, InsideRuntime, Pacer, PacerCounts, PacerHandle, Relay, RelayCounts, RelayHandle, RelayedTo,
    Tick, Ticker,
};
pub use types::{
    Address, Arg, ArgRef, ArrayRef, Char, ClockOffset, Color, Midi, Text, TextBuf, TimeTag, TypeTag,
    TypeTagSet,
};
#[cfg(feature = "encoding")]
pub use types::{OnUnmappable, UnmappableText};
pub use wire::{
    AddressPolicy, ArgIter, ArgsWriter, DecodeError, DecodeErrorKind, DecodeOptions, HexDump,
    MissingTypeTags, Repairs, TextPolicy,
};

/// The program of the README, which must run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The guide for those who come from osc4py3: its lines must compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/from-osc4py3.md")]
pub struct FromOsc4py3;

/// The pages about devices and programs: their examples must compile, and run where they can.
#[cfg(doctest)]
mod device_pages {
    macro_rules! pages {
        ($($name:ident: $page:literal,)*) => {
            $(#[doc = include_str!(concat!("../docs/devices/", $page))] pub struct $name;)*
        };
    }
    pages! {
        Ableton: "ableton.md",
        AdmOsc: "adm-osc.md",
        Eos: "eos.md",
        OpenStageControl: "open-stage-control.md",
        Qlab: "qlab.md",
        SuperCollider: "supercollider.md",
        TouchOsc: "touchosc.md",
        Tuio: "tuio.md",
        VrChat: "vrchat.md",
        X32: "x32.md",
    }
}
