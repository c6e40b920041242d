//! Sockets: what receives and sends packets. A channel is a `Stream`; a client sends.

mod client;
mod endpoint;
mod host;
mod interface;
mod peer_names;
mod request;
mod socket;
mod stream;
mod udp;

pub use client::Client;
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use host::{HostPort, HostPortError, IpFamily};
pub use interface::Interface;
pub use peer_names::PeerNames;
pub use request::{Request, RequestError};
pub use stream::Channel;
pub(crate) use stream::Outlet;
pub use udp::{Broadcast, FanOut, Multicast, SendReport, Udp, UdpMonitor, UdpStats};
