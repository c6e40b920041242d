//! Sockets: what receives and sends packets. A channel is a `Stream`; a client sends.

mod client;
mod request;
mod socket;
mod stream;
mod udp;

pub use client::Client;
pub use request::{Request, RequestError};
pub use stream::Channel;
pub(crate) use stream::Outlet;
