//! What became of packets, in numbers.

/// What became of a packet for all: what [`Outlet::broadcast`](crate::channel::Outlet::broadcast) returns.
///
/// ```
/// use tokio_osc::{Channel, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let report = channel.broadcast(("/news", 7))?;
/// assert_eq!(report.queued, 0, "nobody is connected");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastReport {
    /// Connections that it was queued for.
    pub queued: usize,
    /// Connections that miss it: their queue is full.
    pub missed: usize,
    /// Connections that the [`Middleware`](crate::middleware::Middleware) has kept it from.
    pub filtered: usize,
}

/// What became of the packets that a reconnecting client has accepted: what
/// [`Client::delivery`](crate::Client::delivery) returns. At any time, `accepted = sent + dropped +
/// queued`. The packets of `on_connect` and `keep_alive` are not counted.
///
/// ```
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::reconnecting("127.0.0.1:9000", Slip::new()).spawn()?;
/// client.send(("/scene", 3)).await?;
/// let delivery = client.delivery().expect("it is a reconnecting client");
/// assert_eq!((delivery.accepted, delivery.queued), (1, 1));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Packets whose send succeeded.
    pub accepted: u64,
    /// Packets that were handed to a transport whole.
    pub sent: u64,
    /// Of those sent, the ones on connections that then broke: at most so many were lost unseen.
    pub unconfirmed: u64,
    /// Packets that were lost for certain: the queue was full, or the framing could not hold them.
    pub dropped: u64,
    /// Packets that wait.
    pub queued: u64,
}
