//! One packet to many: encoded once.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

use crate::channel::SendReport;
use crate::channel::transport::Transport;
use crate::channel::transport::send;
use crate::channel::udp::UdpSocketState;
use crate::channel::udp::socket::check_peer;
use crate::lock::lock;
use crate::packet::{IntoPacket, Packet, SendError, append};

/// Sends each packet to many peers, encoded once. Created by [`Client::to`](crate::Client::to) and
/// [`Multicast::clients`](crate::Multicast::clients).
///
/// Cloning it increments a reference count.
///
/// ```
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let left = Channel::udp("127.0.0.1:0").await?;
/// let right = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(left.local_addr()?).await?;
///
/// let both = client.to([left.local_addr()?, right.local_addr()?])?;
/// let report = both.send(("/scene", 3)).await?;
/// assert_eq!(report.sent, 2);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FanOut {
    targets: Arc<[(Arc<UdpSocketState>, SocketAddr)]>,
    /// The buffer of the last send, to be reused.
    buffer: Arc<Mutex<BytesMut>>,
}

impl FanOut {
    pub(super) fn new(targets: Vec<(Arc<UdpSocketState>, SocketAddr)>) -> Self {
        Self { targets: targets.into(), buffer: Arc::default() }
    }

    /// Sends a packet to each peer, one after the other. If it cannot be sent to one peer, it is still sent to
    /// the others.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded. Nothing was sent then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet may have been sent to some of the peers, in their order.
    pub async fn send(&self, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        if self.has_middleware() {
            return Ok(self.send_filtered(&packet.into_packet()?).await);
        }
        let mut buffer = std::mem::take(&mut *lock(&self.buffer));
        buffer.clear();
        let encoded = append(&mut buffer, &packet);
        let frame = buffer.split().freeze();
        *lock(&self.buffer) = buffer;
        encoded?;
        let mut report = SendReport::default();
        for (state, peer) in self.targets.iter() {
            report.note((*peer).into(), send_to(state, &frame, *peer).await);
        }
        Ok(report)
    }

    /// The middleware may make another packet of it for each peer.
    async fn send_filtered(&self, packet: &Packet) -> SendReport {
        let mut report = SendReport::default();
        for (state, peer) in self.targets.iter() {
            match state.chain().write(packet.clone(), (*peer).into()) {
                Ok(Some(frame)) => report.note((*peer).into(), send_to(state, &frame, *peer).await),
                Ok(None) => report.filtered += 1,
                Err(error) => report.note((*peer).into(), Err(error.into())),
            }
        }
        report
    }

    fn has_middleware(&self) -> bool {
        self.targets.iter().any(|(state, _)| !state.chain().is_empty())
    }

    /// The peers, in the order in which they are sent to.
    pub fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        self.targets.iter().map(|(_, peer)| *peer)
    }
}

async fn send_to(state: &UdpSocketState, frame: &Bytes, peer: SocketAddr) -> Result<(), SendError> {
    check_peer(state.local, peer)?;
    send(state, frame, peer.into()).await
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FanOut").field(&self.peers().collect::<Vec<_>>()).finish()
    }
}
