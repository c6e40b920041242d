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
//! | values | [`Message`], [`Bundle`], [`Packet`]; arguments by [`IntoArgs`] and [`FromArgs`], [`Arg`] and [`ArgRef`](packet::ArgRef); [`TimeTag`], [`Color`](packet::Color), [`Midi`](packet::Midi) |
//! | addresses | [`Address`], [`Pattern`] |
//! | sending | [`Client`]: [`udp`](Client::udp), [`tcp`](Client::tcp), [`reconnecting`](Client::reconnecting); [`Request`](client::Request), [`client::Subscription`]; [`FanOut`](client::FanOut); [`Outlet`](channel::Outlet) of a channel |
//! | receiving | [`Channel`], a `Stream`; [`Udp`], [`Multicast`], [`Broadcast`], [`Endpoint`], their options as a URL; [`StreamOptions`](channel::StreamOptions) and `UnixDatagramOptions`, limits and timeouts; [`Listener`](channel::Listener); [`Meta`] and [`Peer`] of each packet, [`PeerNames`](channel::PeerNames); or bare codecs: [`Datagram`](codec::Datagram), [`Codec`](codec::Codec) with [`Slip`], [`LengthPrefix`], [`Detect`](codec::Detect) or a [`Framing`](codec::Framing) of your own |
//! | between bytes and packets | [`Middleware`](middleware::Middleware), for channels, clients and bare codecs: [`Envelope`](middleware::Envelope) with a [`ReplayWindow`](middleware::ReplayWindow), [`AddressTable`](middleware::AddressTable), [`AllowedTypeTags`](middleware::AllowedTypeTags), `Transcode`, [`Dump`](middleware::Dump), [`on_packet_in`](middleware::on_packet_in) and its like, layers of your own |
//! | handling | [`Router`]; the extractors [`Args`], [`Captures`], [`State`], [`Extra`](dispatch::Extra), [`Meta`], [`Reply`], [`Message`] and those of [`FromContext`](dispatch::FromContext); [`IntoReply`]; [`Lane`](dispatch::Lane), [`LiveRoutes`](dispatch::LiveRoutes), [`Subscription`](dispatch::Subscription); [`Server`], [`ServerHandle`], [`Shutdown`] |
//! | running | [`Server::run`], [`Server::spawn`], [`FrameLoop`](tools::FrameLoop), [`Inbox`](dispatch::Inbox); [`Budget`](dispatch::Budget), [`Meter`](dispatch::Meter): see [three models](guide::models) |
//! | names | [`Node`]: channels by name, groups, [`LOCAL`](node::LOCAL), [`ALL`](node::ALL); [`Targets`](node::Targets), [`Destination`](node::Destination) |
//! | between | [`Relay`](tools::Relay) from channels to others, unchanged; [`Pacer`](tools::Pacer): a rate, and the latest value of each address |
//! | time | [`Clock`](schedule::Clock): [`SystemClock`](schedule::SystemClock), [`TokioClock`](schedule::TokioClock), [`ManualClock`](schedule::ManualClock); [`TimeOptions`](schedule::TimeOptions), [`ScheduleLimits`](schedule::ScheduleLimits), [`Precision`](schedule::Precision); [`Ticker`](tools::Ticker), [`TimedSender`](tools::TimedSender), [`ClockSync`](tools::ClockSync) |
//! | looking | [`Stats`](server::Stats), [`ServerStats`](server::ServerStats); [`ChannelEvents`](server::ChannelEvents), [`channel::Events`]; [`UdpMonitor`](channel::UdpMonitor), [`FilterStats`](middleware::FilterStats), [`Repairs`](packet::Repairs) |
//! | errors | [`Error`], their sum for `?`; [`EncodeError`](packet::EncodeError) is the caller's fault, [`DecodeError`](packet::DecodeError) the peer's, [`SendError`](packet::SendError) the transport's, [`FrameError`](codec::FrameError) the stream's; [`ArgsError`](packet::ArgsError), [`RequestError`](client::RequestError) |
//! | text | the canonical line: `Display` and `FromStr` of messages and packets, [`LineReader`](packet::LineReader); [`HexDump`](packet::HexDump), [`AnnotatedDump`](packet::AnnotatedDump) |
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
//! | `crypto` | ready-made functions for [`Envelope`](middleware::Envelope): `Crc32`, `HmacSha256`, `ChaCha20Poly1305` | no |
//! | `fine` | [`Precision::Fine`](schedule::Precision): timed bundles about 0.1 ms late at the median, instead of 1 ms | no |
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
//! | connections, and those of one address | 500, 64 | [`StreamOptions`](channel::StreamOptions) |
//! | time for a frame, for a write | 10 s | [`StreamOptions`](channel::StreamOptions) |
//! | time for the peer to close a connection that this side closes | 1 s | [`StreamOptions`](channel::StreamOptions) |
//! | bytes waiting for one connection | 1 MiB | [`StreamOptions`](channel::StreamOptions) |
//! | time to connect, of a reconnecting client | 10 s | |
//! | time for the reply to a request | 5 s | [`Request::timeout`](client::Request::timeout) |
//! | sources of a framed UDP socket, and bytes of an unfinished frame of one | 500, 64 KiB | [`Udp::max_sources`], [`Udp::max_unfinished`] |
//! | peers of a Unix datagram socket that can be answered | 500 | |
//! | names of peers that were looked up | 1,024 | |
//! | depth of bundles and of arrays | 32 | [`DecodeOptions`](packet::DecodeOptions) |
//! | type tags per message | 65,536 | [`DecodeOptions`](packet::DecodeOptions) |
//! | elements per bundle | 16,384 | [`DecodeOptions`](packet::DecodeOptions) |
//! | address or pattern | 4,096 bytes, 128 parts | [`DecodeOptions`](packet::DecodeOptions); routes: fixed |
//! | handler calls per packet | 16,384 | [`Server::max_calls`] |
//! | steps of matching per packet | 33,554,432 | [`Server::max_steps`] |
//! | replies per packet | 64, and 64 KiB | |
//! | replies per source and second | no limit | [`Server::reply_rate`] |
//! | what an [`AddressTable`](middleware::AddressTable) adds to a packet | 1 MiB | [`AddressTable::max_growth`](middleware::AddressTable::max_growth) |
//! | packets waiting for a handler | 1,024 | [`Server::inbox`], [`Server::inbox_overflow`] |
//! | addresses waiting in a lane that keeps the newest message of each | 1,024 | [`Lane::latest`](dispatch::Lane::latest) |
//! | routes that one pattern with instances becomes | 4,096 | |
//! | calls or messages waiting in an [`Inbox`](dispatch::Inbox), a [`Lane`](dispatch::Lane), a [`Subscription`](dispatch::Subscription) | no default | the argument that makes it |
//! | messages waiting in a subscription of a client | 1,024, and 1 MiB | [`Subscription::limits`](client::Subscription::limits) |
//! | senders that a [`ReplayWindow`](middleware::ReplayWindow) remembers, and packets of one | 64, 1,024 | [`ReplayWindow::senders`](middleware::ReplayWindow::senders), [`ReplayWindow::packets`](middleware::ReplayWindow::packets) |
//! | events waiting for a reader, or for the router | 256 | |
//! | packets waiting for one's own router ([`LOCAL`](node::LOCAL)) | 1,024 | [`NodeBuilder::local_queue`](node::NodeBuilder::local_queue) |
//! | packets waiting for a name, in a node that holds them | 1,024, and 1 MiB, for 10 s | [`HoldLimits`](node::HoldLimits) |
//! | bytes waiting for a destination of a relay | 1 MiB | [`Relay::queue`](tools::Relay::queue) |
//! | packets waiting in a pacer | 1,024, and 1 MiB | [`Pacer::capacity`](tools::Pacer::capacity), [`Pacer::bytes`](tools::Pacer::bytes) |
//! | bundles waiting for their time | 65,536, and 64 MiB; a quarter of it per peer | [`ScheduleLimits`](schedule::ScheduleLimits) |
//! | how far ahead a bundle may lie | 7 days | [`ScheduleLimits`](schedule::ScheduleLimits) |
//!
//! # Panics
//!
//! No byte of a peer makes this crate panic. A handler that panics is counted and traced, and the
//! server goes on (unless the program is built with `panic = "abort"`).
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[macro_use]
mod readable;

mod error;
mod lock;
mod types;
mod wire;

pub mod channel;
pub mod client;
pub mod codec;
pub mod dispatch;
pub mod guide;
pub mod middleware;
pub mod node;
pub mod packet;
pub mod pattern;
pub mod schedule;
pub mod server;
pub mod tools;

pub use bytes::{self, Bytes};
#[cfg(feature = "encoding")]
pub use encoding_rs;
#[cfg(feature = "regex")]
pub use regex;

#[doc(inline)]
pub use channel::Channel;
#[doc(inline)]
#[cfg(feature = "net")]
pub use channel::{Broadcast, Endpoint, Multicast, Udp};
#[doc(inline)]
pub use client::Client;
#[doc(inline)]
pub use codec::{LengthPrefix, Slip};
#[doc(inline)]
pub use dispatch::{Args, Captures, IntoReply, Reply, Router, State, on};
#[doc(inline)]
pub use error::Error;
#[doc(inline)]
pub use node::Node;
#[doc(inline)]
pub use packet::{Arg, Bundle, FromArgs, IntoArgs, Message, Meta, Packet, Peer, TimeTag};
#[doc(inline)]
pub use pattern::{Address, Pattern};
#[doc(inline)]
pub use server::{Server, ServerHandle, Shutdown};

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
