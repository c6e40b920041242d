//! One policy for every bounded queue of packets.

/// What happens to a packet that finds a queue full: of a [`Lane`](crate::dispatch::Lane), the inbox of a
/// server, a subscription, a [`Reconnecting`](crate::client::Reconnecting) client, a
/// [`Relay`](crate::tools::Relay).
///
/// ```
/// use tokio_osc::dispatch::Lane;
/// use tokio_osc::packet::Overflow;
/// use tokio_osc::{Args, Router, on};
///
/// let meters = Lane::new(16).overflow(Overflow::DropOldest);
/// let router = Router::new().route("/meter/*", on(|Args(db): Args<f32>| println!("{db}")).on_lane(&meters));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// Its sender waits until there is room: nothing is lost here. Where the sender is dispatch, the
    /// routes behind wait as well, and when the server's inbox is full the operating system drops.
    #[default]
    Wait,
    /// The packet is dropped and counted; a send of it fails.
    DropNewest,
    /// The packet that has waited longest is dropped and counted. For values of which only the newest
    /// count.
    DropOldest,
}
