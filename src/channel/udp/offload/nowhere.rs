//! Where there are no runs.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::DatagramRun;

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn enable(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<DatagramRun> {
    socket.try_recv_from(buffer).map(DatagramRun::of_one)
}

pub(crate) fn send(_: &UdpSocket, _: &[u8], _: usize, _: Option<SocketAddr>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn refuses(_: &io::Error) -> bool {
    true
}
