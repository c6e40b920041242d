//! The one loop: channels in, handlers called, bundles held until due, answers out.

mod admission;
mod channels;
mod drive;
mod events;
mod ground;
mod handle;
mod inlet;
mod intake;
mod name;
mod options;
mod orders;
mod outlet;
mod pending;
mod roster;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod server;
mod share;
mod shutdown;
mod stats;
mod times;
mod unit;
mod wake;

pub use events::{ChannelEvent, ChannelEventKind, ChannelEvents};
pub use handle::ServerHandle;
pub use name::{ChannelError, ChannelErrorKind};
pub use pending::PendingBundle;
pub use server::Server;
pub use shutdown::Shutdown;
pub use stats::{ChannelStats, Report, Stats};
