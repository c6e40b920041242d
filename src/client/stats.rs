//! Counters of received packets, and the last packets that could not be decoded.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::lock::lock;
use crate::packet::{DecodeError, DecodeErrorKind, Peer};
use crate::throttle::Throttle;

/// Counters of the packets that a client received. Returned by [`Client::stats`](crate::Client::stats).
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let device = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
/// let client = Client::udp(device.local_addr()?).await?;
/// let port = client.local_addr()?.port();
/// device.send_to(b"pong", ("127.0.0.1", port)).await?;
///
/// let request = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(50));
/// // … within 50 ms; 1 packet from 127.0.0.1:9000 could not be read:
/// // neither a message nor a bundle, at byte 0
/// println!("{}", request.await.unwrap_err());
/// # assert_eq!(client.stats().malformed, 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// Packets received from the transport, including the following. For a client that uses the socket of a channel
    /// ([`Channel::client_to`](crate::Channel::client_to)), messages from its peer; the channel counts packets that
    /// cannot be decoded.
    pub received: u64,
    /// Packets that could not be decoded.
    pub malformed: u64,
    /// Frames over the limit of the framing, which were skipped.
    pub too_long: u64,
    /// Datagrams that were dropped because they came from another host than the peer's: see
    /// [`Udp::answers_from_anywhere`](crate::Udp::answers_from_anywhere).
    pub strangers: u64,
}

/// The same, while it is counted.
#[derive(Default)]
pub(super) struct ClientCounters {
    received: AtomicU64,
    faults: Mutex<ClientFaults>,
    throttle: Throttle,
}

/// Packets that were received and not delivered. Requests compare two snapshots.
#[derive(Clone, Copy, Default)]
pub(super) struct ClientFaults {
    malformed: u64,
    last_malformed: Option<(Peer, DecodeError)>,
    too_long: u64,
    /// The limit that the last one exceeded.
    limit: usize,
    strangers: u64,
    last_stranger: Option<Peer>,
}

impl ClientCounters {
    pub(super) fn received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    pub(super) fn stranger(&self, peer: Peer) {
        let mut faults = lock(&self.faults);
        faults.strangers += 1;
        faults.last_stranger = Some(peer);
        drop(faults);
        if let Some(suppressed) = self.throttle.pass() {
            tracing::debug!(target: "tokio_osc::client", %peer, suppressed, "datagram from another host");
        }
    }

    pub(super) fn unreadable(&self, error: DecodeError, peer: Peer) {
        let mut faults = lock(&self.faults);
        if error.kind() == DecodeErrorKind::FrameTooLong {
            faults.too_long += 1;
            // A framing gives up a frame at its limit.
            faults.limit = error.offset();
        } else {
            faults.malformed += 1;
            faults.last_malformed = Some((peer, error));
        }
        drop(faults);
        if let Some(suppressed) = self.throttle.pass() {
            tracing::debug!(target: "tokio_osc::client", %peer, %error, suppressed, "malformed packet");
        }
    }

    pub(super) fn faults(&self) -> ClientFaults {
        *lock(&self.faults)
    }

    pub(super) fn stats(&self) -> ClientStats {
        let ClientFaults { malformed, too_long, strangers, .. } = self.faults();
        ClientStats { received: self.received.load(Relaxed), malformed, too_long, strangers }
    }
}

impl ClientFaults {
    /// Those that came after these.
    pub(super) fn since(self, earlier: &Self) -> Self {
        Self {
            malformed: self.malformed - earlier.malformed,
            too_long: self.too_long - earlier.too_long,
            strangers: self.strangers - earlier.strangers,
            ..self
        }
    }
}

/// A part of an error for each kind, with `; ` before it. Nothing, if there are none.
impl fmt::Display for ClientFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (1.., Some((peer, error))) = (self.malformed, self.last_malformed) {
            write!(f, "; {} from {peer} could not be read: {error}", counted(self.malformed, "packet"))?;
        }
        if self.too_long > 0 {
            let frames =
                if self.too_long == 1 { "a frame".to_owned() } else { counted(self.too_long, "frame") };
            let were = if self.too_long == 1 { "was" } else { "were" };
            write!(f, "; {frames} over the limit of {} bytes {were} skipped", self.limit)?;
        }
        if let (1.., Some(peer)) = (self.strangers, self.last_stranger) {
            let datagrams = counted(self.strangers, "datagram");
            write!(f, "; {datagrams} from {peer} not taken: see `Udp::answers_from_anywhere`")?;
        }
        Ok(())
    }
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
