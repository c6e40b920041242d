//! A server that is fed from memory: what it is given, and how its end is waited for.
#![allow(dead_code, reason = "not every test uses all of it")]

use tokio_osc::packet::{DecodeError, IntoPacket};
use tokio_osc::server::Stats;
use tokio_osc::{Meta, Packet, Peer, ServerHandle};

/// What a channel gives.
pub(crate) type Item = (Result<Packet, DecodeError>, Meta);

/// A packet that comes from no other machine.
pub(crate) fn item(packet: impl IntoPacket) -> Item {
    from(Peer::LOCAL, packet)
}

/// A packet that comes from another machine.
pub(crate) fn remote(packet: impl IntoPacket) -> Item {
    from(Peer::from(([192, 0, 2, 1], 9_000)), packet)
}

pub(crate) fn from(peer: Peer, packet: impl IntoPacket) -> Item {
    (Ok(packet.into_packet().unwrap()), Meta::from_peer(peer))
}

/// The numbers of a server whose streams have ended, and all its handlers too: `shutdown` alone would
/// stop reading.
pub(crate) async fn ended(server: ServerHandle) -> Stats {
    server.wait().await;
    server.shutdown().await
}
