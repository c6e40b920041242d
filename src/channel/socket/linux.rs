//! What Linux and Android can do.

use std::io;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::net::{TcpStream, UdpSocket};

pub(super) fn bind_device(socket: &Socket, device: &str) -> io::Result<()> {
    socket.bind_device(Some(device.as_bytes()))
}

/// TCP asks nothing while something that was sent waits to be acknowledged: that is given up after
/// the same time.
pub(super) fn set_user_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
    SockRef::from(stream).set_tcp_user_timeout(Some(timeout))
}

/// Delivers nothing of groups that others have joined: on Linux a socket gets them otherwise. For
/// IPv6 it still gets what others have joined elsewhere, unless it is bound to its one device.
#[cfg(target_os = "linux")]
pub(crate) fn only_own_groups(socket: &UdpSocket, v6: bool, device: Option<&str>) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if !v6 {
        return socket.set_multicast_all_v4(false);
    }
    if let Some(device) = device {
        // Before Linux 5.7 that takes privileges.
        let _ = socket.bind_device(Some(device.as_bytes()));
    }
    socket.set_multicast_all_v6(false)
}

/// On Android a socket gets the groups that it has joined.
#[cfg(not(target_os = "linux"))]
pub(crate) fn only_own_groups(_: &UdpSocket, _: bool, _: Option<&str>) -> io::Result<()> {
    Ok(())
}
