//! Timed bundles: clocks, the queue of waiting bundles with its limits, and policies for late bundles.
//!
//! A [`Server`](crate::Server) holds bundles until their time tag. [`TimeOptions`] set how time tags are
//! interpreted, [`ScheduleLimits`] limit how many bundles wait, and a [`Clock`] provides the time. The guide
//! has [an introduction](crate::guide::time).
//!
//! ```
//! use std::time::Duration;
//! use tokio_osc::schedule::{LatePolicy, ScheduleLimits, TimeOptions};
//! use tokio_osc::{Channel, Router, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let late = LatePolicy::DropLateArrivals(Duration::from_millis(50));
//! let server = Server::new(Router::new())
//!     .listen("udp", Channel::udp("127.0.0.1:0").await?)
//!     .time(TimeOptions::new().delay(Duration::from_millis(20)).late(late))
//!     .schedule(ScheduleLimits::default().horizon(Duration::from_secs(3_600)))
//!     .spawn();
//! let stats = server.shutdown().await;
//! assert_eq!((stats.late_dropped, stats.schedule.pending), (0, 0));
//! # Ok(()) }
//! ```

// No byte of a peer may reach a panic. Tests may: a panic is how they fail.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

// The queue is sans-IO: it is passed a `Reading` and does not use the runtime. Only `timer` sleeps.

mod alarm;
mod clock;
mod due;
mod entry;
mod lateness;
mod ledger;
mod limits;
mod options;
mod precision;
mod queue;
mod slots;
mod timer;

pub use clock::{Clock, ManualClock, Reading, SystemClock, TokioClock};
pub(crate) use due::Due;
pub(crate) use entry::{Entry, EntryId};
pub use lateness::LatenessHistogram;
pub use limits::{CapacityPolicy, HorizonPolicy, ScheduleLimits, ScheduleStats};
pub use options::{LateHandler, LatePolicy, TimeOptions};
pub use precision::Precision;
pub(crate) use queue::{Pending, Schedule};
pub(crate) use timer::Timer;
