//! Timed bundles: what a time tag means against a clock, where a bundle waits, and the one timer
//! that says when.
//!
//! The queue is sans-IO: it is handed a [`Reading`] and knows no runtime. Only `timer` sleeps.

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
pub use limits::{CapacityPolicy, HorizonPolicy, ScheduleCounters, ScheduleLimits};
pub use options::{LateHandler, LatePolicy, TimeOptions};
pub use precision::Precision;
pub(crate) use queue::{Pending, Schedule};
pub(crate) use timer::Timer;
