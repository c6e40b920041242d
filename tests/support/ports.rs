//! Ports for peers that start later.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses a part of it")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// A port that nothing listens at, over UDP and TCP, for a peer that starts later.
///
/// It lies below the ports that the operating system gives out by itself. One of those could be taken
/// by any other socket of the machine before the peer starts, even by the socket that tries to reach it.
pub fn unused_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test binaries that run at the same time begin at different ports.
    let begin = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let offset = begin.wrapping_add(u32::from(NEXT.fetch_add(1, Relaxed))) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).unwrap();
        if TcpListener::bind(("0.0.0.0", port)).is_ok() && UdpSocket::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// An address of this host that nothing listens at: see [`unused_port`].
pub fn unused_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, unused_port()).into()
}
