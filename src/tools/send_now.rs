//! Sends a packet to one peer of a channel without waiting.

use futures::FutureExt;
use tokio::task::unconstrained;

use crate::channel::Outlet;
use crate::packet::{SendError, SendErrorKind};
use crate::{Packet, Peer};

/// Sends a packet without waiting. Returns `Full` if that would wait.
pub(super) fn send_now(outlet: &Outlet, peer: Peer, packet: &Packet) -> Result<(), SendError> {
    // Polled once, and without Tokio's budget for a task, which would look like a full queue.
    let sent = unconstrained(outlet.send_to(peer, packet)).now_or_never();
    sent.unwrap_or_else(|| Err(SendErrorKind::Full.into()))
}
