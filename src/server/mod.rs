//! The one loop: channels in, handlers called, bundles held until due, answers out.

mod admission;
mod drive;
mod ground;
mod handle;
mod outlet;
mod pending;
#[expect(clippy::module_inception, reason = "the type that the floor is named after")]
mod server;
mod share;
mod stats;
mod throttle;
mod times;
mod unit;
mod wake;

pub use handle::ServerHandle;
pub use pending::PendingBundle;
pub use server::Server;
pub use stats::Stats;
