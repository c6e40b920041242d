//! Sockets and byte streams: what receives and sends packets. A channel is a `Stream`; a client
//! sends.

mod client;
mod connection;
mod connections;
mod events;
mod hub;
mod link;
mod listener;
mod options;
mod outbox;
mod outlet;
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
#[cfg(feature = "net")]
mod udp;
#[cfg(all(unix, feature = "net"))]
mod unix;

pub use client::Client;
pub use events::{ConnectionEvent, ConnectionEvents, Disconnect, Refusal};
pub use listener::Listener;
pub use options::{StreamOptions, Verdict};
pub use outbox::Delivery;
pub use outlet::{Broadcast, Outlet};
pub use reconnect::{ClientState, ClientStates, Connect, QueuePolicy, Reconnecting};
pub use request::{Request, RequestError};
pub use stream::Channel;
pub use subscription::ClientSubscription;
