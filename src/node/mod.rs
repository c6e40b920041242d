//! Destinations by name, groups of them, and the local router.
//!
//! A [`Node`] sends to names instead of addresses. It uses only the public parts of the crate, as your own
//! code could.
//!
//! ```
//! use tokio_osc::{Channel, Client, Node};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (dimmer, beamer) = (Channel::udp("127.0.0.1:0").await?, Channel::udp("127.0.0.1:0").await?);
//! let node = Node::new();
//! node.add("lights", Client::udp(dimmer.local_addr()?).await?)?;
//! node.add("video", Client::udp(beamer.local_addr()?).await?)?;
//! node.group("stage", ["lights", "video"])?;
//!
//! let report = node.send("stage", ("/scene", 3)).await?;
//! assert_eq!(report.to_string(), "lights: sent\nvideo: sent");
//! # Ok(()) }
//! ```

mod builder;
mod destination;
mod events;
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
pub use events::{NodeEvent, NodeEventKind};
pub use handle::NodeHandle;
pub use held::{HoldLimits, HoldStats, UnknownNames};
pub use node::Node;
pub use report::{NodeError, NodeReport};
pub use targets::{ALL, LOCAL, Targets};
