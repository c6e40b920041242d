//! Sockets and byte streams: what receives and sends packets. A channel is a `Stream`; a client
//! sends.

mod client;
mod connection;
mod connections;
#[cfg(feature = "net")]
mod drain;
#[cfg(feature = "net")]
mod endpoint;
mod events;
#[cfg(feature = "net")]
mod host;
mod hub;
#[cfg(feature = "net")]
mod interface;
mod link;
mod listener;
mod options;
mod outbox;
mod outlet;
#[cfg(feature = "net")]
mod peer_names;
#[cfg(feature = "net")]
mod recent;
mod reconnect;
mod registry;
mod request;
#[cfg(feature = "net")]
mod socket;
mod source;
mod stream;
mod subscription;
#[cfg(feature = "net")]
mod tcp;
mod throttle;
#[cfg(feature = "net")]
mod udp;
#[cfg(all(unix, feature = "net"))]
mod unix;
#[cfg(all(unix, feature = "net"))]
mod unix_datagram;

pub use client::Client;
pub use events::{ConnectionEvent, ConnectionEvents, Disconnect, Refusal};
pub use listener::Listener;
pub use options::{StreamOptions, Verdict};
pub use outbox::Delivery;
pub use outlet::{BroadcastReport, Outlet};
pub use reconnect::{ClientState, ClientStates, Connect, Reconnecting};
pub use request::{Request, RequestError};
pub use stream::Channel;
pub use subscription::ClientSubscription;
pub(crate) use throttle::Throttle;

#[cfg(feature = "net")]
pub use endpoint::{Endpoint, EndpointError, Scheme};
#[cfg(feature = "net")]
pub use host::{HostPort, HostPortError, IpFamily};
#[cfg(feature = "net")]
pub use interface::Interface;
#[cfg(feature = "net")]
pub use peer_names::PeerNames;
#[cfg(feature = "net")]
pub use udp::{Broadcast, FanOut, Multicast, SendReport, Udp, UdpMonitor, UdpStats};
#[cfg(all(unix, feature = "net"))]
pub use unix_datagram::UnixDatagramOptions;
