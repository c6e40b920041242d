//! The three ways to run: everything in the caller's loop, I/O in the background and handlers where
//! the owner polls, everything in the background.
#![cfg(feature = "net")]

mod background;
mod frame_loop;
mod inbox;

use std::net::{SocketAddr, UdpSocket};

use tokio_osc::packet::IntoPacket;

use crate::support::fed::{Item, item};
use crate::support::ms;

/// A sender that knows no runtime: over loopback a datagram has arrived when this returns.
fn send(to: SocketAddr, packet: impl IntoPacket) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(packet.into_packet().unwrap().as_bytes(), to).unwrap();
}
