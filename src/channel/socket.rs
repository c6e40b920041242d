//! The one file that names socket2: sockets with the options set before they are bound.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket, lookup_host};

use super::options::StreamOptions;

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

/// A TCP listener bound to the first of the addresses that takes it. IPv6 only on IPv6.
pub(super) async fn bind_tcp(addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(addresses).await? {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => {
                failed = io::Error::new(error.kind(), format!("cannot listen on TCP {address}: {error}"));
            }
        }
    }
    Err(failed)
}

/// Connections that the operating system holds until they are accepted.
const BACKLOG: i32 = 1_024;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows the option means that another program may take the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Sets what [`StreamOptions`](super::StreamOptions) says of TCP.
pub(super) fn tune_tcp(stream: &TcpStream, options: &StreamOptions) -> io::Result<()> {
    stream.set_nodelay(options.nodelay)?;
    if let Some(silence) = options.keepalive {
        let again = (silence / 4).max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new().with_time(silence).with_interval(again);
        #[cfg(not(windows))]
        let keepalive = keepalive.with_retries(3);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}
