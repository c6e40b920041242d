//! UDP: unicast, multicast and broadcast. Options, and their sockets.

mod broadcast;
#[cfg_attr(not(target_os = "linux"), path = "drops_unknown.rs")]
mod drops;
mod framed;
mod late_replies;
mod monitor;
mod multicast;
pub(crate) mod offload;
pub(crate) mod options;
mod receive;
pub(crate) mod receive_loop;
pub(crate) mod recent;
pub(crate) mod send;
mod shared_clients;
pub(crate) mod socket;
mod unicast;

pub use broadcast::Broadcast;
pub use monitor::{UdpMonitor, UdpStats};
pub use multicast::Multicast;
pub(crate) use shared_clients::TakeMessage;
pub(crate) use socket::UdpSocketState;
pub use unicast::Udp;
