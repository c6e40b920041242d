//! Socket options of Linux and Android.

use std::io;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::net::{TcpStream, UdpSocket};

pub(super) fn bind_device(socket: &Socket, device: &str) -> io::Result<()> {
    socket.bind_device(Some(device.as_bytes()))
}

/// TCP sends no keepalives while data are unacknowledged. These are given up after the same time.
pub(super) fn set_user_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
    SockRef::from(stream).set_tcp_user_timeout(Some(timeout))
}

/// Disables groups that other sockets joined, which Linux delivers by default. For IPv6 a socket still
/// receives what others joined on other interfaces, unless it is bound to its device.
#[cfg(target_os = "linux")]
pub(crate) fn only_own_groups(socket: &UdpSocket, v6: bool, device: Option<&str>) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if !v6 {
        return socket.set_multicast_all_v4(false);
    }
    if let Some(device) = device {
        // Requires privileges before Linux 5.7.
        let _ = socket.bind_device(Some(device.as_bytes()));
    }
    socket.set_multicast_all_v6(false)
}

/// On Android a socket receives only the groups that it joined.
#[cfg(not(target_os = "linux"))]
pub(crate) fn only_own_groups(_: &UdpSocket, _: bool, _: Option<&str>) -> io::Result<()> {
    Ok(())
}
