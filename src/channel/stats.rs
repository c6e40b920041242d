//! What became of packets, in numbers.

use crate::packet::{Peer, SendError};

/// What became of one packet for many: what [`Outlet::broadcast`](crate::channel::Outlet::broadcast) and
/// `FanOut::send` return.
///
/// ```
/// use tokio_osc::{Channel, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let report = channel.broadcast(("/news", 7))?;
/// for (peer, error) in &report.failed {
///     eprintln!("{peer}: {error}");
/// }
/// assert_eq!(report.sent, 0, "there are no connections");
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SendReport {
    /// Peers that it was sent to, or queued for, where the peers are connections.
    pub sent: usize,
    /// Those that it was not sent to, and why: [`Full`](crate::packet::SendErrorKind::Full) for a connection
    /// whose queue is full.
    pub failed: Vec<(Peer, SendError)>,
    /// Peers that the [`Middleware`](crate::middleware::Middleware) has kept it from.
    pub filtered: usize,
}

impl SendReport {
    pub(crate) fn note(&mut self, peer: Peer, sent: Result<(), SendError>) {
        match sent {
            Ok(()) => self.sent += 1,
            Err(error) => self.failed.push((peer, error)),
        }
    }
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
