//! For systems without control messages of datagrams.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

use super::DatagramRun;

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn enable_runs(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

pub(crate) fn enable_local_ip(_: &UdpSocket, _: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn send_from(_: &UdpSocket, _: &[u8], _: IpAddr, _: SocketAddr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<DatagramRun> {
    socket.try_recv_from(buffer).map(DatagramRun::of_one)
}

pub(crate) fn send(_: &UdpSocket, _: &[u8], _: usize, _: Option<SocketAddr>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn send_to_each(_: &UdpSocket, _: &[u8], _: &[SocketAddr]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn refuses(_: &io::Error) -> bool {
    true
}
