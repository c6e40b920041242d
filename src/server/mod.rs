//! The server: reads channels and calls the handlers of a router, in one task.
//!
//! A [`Server`] does nothing until [`run`](Server::run) or [`spawn`](Server::spawn). Then it handles one
//! packet after the other, in the order of arrival, runs bundles at their time tags, and reads on while a
//! handler is pending.
//!
//! ```
//! use tokio_osc::{Args, Channel, Client, Router, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
//! let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
//!
//! let client = Client::udp(server.local_addr("udp").expect("it listens")).await?;
//! assert_eq!(client.request(("/ping", 7), "/pong").await?.parse::<i32>()?, 7);
//!
//! let stats = server.shutdown().await;
//! assert_eq!((stats.received, stats.handled, stats.replies), (1, 1, 1));
//! # Ok(()) }
//! ```
//!
//! | topic | items |
//! | --- | --- |
//! | while it runs | [`ServerHandle`]: channels added and removed, pending bundles, subscriptions |
//! | shutdown | [`Shutdown`], [`Server::with_graceful_shutdown`], [`ServerHandle::wait`] |
//! | observing | [`Stats`], [`ServerStats`], [`ChannelEvents`], and `tracing` |
//!
//! # Nothing happens?
//!
//! A message without a matching route, or with arguments that do not fit its handler, is only counted. To see
//! it:
//!
//! - `tracing` at the level DEBUG, target `tokio_osc::dispatch`: `unmatched` and `rejected`, each with address,
//!   peer, channel and reason, at most one line a second for each route or kind of address. The `Err` of a
//!   handler is a WARN.
//! - `tracing` at the level ERROR, target `tokio_osc::panics`: the name of a function of the program, other than a
//!   handler, that panicked.
//! - [`ServerHandle::stats`]: `received`, `unmatched`, `rejected`, `failed`, `malformed`.
//! - [`Router::on_reject`](crate::Router::on_reject) and [`Router::fallback`](crate::Router::fallback).
//!
//! # Inside
//!
//! A packet passes these files, in this order:
//!
//! 1. `sources`: reads the channels that were woken, in turn.
//! 2. `schedule`: a bundle runs now, waits for its time, or never runs. A message passes it by.
//! 3. `dispatch`: one packet to its routes.
//! 4. `call`: one handler call, and its replies, which leave by the channel's outlet.
//!
//! `core` is the loop, and the state that it shares with the handle; `channels` is the state of a channel,
//! and determines when it is closed. A packet that is read while another one waits for its handler is queued
//! in the `backlog`.

// rustdoc lists methods in the order of these modules: constructors come first.
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod server;

mod backlog;
mod budget;
mod call;
mod channels;
mod clock_watch;
mod commands;
mod core;
mod dispatch;
mod events;
mod guarded_clock;
mod handle;
mod name;
mod options;
mod schedule;
mod shutdown;
mod sources;
mod stats;
mod throttles;
mod waker;

pub use events::{ChannelEvent, ChannelEventKind, ChannelEvents};
pub use handle::{PendingBundle, ServerHandle};
pub use name::{ChannelError, ChannelErrorKind};
pub use server::Server;
pub use shutdown::Shutdown;
pub use stats::{ChannelStats, ServerStats, Stats};
