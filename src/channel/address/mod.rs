//! Where to listen and where to send: hosts, interfaces, URLs and names.

mod endpoint;
pub(crate) mod host_port;
pub(crate) mod interface;
mod peer_names;

pub(crate) use endpoint::EndpointTarget;
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use host_port::{HostPort, HostPortError, IpFamily};
pub use interface::Interface;
pub use peer_names::PeerNames;
