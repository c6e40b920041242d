//! Where there are no runs.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::Run;

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in crate::channel::udp) fn enable(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

pub(in crate::channel::udp) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Run> {
    socket.try_recv_from(buffer).map(Run::of_one)
}

pub(in crate::channel::udp) fn send(
    _: &UdpSocket,
    _: &[u8],
    _: usize,
    _: Option<SocketAddr>,
) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in crate::channel::udp) fn refuses(_: &io::Error) -> bool {
    true
}
