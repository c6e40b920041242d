//! Tools on top of clients and channels. They use only the public parts of the crate, as your own code could.
//!
//! | to | use |
//! |----|-----|
//! | forward packets | [`Relay`] |
//! | push packets to peers that subscribed | [`Subscribers`] |
//! | send no faster than the receiver can take | [`Pacer`] |
//! | send packets ahead of their time | [`Ticker`], `TimedSender` |
//! | measure the clock of another machine | `ClockSync` |
//! | run a server in your own loop | [`FrameLoop`] |
//!
//! ```
//! use tokio_osc::tools::Relay;
//! use tokio_osc::{Channel, Client};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stage = Channel::udp("127.0.0.1:0").await?;
//! let relay = Relay::new()
//!     .from("desk", Channel::udp("127.0.0.1:0").await?)
//!     .only("/lights/*")?
//!     .to("stage", Client::udp(stage.local_addr()?).await?)
//!     .spawn();
//! let stats = relay.shutdown().await;
//! assert_eq!(stats.received, 0);
//! # Ok(()) }
//! ```

#[cfg(feature = "net")]
mod clock_sync;
mod frame_loop;
mod guarded;
mod nanos;
mod pacer;
mod queue;
mod relay;
mod send_now;
mod subscribers;
mod ticker;
#[cfg(feature = "net")]
mod timed_sender;

#[cfg(feature = "net")]
pub use clock_sync::{ClockEstimate, ClockSync, ClockSyncError};
pub use frame_loop::{FrameLoop, InsideRuntime};
pub use pacer::{Pacer, PacerHandle, PacerStats};
pub use relay::{DestinationStats, Relay, RelayHandle, RelayStats};
pub use subscribers::{SubscribeError, Subscribers};
pub use ticker::{Tick, Ticker};
#[cfg(feature = "net")]
pub use timed_sender::TimedSender;
