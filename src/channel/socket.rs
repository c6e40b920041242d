//! The one file that names socket2: sockets with the options set before they are bound.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{ToSocketAddrs, UdpSocket, lookup_host};

/// A UDP socket bound to the first of the addresses that takes it.
///
/// An IPv6 socket takes IPv6 only, on every system alike. No address is reused: a second program
/// cannot take over the port.
pub(super) async fn bind_udp(addresses: impl ToSocketAddrs) -> io::Result<UdpSocket> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(addresses).await? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                failed = io::Error::new(error.kind(), format!("cannot bind UDP {address}: {error}"))
            }
        }
    }
    Err(failed)
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}
