//! The one loop: channels in, handlers called, bundles held until due, answers out.

mod drive;
mod ground;
mod handle;
#[cfg(feature = "net")]
mod outlet;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod server;
mod stats;
mod unit;
mod wake;

pub use handle::ServerHandle;
pub use server::Server;
pub use stats::Stats;
