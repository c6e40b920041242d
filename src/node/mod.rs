//! Names on top: channels by name, groups of them, one's own router. Made of the crate's public
//! parts alone, as users could.

mod builder;
mod destination;
mod handle;
mod held;
mod local;
mod names;
#[allow(clippy::module_inception, reason = "the floor is called after its main type")]
mod node;
mod report;
mod targets;

pub use builder::NodeBuilder;
pub use destination::{Destination, SendOutcome};
pub use handle::NodeHandle;
pub use held::{HeldCounts, HoldLimits, UnknownNames};
pub use node::Node;
pub use report::{NodeError, NodeReport};
pub use targets::{ALL, LOCAL, Targets};
