//! UDP: to one, to a group, to all. Options that end in a verb, and the sockets behind them.

mod batch;
mod broadcast;
mod diverts;
mod drops;
mod fan_out;
mod framed;
mod intake;
mod link;
mod monitor;
mod multicast;
mod offload;
mod options;
mod packets;
mod sender;
mod unicast;

pub use broadcast::Broadcast;
pub use fan_out::{FanOut, SendReport};
pub(super) use link::{Link, check_peer};
pub use monitor::{UdpMonitor, UdpStats};
pub use multicast::Multicast;
pub(super) use packets::UdpPackets;
pub(super) use sender::UdpSender;
pub use unicast::Udp;
pub(super) use unicast::answers_from;
