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
//! # Sending
//!
//! A [`Client`] sends to one peer: over UDP, TCP, Unix sockets or any byte stream. What can be sent is anything
//! that is [`IntoPacket`](packet::IntoPacket): `(address, arguments)`, a [`Message`], a [`Bundle`]. Arguments are
//! Rust values; their type decides the OSC type, so `0.5` is a double and `0.5_f32` a float. A client is cheap to
//! clone, and has no task behind it. [`Client::reconnecting`] does, and keeps a bounded queue. See [`client`].
//!
//! # Routing
//!
//! A [`Router`] has routes: an address or a pattern, and a handler, which is a function or closure, `async` or not.
//! A received address may be a pattern too; a handler runs if the two share an address. [`on`] says more of a
//! route: type tags, an own task, the newest value only, names that fill captures. See [`dispatch`].
//!
//! ```
//! use tokio_osc::{Args, Captures, Router, on};
//!
//! let router = Router::new()
//!     .route("/mixer/*/gain", |Captures(channel): Captures<u8>, Args(db): Args<f32>| println!("{channel}: {db} dB"))
//!     .route("/meters", on(async |Args(levels): Args<Vec<f32>>| println!("{levels:?}")).latest());
//! # let _: Router = router;
//! ```
//!
//! # Extractors
//!
//! The parameters of a handler say what it needs: [`Args`], [`Captures`], [`State`], [`Reply`], [`Message`],
//! [`Meta`], [`Peer`] and more, in any order. A message that does not fit is rejected, counted and traced; it
//! never reaches the handler. Types of your own implement [`FromContext`](dispatch::FromContext).
//!
//! # Replies
//!
//! What a handler returns goes back to the sender, from the socket that received the message. A client waits for it
//! with [`request`](Client::request):
//!
//! ```
//! # use tokio_osc::{Args, Channel, Client, Router, Server};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
//! let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
//!
//! let client = Client::udp(server.local_addr("udp").expect("it listens")).await?;
//! let reply = client.request(("/ping", 7), "/pong").await?;
//! assert_eq!(reply.to_string(), "/pong ,i 7");
//! # server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Time
//!
//! A server holds a bundle with a time tag until its time has come, and runs its messages as one unit. Late, far
//! and equal tags have stated rules, clocks of peers can be offset, and a test drives the clock. See [`schedule`].
//!
//! # Transports
//!
//! [`Channel`] is a `Stream` of packets: UDP, multicast ([`Multicast`]), broadcast ([`Broadcast`]), TCP with
//! [`Slip`] or [`LengthPrefix`], Unix sockets, or any byte stream. Options stand with the transport ([`Udp`],
//! [`StreamOptions`](channel::StreamOptions)), or in a URL ([`Endpoint`]). See [`channel`]; for bare codecs,
//! [`codec`].
//!
//! # Middleware
//!
//! Layers see frames and packets on their way in and out: [`middleware`] has compression of addresses, signed and
//! encrypted envelopes, dumps, conversion of types, and hooks for layers of your own.
//!
//! # Running and shutting down
//!
//! [`Server::run`] runs in the caller's task, [`Server::spawn`] in its own; nothing runs before. A
//! [`ServerHandle`] adds and removes channels, shows numbers, and shuts down: it stops reading, lets handlers finish
//! and returns the last numbers. [Three models](guide::models) compares the ways to run, also without a thread.
//!
//! # Testing
//!
//! [`Router::call`] hands a packet to a router without a socket and returns the replies:
//!
//! ```
//! # use tokio_osc::{Args, Router};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
//! assert_eq!(router.call(("/ping", 7)).await[0].to_string(), "/pong ,i 7");
//! # }
//! ```
//!
//! [`testing`] runs a whole application in memory and in paused time, bundles that are due in an hour included:
//! [the guide](guide::testing) shows one.
//!
//! # How do I …
//!
//! | to | use |
//! |----|-----|
//! | answer the sender | the return value of a handler, or [`Reply`] for more than one answer |
//! | push to those that are connected | [`Outlet::broadcast`](channel::Outlet::broadcast), [`Outlet::send_to`](channel::Outlet::send_to) |
//! | send to many addresses | [`Client::to`], [`Multicast`], or names and groups: [`Node`] |
//! | share state | [`Router::with_state`], or [`Router::with_shared`] for an `Arc` that others have too |
//! | drop late bundles | [`LatePolicy`](schedule::LatePolicy) |
//! | keep only the newest value | [`On::latest`](dispatch::On::latest); for sending, [`Pacer`](tools::Pacer) |
//! | forward packets unchanged | [`Relay`](tools::Relay) |
//! | stop | [`ServerHandle::shutdown`] |
//! | find out why nothing happens | [`server`], "Nothing happens?" |
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
//! Ports are open to anything that can send a datagram, and nothing here grows without a bound.
//! [Limits](guide::limits) lists every limit with its default and how to set it.
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
mod throttle;
mod types;
mod user_function;
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
pub mod testing;
pub mod tools;

pub use bytes::{self, Bytes};

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
