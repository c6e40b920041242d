//! Routing: messages, handlers and replies.
//!
//! A [`Router`] maps addresses and patterns to handlers: functions whose parameters are extractors
//! ([`FromContext`]) and whose result is the reply ([`IntoReply`]). [`on`] adds options to a route. A router
//! runs in a [`Server`](crate::Server), or in a test with [`call`](crate::Router::call):
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tokio_osc::dispatch::on;
//! use tokio_osc::{Args, Captures, Router, State};
//!
//! async fn note(hits: State<AtomicU32>, Captures(voice): Captures<u8>, Args(note): Args<i32>) {
//!     hits.fetch_add(1, Ordering::Relaxed);
//!     println!("voice {voice} plays {note}");
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let router = Router::with_state(AtomicU32::new(0))
//!     .route("/voice/*/note", on(note).instances(1..=8))   // `/voice/{1,3}/note` runs it twice
//!     .route("/hits", |hits: State<AtomicU32>| ("/hits", hits.load(Ordering::Relaxed) as i32));
//!
//! router.call(("/voice/{1,3}/note", 60)).await;
//! assert_eq!(router.call(("/hits", ())).await[0].to_string(), "/hits ,i 2");
//! # }
//! ```
//!
//! | topic | items |
//! | --- | --- |
//! | parameters | [`Args`], [`Captures`], [`State`], [`Extra`], [`MatchedRoute`], [`TypeTags`], [`Reply`], [`Message`](crate::Message), [`Address`](crate::Address), [`Meta`](crate::Meta), [`Peer`](crate::Peer), [`TimeTag`](crate::TimeTag), [`Bundle`](crate::Bundle), [`Rest`](crate::packet::Rest), `Option` and `Result` of them, and types of your own |
//! | where handlers run | one after the other; [`On::on_task`], [`On::latest`], [`On::concurrent`], [`On::blocking`], [`Lane`]; [`Inbox`] with a [`Budget`] |
//! | routes that change | [`LiveRoutes`], [`Subscription`] |
//! | what can be controlled | [`Namespace`], [`Method`], [`AboutArg`], [`Value`], [`Signature`] |
//! | errors | [`Rejection`], [`CaptureError`], [`ReplyError`] |

// rustdoc lists methods in the order of these modules: constructors come first.
mod router;

mod about;
mod blocking;
mod conditions;
mod context;
mod described;
mod extract;
mod handler;
mod inbox;
mod instances;
mod lane;
mod latest;
mod live;
mod mailbox;
mod method;
mod namespace;
mod on;
mod parameters;
mod process;
mod rejection;
mod replies;
mod reply;
mod reply_path;
mod route;
mod route_pattern;
mod router_call;
mod routes;
mod signature;
mod source_rate;
mod subscription;
mod table;
mod value;

#[cfg(feature = "regex")]
pub use regex;

pub use about::AboutArg;
pub use context::{Context, FromContext};
pub use extract::{Args, Captures, FromCapture, FromCaptures, FromState, State};
pub(crate) use handler::{Called, Outcome};
pub use inbox::{Inbox, InboxHandler, Post};
pub use instances::IntoInstances;
pub use lane::Lane;
pub(crate) use latest::Job;
pub use live::{LiveRoutes, RouteGuard, RouteHandle};
pub use method::Method;
pub use namespace::Namespace;
pub use on::{Handler, On, on};
pub use parameters::{Extra, MatchedRoute, TypeTags};
pub use process::{Budget, Meter, Progress};
pub use rejection::{CaptureError, Rejection};
pub use replies::{IntoReply, Replies};
pub use reply::Reply;
pub use reply_path::ReplyError;
pub(crate) use reply_path::{Limited, PacketBudget, ReplyChannel, ReplyLimits, ReplyPath, SharedOffset};
pub use router::Router;
pub use router_call::{CallReport, RouterCall};
pub(crate) use routes::{Cached, Call, DetachedCall, Dispatch, Lookup, Routes};
pub use signature::Signature;
pub(crate) use source_rate::SourceRate;
pub use subscription::Subscription;
pub(crate) use table::{Found, RouteId};
pub use value::Value;
