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
    targets: Arc<[Target]>,
    /// The buffer of the last send, to be reused.
    buffer: Arc<Mutex<BytesMut>>,
}

/// A peer, and the socket that sends to it.
type Target = (Arc<UdpSocketState>, SocketAddr);

/// Maximum number of addresses of one system call.
const MOST: usize = 128;

impl FanOut {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        Self { targets: targets.into(), buffer: Arc::default() }
    }

    /// Sends a packet to each peer, in order. If it cannot be sent to one peer, it is still sent to the others. On
    /// Linux, up to 128 datagrams leave in one system call.
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
        let mut left = &*self.targets;
        while let Some((state, _)) = left.first() {
            // As in `send`: sends that never wait would otherwise never yield.
            tokio::task::coop::consume_budget().await;
            let together = together(left);
            let sent = state.try_send_to_each(&frame, &together);
            report.sent += sent;
            left = &left[sent..];
            if sent > 0 {
                continue;
            }
            // None was sent. Sent by itself, each waits, or returns its own error.
            let (alone, rest) = left.split_at(together.len().max(1));
            for (state, peer) in alone {
                report.note((*peer).into(), send_to(state, &frame, *peer).await);
            }
            left = rest;
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

/// Returns the addresses at the start that one system call can send to: those of the first socket that it reaches.
fn together(targets: &[Target]) -> Vec<SocketAddr> {
    let Some((first, _)) = targets.first() else { return Vec::new() };
    let reached =
        |(state, peer): &&Target| Arc::ptr_eq(state, first) && check_peer(state.local, *peer).is_ok();
    targets.iter().take(MOST).take_while(reached).map(|(_, peer)| *peer).collect()
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
