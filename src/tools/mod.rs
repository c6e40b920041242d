//! Things made of the crate's public parts alone, as users could.

#[cfg(feature = "net")]
mod clock_sync;
mod frame_loop;
mod nanos;
mod pacer;
mod queue;
mod relay;
mod ticker;
#[cfg(feature = "net")]
mod timed_sender;

#[cfg(feature = "net")]
pub use clock_sync::{ClockEstimate, ClockSync, ClockSyncError};
pub use frame_loop::{FrameLoop, InsideRuntime};
pub use pacer::{Pacer, PacerCounts, PacerHandle};
pub use relay::{Relay, RelayCounts, RelayHandle, RelayedTo};
pub use ticker::{Tick, Ticker};
#[cfg(feature = "net")]
pub use timed_sender::TimedSender;
