//! Open Sound Control (OSC 1.0 and 1.1) for Tokio: typed handlers, timed bundles, replies, clients and servers.
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
//!     .route("/ping", |Args(n): Args<i32>| ("/pong", n));  // returns a reply
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
//! Codecs turn bytes into a `Stream` of packets. The packets feed an async dispatcher, which holds each timed bundle
//! until it is due. Each layer can be used without the layers above it.
//!
//! New here? [Getting started](guide::getting_started) is the first page of the [guide].
//!
//! # Sending
//!
//! A [`Client`] sends to one peer. It sends anything that implements [`IntoPacket`](packet::IntoPacket): an
//! `(address, arguments)` tuple, a [`Message`] or a [`Bundle`].
//!
//! ```
//! # use tokio_osc::{Bundle, Client};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let client = Client::udp("127.0.0.1:9000").await?;
//! client.send(("/mixer/1/gain", -6.0_f32)).await?;
//! let bundle = Bundle::immediately().with(("/mixer/1/mute", true)).with(("/mixer/2/mute", false));
//! client.send(bundle).await?;
//! # Ok(()) }
//! ```
//!
//! The type of an argument in Rust is its type in OSC: `0.5_f32` is a float32, a plain `0.5` a float64, which many
//! programs ignore. A client is cheap to clone and has no task behind it. Only [`Client::reconnecting`] has a task and a
//! bounded queue. See [`client`].
//!
//! # Routing
//!
//! A [`Router`] maps addresses and patterns to handlers. A handler is a function or closure, `async` or not. The address
//! of a received message may be a pattern too: a handler runs if the two have an address in common. [`on`] adds options
//! to a route: type tags, a task of its own, only the newest value.
//!
//! ```
//! use tokio_osc::{Args, Captures, Router, on};
//!
//! fn gain(Captures(channel): Captures<u8>, Args(db): Args<f32>) {
//!     println!("channel {channel}: {db} dB");
//! }
//!
//! async fn meters(Args(levels): Args<Vec<f32>>) {
//!     println!("{levels:?}");
//! }
//!
//! let router = Router::new()
//!     .route("/mixer/*/gain", gain)
//!     .route("/meters", on(meters).latest());
//! # let _: Router = router;
//! ```
//!
//! See [`dispatch`] and [patterns](guide::patterns).
//!
//! # Extractors
//!
//! Each parameter of a handler is an extractor, in any order: [`Args`], [`Captures`], [`State`], [`Reply`],
//! [`Message`], [`Meta`], [`Peer`] and more. A message that does not fit is rejected, counted and traced, and the handler
//! is not called.
//!
//! ```
//! # use tokio_osc::{Args, Peer, Router, State};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! fn greet(State(hello): State<String>, Args(name): Args<String>, from: Peer) {
//!     println!("{hello} {name} at {from}");
//! }
//!
//! let router = Router::with_state("hello".to_owned()).route("/greet", greet);
//! assert_eq!(router.call(("/greet", "Ada")).report().await.handled, 1);
//! assert_eq!(router.call(("/greet", 7)).report().await.rejected.len(), 1);
//! # }
//! ```
//!
//! Your own types implement [`FromContext`](dispatch::FromContext). See [handlers](guide::handlers).
//!
//! # Replies
//!
//! The return value of a handler goes to the sender, by the socket that received the message. A client awaits it with
//! [`request`](Client::request):
//!
//! ```
//! # use tokio_osc::{Args, Channel, Client, Router, Server};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
//! let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
//!
//! let client = Client::udp(server.local_addr("udp").expect("the channel is open")).await?;
//! let reply = client.request(("/ping", 7), "/pong").await?;
//! assert_eq!(reply.to_string(), "/pong ,i 7");
//! # server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Time
//!
//! A server holds a bundle until its time tag and runs its messages as one unit. Late bundles run, are dropped or go to
//! a function. The clocks of peers can be offset, and tests control the clock.
//!
//! ```
//! # use std::time::Duration;
//! # use tokio_osc::schedule::{LatePolicy, TimeOptions};
//! # use tokio_osc::{Router, Server};
//! let late = LatePolicy::DropLateArrivals(Duration::from_millis(50));
//! let server = Server::new(Router::new()).time(TimeOptions::new().late(late));
//! # drop(server);
//! ```
//!
//! See [`schedule`], and [the guide](guide::time) for a picture.
//!
//! # Transports
//!
//! A [`Channel`] is a `Stream` of packets: UDP, multicast ([`Multicast`]), broadcast ([`Broadcast`]), TCP with
//! [`Slip`] or [`LengthPrefix`] framing, Unix sockets, or any byte stream. [`Udp`] and
//! [`StreamOptions`](channel::StreamOptions) hold the options, and an [`Endpoint`] is a URL.
//!
//! ```
//! # use tokio_osc::{Channel, Endpoint, Router, Server, Slip, Udp};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let server = Server::new(Router::new())
//!     .listen("udp", Udp::new("127.0.0.1:0").receive_buffer(1 << 20).bind().await?)
//!     .listen("tcp", Channel::tcp("127.0.0.1:0", Slip::new()).await?)
//!     .listen("url", "osc.tcp://127.0.0.1:0/".parse::<Endpoint>()?.bind().await?);
//! # drop(server);
//! # Ok(()) }
//! ```
//!
//! See [`channel`], [transports](guide::transports), and [`codec`] for bare codecs.
//!
//! # Middleware
//!
//! Middleware sees frames and packets in both directions. [`middleware`] has dumps, conversion of types, compression of
//! addresses, signed and encrypted envelopes, and hooks for your own layers.
//!
//! ```
//! # use tokio_osc::middleware::Dump;
//! # use tokio_osc::Udp;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let dump = Dump::to_tracing().raw_in().packets_out();
//! let channel = Udp::new("127.0.0.1:0").middleware(dump).bind().await?;
//! # drop(channel);
//! # Ok(()) }
//! ```
//!
//! # Running and shutting down
//!
//! A server does nothing before [`Server::run`], which runs in the caller's task, or [`Server::spawn`], which runs in its
//! own. A [`ServerHandle`] adds and removes channels, returns statistics and shuts down: the server stops reading, lets
//! handlers finish and returns the last statistics.
//!
//! ```
//! # use std::time::Duration;
//! # use tokio_osc::{Channel, Router, Server, Shutdown};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let server = Server::new(Router::new())
//!     .listen("udp", Channel::udp("127.0.0.1:0").await?)
//!     .with_graceful_shutdown(tokio::time::sleep(Duration::from_millis(10)))  // or ctrl_c()
//!     .on_shutdown(Shutdown::new().deadline(Duration::from_secs(5)));
//! server.run().await;
//! # Ok(()) }
//! ```
//!
//! See [`server`]. [Three ways to run](guide::models) compares the alternatives, one of them without a thread.
//!
//! # Testing
//!
//! [`Router::call`] passes a packet to a router without a socket and returns the replies:
//!
//! ```
//! # use tokio_osc::{Args, Router};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
//! assert_eq!(router.call(("/ping", 7)).await[0].to_string(), "/pong ,i 7");
//! # }
//! ```
//!
//! [`testing`] runs a whole application in memory and in paused time, timed bundles included. The guide has
//! [an example](guide::testing).
//!
//! # How do I …
//!
//! | to | use |
//! |----|-----|
//! | reply to the sender | the return value of a handler; [`Reply`] to answer later or more than once |
//! | wait for a reply | [`Client::request`], with a timeout and retries |
//! | receive what a peer pushes | [`Client::subscribe`] |
//! | push to subscribers | [`Outlet::broadcast`](channel::Outlet::broadcast) to all connections, [`Outlet::send_to`](channel::Outlet::send_to) to one peer; [`Subscribers`](tools::Subscribers) over UDP |
//! | send to a multicast group, or to many addresses | [`Multicast`]; [`Client::to`]; by name with a [`Node`] |
//! | connect again after a failure | [`Client::reconnecting`]; with routes, [`Channel::reconnecting`] |
//! | share state with handlers | [`Router::with_state`]; [`Router::with_shared`] for an `Arc` that others use too |
//! | keep state on one thread | [`Inbox`](dispatch::Inbox), [`FrameLoop`](tools::FrameLoop) |
//! | keep a slow handler from delaying others | [`On::on_task`](dispatch::On::on_task); [`On::blocking`](dispatch::On::blocking) if it blocks its thread |
//! | keep only the newest value | [`On::latest`](dispatch::On::latest); for sending, [`Pacer`](tools::Pacer) |
//! | run something at a precise time | [`Bundle::at`], [`Precision`](schedule::Precision), [`Ticker`](tools::Ticker) |
//! | drop late bundles | [`LatePolicy`](schedule::LatePolicy) |
//! | forward packets unchanged | [`Relay`](tools::Relay) |
//! | sign or encrypt | [`Envelope`](middleware::Envelope) |
//! | add routes while the server runs | [`Router::live`] |
//! | stop | [`ServerHandle::shutdown`], [`Server::with_graceful_shutdown`] |
//! | test | [`Router::call`], [`testing`] |
//! | find out why nothing happens | [Nothing happens?](server#nothing-happens), [getting started](guide::getting_started#nothing-happens) |
//!
//! # Features
//!
//! | feature | adds | default |
//! |---------|------|---------|
//! | `net` | sockets: UDP, multicast, broadcast, TCP, Unix; without it, [`Channel::io`] and [`Client::io`] over any byte stream | yes |
//! | `regex` | `Router::route_regex` | no |
//! | `serde` | `Serialize` and `Deserialize` for arguments, messages and bundles; structs as arguments | no |
//! | `encoding` | text in any charset: `Text::decode`, `TextBuf::encode`, `Transcode` | no |
//! | `crypto` | ready-made functions for [`Envelope`](middleware::Envelope): `Crc32`, `HmacSha256`, `ChaCha20Poly1305` | no |
//! | `fine` | [`Precision::Fine`](schedule::Precision): timed bundles about 0.1 ms late at the median, instead of 1 ms | no |
//! | `batch` | `Udp::batch`: many datagrams in one system call (Linux) | no |
//! | `serial` | `channel::Serial`: serial lines to microcontrollers | no |
//! | `cli` | the command line tool `osc` | no |
//!
//! # Limits
//!
//! A port is open to anything that can send a datagram, so every queue, table and packet has a limit.
//! [Limits](guide::limits) lists them with their defaults. [Security](guide::security) says what to do about an open
//! port.
//!
//! # Panics
//!
//! No input from a peer makes this crate panic. A handler that panics is counted and traced, and the server goes on,
//! unless the program is built with `panic = "abort"`.
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

/// The program in the README runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The examples on the pages about devices and programs compile, and run where they can.
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
