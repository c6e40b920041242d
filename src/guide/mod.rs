//! The guide: longer pages on how to use this crate.
//!
//! Start here:
//!
//! - [Getting started](getting_started): a server, a client, and what to do when nothing happens.
//! - [Handlers](handlers): extractors, state, replies, and where handlers run.
//! - [Addresses and patterns](patterns): which messages a route receives.
//! - [Time](time): time tags, lateness, precision, and the clocks of two machines.
//! - [Transports](transports): UDP, TCP, multicast, Unix sockets, reconnecting.
//! - [Middleware](middleware): look at packets on their way, change them, drop them.
//! - [Three ways to run](models): in your own loop, where your state is, or in the background.
//!
//! Before a program goes into service:
//!
//! - [Testing](testing): a whole application in memory, in paused time.
//! - [Security](security): what to do about an open port.
//! - [Performance](performance): what to do when it must be faster.
//! - [Limits](limits): every limit, its default, and how to set it.
//!
//! If you know another library: [rosc](from_rosc), [python-osc](from_python_osc), [liblo](from_liblo),
//! [osc4py3](from_osc4py3).
//!
//! If you want to read or change the source: [architecture].

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("handlers.md")]
pub mod handlers {}

#[doc = include_str!("patterns.md")]
pub mod patterns {}

#[doc = include_str!("time.md")]
pub mod time {}

#[doc = include_str!("transports.md")]
pub mod transports {}

#[doc = include_str!("middleware.md")]
pub mod middleware {}

#[doc = include_str!("../../docs/models.md")]
pub mod models {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("performance.md")]
pub mod performance {}

#[doc = include_str!("../../docs/limits.md")]
pub mod limits {}

#[doc = include_str!("from_rosc.md")]
pub mod from_rosc {}

#[doc = include_str!("from_python_osc.md")]
pub mod from_python_osc {}

#[doc = include_str!("from_liblo.md")]
pub mod from_liblo {}

#[doc = include_str!("../../docs/from-osc4py3.md")]
pub mod from_osc4py3 {}

#[doc = include_str!("../../docs/architecture.md")]
pub mod architecture {}
