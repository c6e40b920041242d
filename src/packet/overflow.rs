//! The overflow policy of bounded queues.

/// What happens to a packet when a queue is full. Used by [`Lane`](crate::dispatch::Lane), the inbox of a server,
/// [`Inbox`](crate::dispatch::Inbox), [`Reconnecting`](crate::client::Reconnecting) and
/// [`Relay`](crate::tools::Relay).
///
/// ```
/// use tokio_osc::dispatch::Lane;
/// use tokio_osc::packet::Overflow;
/// use tokio_osc::{Args, Router, on};
///
/// let meters = Lane::new(16).overflow(Overflow::DropOldest);
/// let router = Router::new()
///     .route("/meter/*", on(|Args(db): Args<f32>| println!("{db}")).on_lane(&meters));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The sender waits until there is room, so nothing is lost here. If the queue is that of a lane, later messages
    /// wait too; when the inbox of the server is full, the operating system drops packets.
    #[default]
    Wait,
    /// The packet is dropped and counted. Its send fails.
    DropNewest,
    /// The oldest packet is dropped and counted. For values of which only the newest matters.
    DropOldest,
}
