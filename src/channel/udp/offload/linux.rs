//! The one file that names nix: socket options, control messages, and many datagrams in one call.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo, UdpGroSegment};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmsg, sendmmsg, sendmsg,
    setsockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::DatagramRun;
use crate::packet::Peer;

/// Space for the control messages of a datagram: the size of a run (24 bytes) and the destination address (32 or
/// 40 bytes). Aligned like their headers.
#[repr(align(8))]
struct ControlSpace([u8; 64]);

/// Enables receiving runs.
pub(crate) fn enable_runs(socket: &UdpSocket) -> io::Result<()> {
    Ok(setsockopt(socket, UdpGroSegment, &true)?)
}

/// Asks the kernel for the address that each datagram was sent to.
pub(crate) fn enable_local_ip(socket: &UdpSocket, v6: bool) -> io::Result<()> {
    let set = if v6 {
        setsockopt(socket, Ipv6RecvPacketInfo, &true)
    } else {
        setsockopt(socket, Ipv4PacketInfo, &true)
    };
    Ok(set?)
}

/// Receives a run, or one datagram, without waiting.
pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<DatagramRun> {
    socket.try_io(Interest::READABLE, || {
        let mut space = ControlSpace([0; 64]);
        let mut parts = [IoSliceMut::new(buffer)];
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let received = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut space.0), flags)?;
        let from = received.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
        let (mut size, mut local) = (received.bytes, None);
        for message in received.cmsgs()? {
            match message {
                ControlMessageOwned::UdpGroSegments(each) if each > 0 => {
                    size = usize::try_from(each).unwrap_or(size);
                }
                // Not the address of the IP header: a group or a broadcast address cannot be a source.
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local = Some(Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes()).into());
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let asked = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    local = (!asked.is_multicast()).then_some(asked.into());
                }
                _ => {}
            }
        }
        Ok(DatagramRun { len: received.bytes, size, from: Peer::from(from).with_local_ip(local) })
    })
}

/// Sends a datagram from one of the host's addresses, if the socket has space for it.
pub(crate) fn send_from(socket: &UdpSocket, datagram: &[u8], from: IpAddr, to: SocketAddr) -> io::Result<()> {
    let (v4, v6);
    let source = match from {
        IpAddr::V4(from) => {
            let (unset, from) =
                (in_addr { s_addr: 0 }, in_addr { s_addr: u32::from_ne_bytes(from.octets()) });
            v4 = in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: from, ipi_addr: unset };
            ControlMessage::Ipv4PacketInfo(&v4)
        }
        IpAddr::V6(from) => {
            v6 = in6_pktinfo { ipi6_addr: in6_addr { s6_addr: from.octets() }, ipi6_ifindex: 0 };
            ControlMessage::Ipv6PacketInfo(&v6)
        }
    };
    let to = SockaddrStorage::from(to);
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(datagram)], &[source], MsgFlags::empty(), Some(&to))?;
    Ok(())
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from(*v4));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from(*v6)))
}

/// Sends a run of datagrams of `size` bytes if the socket has space for all, to an address or to the connected
/// peer.
pub(crate) fn send(socket: &UdpSocket, run: &[u8], size: usize, to: Option<SocketAddr>) -> io::Result<()> {
    let size = u16::try_from(size).map_err(|_| Errno::EMSGSIZE)?;
    let to = to.map(SockaddrStorage::from);
    let segments = [ControlMessage::UdpGsoSegments(&size)];
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(run)], &segments, MsgFlags::empty(), to.as_ref())?;
    Ok(())
}

/// Sends a datagram to each address, up to the first that the system refuses. Returns the number of addresses. An
/// error is that of the first address.
pub(crate) fn send_to_each(socket: &UdpSocket, datagram: &[u8], to: &[SocketAddr]) -> io::Result<usize> {
    let to: Vec<_> = to.iter().map(|to| Some(SockaddrStorage::from(*to))).collect();
    let part = [IoSlice::new(datagram)];
    let mut headers = MultiHeaders::preallocate(to.len(), None);
    let parts = std::iter::repeat_n(&part, to.len());
    Ok(sendmmsg(socket.as_raw_fd(), &mut headers, parts, to, [], MsgFlags::empty())?.count())
}

/// Whether nothing of the run was sent, while each of its datagrams may be: they are too large for the
/// path, the device cannot split them, the kernel is too old, or it reports the error of an earlier datagram.
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
            enable_runs(&ears).unwrap();
            let run: Vec<u8> = (0..100).collect();
            send(&mouth, &run, 32, Some(ears.local_addr().unwrap())).unwrap();

            let mut buffer = [0; 256];
            ears.readable().await.unwrap();
            let received = receive(&ears, &mut buffer).unwrap();
            assert_eq!(
                received,
                DatagramRun { len: 100, size: 32, from: mouth.local_addr().unwrap().into() }
            );
            assert_eq!(buffer[..100], run);

            mouth.send_to(b"alone", ears.local_addr().unwrap()).await.unwrap();
            ears.readable().await.unwrap();
            let received = receive(&ears, &mut buffer).unwrap();
            assert_eq!(received, DatagramRun { len: 5, size: 5, from: mouth.local_addr().unwrap().into() });
            assert_eq!(receive(&ears, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[tokio::test]
    async fn a_datagram_leaves_for_each_address_up_to_the_one_that_is_refused() {
        let ears =
            [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()];
        let mouth = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nowhere = SocketAddr::from(([255, 255, 255, 255], 9));
        let [left, right] = ears.each_ref().map(|socket| socket.local_addr().unwrap());
        assert_eq!(send_to_each(&mouth, b"news", &[left, right]).unwrap(), 2);
        assert_eq!(send_to_each(&mouth, b"more", &[left, nowhere, right]).unwrap(), 1);
        let refused = send_to_each(&mouth, b"more", &[nowhere, left]).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let mut buffer = [0; 16];
        for heard in [&b"news"[..], b"more"] {
            let (len, from) = ears[0].recv_from(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..len], from), (heard, mouth.local_addr().unwrap()));
        }
        let (len, _) = ears[1].recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..len], b"news");
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
