//! The one loop: channels in, handlers called, bundles held until due, replies out.
//!
//! A packet visits, in this order:
//!
//! 1. `sources`: reads the channels that were woken, in turn.
//! 2. `schedule`: a bundle runs now, waits for its time, or never runs. A message passes it by.
//! 3. `dispatch`: one packet to its routes.
//! 4. `call`: one handler call, and its replies, which leave by the channel's outlet.
//!
//! `core` is the loop that leads it through, and what that shares with the handle; `channels` is what is
//! known of a channel, and what closes it. A packet that is read while another one waits for its handler
//! waits in the `backlog`.

mod backlog;
mod budget;
mod call;
mod channels;
mod commands;
mod core;
mod dispatch;
mod events;
mod handle;
mod name;
mod options;
mod schedule;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod server;
mod shutdown;
mod sources;
mod stats;
mod waker;

pub use events::{ChannelEvent, ChannelEventKind, ChannelEvents};
pub use handle::{PendingBundle, ServerHandle};
pub use name::{ChannelError, ChannelErrorKind};
pub use server::Server;
pub use shutdown::Shutdown;
pub use stats::{ChannelStats, Report, Stats};
