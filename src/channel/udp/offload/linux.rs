//! The one file that names nix: the socket options and control messages of runs.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::UdpGroSegment;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::DatagramRun;

/// Asks the kernel to give runs.
pub(crate) fn enable(socket: &UdpSocket) -> io::Result<()> {
    Ok(setsockopt(socket, UdpGroSegment, &true)?)
}

/// Takes a run, or one datagram, if there is one.
pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<DatagramRun> {
    socket.try_io(Interest::READABLE, || {
        let mut space = cmsg_space!(i32);
        let mut parts = [IoSliceMut::new(buffer)];
        let received =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty())?;
        let from = received.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
        let size = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::UdpGroSegments(size) => usize::try_from(size).ok().filter(|size| *size > 0),
            _ => None,
        });
        Ok(DatagramRun { len: received.bytes, size: size.unwrap_or(received.bytes), from })
    })
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from(*v4));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from(*v6)))
}

/// Sends a run of datagrams of `size` bytes if the socket has space for all, to an address or to where
/// it is connected.
pub(crate) fn send(socket: &UdpSocket, run: &[u8], size: usize, to: Option<SocketAddr>) -> io::Result<()> {
    let size = u16::try_from(size).map_err(|_| Errno::EMSGSIZE)?;
    let to = to.map(SockaddrStorage::from);
    let segments = [ControlMessage::UdpGsoSegments(&size)];
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(run)], &segments, MsgFlags::empty(), to.as_ref())?;
    Ok(())
}

/// Whether nothing of the run was sent, while each of its datagrams may be: they are too large for the
/// way, the device cannot part them, the kernel is too old, or it reports what became of an earlier one.
pub(crate) fn refuses(error: &io::Error) -> bool {
    let codes = [
        Errno::ECONNREFUSED,
        Errno::EINVAL,
        Errno::EIO,
        Errno::EMSGSIZE,
        Errno::ENOPROTOOPT,
        Errno::EOPNOTSUPP,
    ];
    codes.iter().any(|code| error.raw_os_error() == Some(*code as i32))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_leaves_and_arrives_in_one_call() {
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let ears = UdpSocket::bind(loopback).await.unwrap();
            let mouth = UdpSocket::bind(loopback).await.unwrap();
            enable(&ears).unwrap();
            let run: Vec<u8> = (0..100).collect();
            send(&mouth, &run, 32, Some(ears.local_addr().unwrap())).unwrap();

            let mut buffer = [0; 256];
            ears.readable().await.unwrap();
            let received = receive(&ears, &mut buffer).unwrap();
            assert_eq!(received, DatagramRun { len: 100, size: 32, from: mouth.local_addr().unwrap() });
            assert_eq!(buffer[..100], run);

            mouth.send_to(b"alone", ears.local_addr().unwrap()).await.unwrap();
            ears.readable().await.unwrap();
            let received = receive(&ears, &mut buffer).unwrap();
            assert_eq!(received, DatagramRun { len: 5, size: 5, from: mouth.local_addr().unwrap() });
            assert_eq!(receive(&ears, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[tokio::test]
    async fn what_the_kernel_cannot_part_is_refused() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = Some(socket.local_addr().unwrap());
        let too_many = send(&socket, &[0; 1_000], 1, to).unwrap_err();
        let too_large = send(&socket, &[0; 1_000], 70_000, to).unwrap_err();
        assert!(refuses(&too_many) && refuses(&too_large), "{too_many}, {too_large}");
    }
}
