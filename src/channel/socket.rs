//! The only module that uses socket2: creates sockets and sets their options before they are bound.

#[cfg_attr(not(any(target_os = "android", target_os = "linux")), path = "socket/elsewhere.rs")]
mod linux;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

pub(crate) use linux::only_own_groups;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive};
pub(crate) use socket2::{SockAddr, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::stream::StreamOptions;

/// The options of a UDP socket. The default is for unicast: no other program can share the port.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the system's")]
pub(crate) struct SocketOptions {
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) dual_stack: bool,
    pub(crate) broadcast: bool,
    pub(crate) receive_buffer: Option<usize>,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) ttl: Option<u8>,
    pub(crate) dscp: Option<u8>,
    pub(crate) device: Option<String>,
}

impl SocketOptions {
    /// Creates a socket and binds it. The error names the option that failed, if one did.
    pub(crate) fn bind(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(self.reuse_address)?;
        if self.reuse_port {
            reuse_port(&socket)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(!self.dual_stack)?;
        }
        if self.broadcast {
            socket.set_broadcast(true)?;
        }
        if let Some(device) = &self.device {
            linux::bind_device(&socket, device)
                .map_err(|error| failed(&error, format!("device `{device}`")))?;
        }
        if let Some(size) = self.receive_buffer {
            socket.set_recv_buffer_size(size).map_err(|error| failed(&error, "receive buffer"))?;
        }
        if let Some(size) = self.send_buffer {
            socket.set_send_buffer_size(size).map_err(|error| failed(&error, "send buffer"))?;
        }
        if let Some(ttl) = self.ttl {
            set_ttl(&socket, address, ttl).map_err(|error| failed(&error, format!("TTL {ttl}")))?;
        }
        if let Some(dscp) = self.dscp {
            set_dscp(&socket, address, dscp).map_err(|error| failed(&error, format!("DSCP {dscp}")))?;
        }
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into())
    }
}

/// Adds the option to an error, of the same kind.
pub(crate) fn failed(error: &io::Error, what: impl fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Sets the hop limit of all packets: unicast, multicast and broadcast.
fn set_ttl(socket: &Socket, address: SocketAddr, ttl: u8) -> io::Result<()> {
    if address.is_ipv4() {
        socket.set_ttl_v4(ttl.into())?;
        return socket.set_multicast_ttl_v4(ttl.into());
    }
    socket.set_unicast_hops_v6(ttl.into())?;
    socket.set_multicast_hops_v6(ttl.into())
}

fn set_dscp(socket: &Socket, address: SocketAddr, dscp: u8) -> io::Result<()> {
    if dscp > 63 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has 6 bits"));
    }
    // The two low bits are for congestion notification.
    let class = u32::from(dscp) << 2;
    if address.is_ipv4() { socket.set_tos_v4(class) } else { set_traffic_class(socket, class) }
}

#[cfg(any(
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux",
    target_os = "macos",
    target_os = "netbsd",
    target_os = "openbsd"
))]
fn set_traffic_class(socket: &Socket, class: u32) -> io::Result<()> {
    socket.set_tclass_v6(class)
}

#[cfg(not(any(
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux",
    target_os = "macos",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
fn set_traffic_class(_: &Socket, _: u32) -> io::Result<()> {
    Err(linux::unsupported())
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// On these systems, reusing the address is reusing the port.
#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// An interface as identified by the socket options: by address for IPv4, by index for IPv6. 0 lets the
/// system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    V4(Ipv4Addr),
    V6(u32),
}

/// Joins a group on an interface, for all senders or for one.
pub(crate) fn join(
    socket: &UdpSocket,
    group: IpAddr,
    source: Option<IpAddr>,
    interface: Via,
) -> io::Result<()> {
    let socket = SockRef::from(socket);
    match (group, interface, source) {
        (IpAddr::V4(group), Via::V4(interface), None) => socket.join_multicast_v4(&group, &interface),
        (IpAddr::V6(group), Via::V6(interface), None) => socket.join_multicast_v6(&group, interface),
        (IpAddr::V4(group), Via::V4(interface), Some(IpAddr::V4(source))) => {
            join_source(&socket, group, source, interface)
        }
        (IpAddr::V6(_), _, Some(_)) => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "joining for one sender is there for IPv4 only"))
        }
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "IPv4 and IPv6 are mixed")),
    }
}

#[cfg(any(
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux",
    target_vendor = "apple",
    windows
))]
fn join_source(socket: &Socket, group: Ipv4Addr, source: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
    socket.join_ssm_v4(&source, &group, &interface)
}

#[cfg(not(any(
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux",
    target_vendor = "apple",
    windows
)))]
fn join_source(_: &Socket, _: Ipv4Addr, _: Ipv4Addr, _: Ipv4Addr) -> io::Result<()> {
    Err(linux::unsupported())
}

/// Sets the interface of outgoing multicast packets.
pub(crate) fn send_by(socket: &UdpSocket, interface: Via) -> io::Result<()> {
    let socket = SockRef::from(socket);
    match interface {
        Via::V4(address) => socket.set_multicast_if_v4(&address),
        Via::V6(index) => socket.set_multicast_if_v6(index),
    }
}

/// Sets whether multicast packets are looped back to this host.
pub(crate) fn set_loop(socket: &UdpSocket, v6: bool, hear: bool) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if v6 { socket.set_multicast_loop_v6(hear) } else { socket.set_multicast_loop_v4(hear) }
}

/// Returns the sizes of the receive and of the send buffer.
pub(crate) fn buffer_sizes(socket: &UdpSocket) -> io::Result<(usize, usize)> {
    let socket = SockRef::from(socket);
    Ok((socket.recv_buffer_size()?, socket.send_buffer_size()?))
}

/// Runs a non-blocking operation independently of Tokio's readiness. A new socket has no readiness before the
/// runtime has polled it, and one peer of a Unix socket with a full queue clears it for all. If the operation
/// would block, Tokio's readiness is cleared: otherwise a task that waits for it would spin.
pub(crate) fn try_io_now<T>(
    try_io: impl FnOnce(&mut dyn FnMut() -> io::Result<T>) -> io::Result<T>,
    mut op: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut asked = false;
    let done = try_io(&mut || {
        asked = true;
        op()
    });
    if asked { done } else { op() }
}

/// Sends a datagram to an address, or to the connected peer, without waiting.
pub(crate) fn send_now<'a, S>(socket: &'a S, frame: &[u8], to: Option<&SockAddr>) -> io::Result<usize>
where
    SockRef<'a>: From<&'a S>,
{
    let socket = SockRef::from(socket);
    match to {
        Some(to) => socket.send_to(frame, to),
        None => socket.send(frame),
    }
}

/// Whether a Unix socket at a path refuses to be connected to: no program listens on it. Never waits: one whose
/// queue of connections is full does not refuse.
#[cfg(unix)]
pub(crate) fn refuses(path: &std::path::Path, kind: Type) -> bool {
    let connect = || {
        let socket = Socket::new(Domain::UNIX, kind, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    connect().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The unspecified address of the same family.
pub(crate) fn unspecified(v6: bool) -> IpAddr {
    if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

/// Creates a TCP listener on the first address that can be bound. An IPv6 socket accepts IPv6 only.
pub(crate) fn bind_tcp(addresses: Vec<SocketAddr>) -> io::Result<TcpListener> {
    first(addresses, listen)
}

/// Returns the first success, or the last error.
pub(crate) fn first<T>(
    addresses: Vec<SocketAddr>,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match attempt(address) {
            Ok(value) => return Ok(value),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The backlog: connections that the operating system holds until they are accepted.
const BACKLOG: i32 = 1_024;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows the option lets another program take the port.
    if cfg!(not(windows)) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Refuses a connection of a socket with itself. Where no program listens on a port of this host, the system may choose
/// the same port for this side, and TCP then connects the two. Such a connection answers nothing, and keeps a server
/// from binding the port.
pub(crate) fn refuse_self(stream: TcpStream) -> io::Result<TcpStream> {
    if stream.peer_addr().ok() != stream.local_addr().ok() {
        return Ok(stream);
    }
    // Reset instead of closed, so that the port is free at once.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Sets the TCP options of [`StreamOptions`](super::StreamOptions).
pub(crate) fn tune_tcp(stream: &TcpStream, options: &StreamOptions) -> io::Result<()> {
    stream.set_nodelay(options.nodelay)?;
    if let Some(silence) = options.keepalive {
        let again = (silence / 4).max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new().with_time(silence).with_interval(again);
        #[cfg(not(windows))]
        let keepalive = keepalive.with_retries(QUESTIONS);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
        linux::set_user_timeout(stream, silence + again * QUESTIONS)?;
    }
    Ok(())
}

/// Keepalive probes before a silent peer is given up.
const QUESTIONS: u32 = 3;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn tuned(options: &StreamOptions) -> TcpStream {
        let listener = bind_tcp(vec![(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tune_tcp(&stream, options).unwrap();
        stream
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_connection_of_a_socket_with_itself_is_refused_and_its_port_is_free() {
        let bound = |port| {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((Ipv4Addr::LOCALHOST, port).into()).unwrap();
            socket
        };
        let socket = bound(0);
        let address = socket.local_addr().unwrap();
        let itself = socket.connect(address).await.unwrap();
        assert_eq!(itself.peer_addr().unwrap(), address, "TCP connects it");
        assert_eq!(refuse_self(itself).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);

        let _server = bound(address.port()).listen(1).unwrap();
        assert!(refuse_self(TcpStream::connect(address).await.unwrap()).is_ok());
    }

    #[tokio::test]
    async fn connections_send_at_once_and_ask_silent_peers() {
        let stream = tuned(&StreamOptions::default()).await;
        let socket = SockRef::from(&stream);
        assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(105)));
        }

        let stream = tuned(&StreamOptions::default().nodelay(false).keepalive(None)).await;
        assert!(!stream.nodelay().unwrap() && !SockRef::from(&stream).keepalive().unwrap());
    }
}
