//! Addresses to listen on and to send to: hosts, interfaces, URLs and names.

mod endpoint;
pub(crate) mod host_port;
pub(crate) mod interface;
mod peer_names;

pub use endpoint::{Endpoint, EndpointError, Scheme};
pub(super) use endpoint::{Location, Query};
pub use host_port::IpFamily;
pub use interface::Interface;
pub use peer_names::PeerNames;
