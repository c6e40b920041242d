//! Open Sound Control for Tokio.
#![forbid(unsafe_code)]

mod schedule;
mod types;

pub use schedule::{
    CapacityPolicy, Clock, HorizonPolicy, ManualClock, Reading, ScheduleCounters, ScheduleLimits,
    SystemClock, TokioClock,
};
pub use types::{Address, Arg, ArgRef, ArrayRef, Char, Color, Midi, Text, TextBuf, TimeTag, TypeTag};
