//! Replacements for the functions of Linux on other systems.
#![expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]

use std::io;
use std::time::Duration;

use socket2::Socket;
use tokio::net::{TcpStream, UdpSocket};

pub(super) fn bind_device(_: &Socket, _: &str) -> io::Result<()> {
    Err(unsupported())
}

/// The system decides when TCP gives up on unacknowledged data.
pub(super) fn set_user_timeout(_: &TcpStream, _: Duration) -> io::Result<()> {
    Ok(())
}

/// A socket receives only the groups that it joined.
pub(crate) fn only_own_groups(_: &UdpSocket, _: bool, _: Option<&str>) -> io::Result<()> {
    Ok(())
}

pub(super) fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "not on this system")
}
