//! Statistics of sent packets.

use crate::packet::{Peer, SendError};

/// The outcome of one packet for many peers. Returned by
/// [`Outlet::broadcast`](crate::channel::Outlet::broadcast) and `FanOut::send`.
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
    /// Peers to which the packet was sent; connections for which it was queued.
    pub sent: usize,
    /// Peers to which it was not sent, with the error: [`Full`](crate::packet::SendErrorKind::Full) for a
    /// connection whose queue is full.
    pub failed: Vec<(Peer, SendError)>,
    /// Peers for which the [`Middleware`](crate::middleware::Middleware) dropped it.
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

/// The counts of packets accepted by a reconnecting client. Returned by
/// [`Client::delivery`](crate::Client::delivery). At any time, `accepted = sent + dropped + queued`. Packets
/// of `on_connect` and `keep_alive` are not counted.
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
    /// Packets that a transport accepted whole.
    pub sent: u64,
    /// Of the sent packets, those on connections that then broke. At most this many were lost without an
    /// error.
    pub unconfirmed: u64,
    /// Packets that were certainly lost: the queue was full, or the framing could not hold them.
    pub dropped: u64,
    /// Packets that wait in the queue.
    pub queued: u64,
}
