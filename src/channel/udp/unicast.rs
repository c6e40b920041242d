//! UDP unicast.

use std::io;
use std::net::SocketAddr;

use super::monitor::UdpMonitor;
use super::options::{UdpOptions, common_setters};
use super::socket::{ReplyTo, UdpSocketState, check_peer};
use crate::channel::Channel;
use crate::channel::address::host_port::require_link;
use crate::channel::address::{Endpoint, IpFamily, PeerNames, Scheme};
use crate::channel::bind_error::BindError;
use crate::channel::socket::{failed, first, unspecified};
use crate::codec::Framing;
use crate::wire::DecodeOptions;

/// Options of a UDP socket. Create a socket with [`bind`](Udp::bind), [`client`](Udp::client) or
/// [`connect`](Udp::connect).
///
/// | option | default |
/// | --- | --- |
/// | [`local`](Udp::local) | any free port of every address (clients) |
/// | [`answers_from_anywhere`](Udp::answers_from_anywhere) | false (clients) |
/// | [`family`](Udp::family) | both, IPv4 first |
/// | [`only_v6`](Udp::only_v6) | true, on every system |
/// | [`reuse_address`](Udp::reuse_address), [`reuse_port`](Udp::reuse_port) | false |
/// | [`receive_buffer`](Udp::receive_buffer), [`send_buffer`](Udp::send_buffer), [`ttl`](Udp::ttl) | the system's |
/// | [`dscp`](Udp::dscp), [`device`](Udp::device) | none |
/// | [`max_datagram`](Udp::max_datagram) | 65,535 bytes |
/// | [`decode`](Udp::decode) | [`DecodeOptions::default`] |
/// | [`middleware`](Udp::middleware) | none |
/// | [`reply_to`](Udp::reply_to) | to the sender |
/// | `batch` (feature `batch`) | false |
/// | [`framed`](Udp::framed) | each datagram is one packet |
/// | [`max_sources`](Udp::max_sources), [`max_unfinished`](Udp::max_unfinished) | 500, 64 KiB |
///
/// ```
/// use tokio_osc::Udp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Udp::new("127.0.0.1:0").receive_buffer(4 << 20).bind().await?;
/// let client = Udp::new(channel.local_addr()?).ttl(4).dscp(46).client().await?;
/// client.send(("/synth/1/freq", 440.0_f32)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "options do nothing until they end in a verb"]
pub struct Udp {
    address: Endpoint,
    local: Option<Endpoint>,
    family: Option<IpFamily>,
    any_answers: bool,
    common: UdpOptions,
}

impl Udp {
    /// Creates options to listen on this address, or to send to it.
    pub fn new(address: impl Into<Endpoint>) -> Self {
        let common = UdpOptions::default();
        Self { address: address.into(), local: None, family: None, any_answers: false, common }
    }

    /// Sets the address and port that a client sends from. [`bind`](Udp::bind) ignores it.
    pub fn local(mut self, address: impl Into<Endpoint>) -> Self {
        self.local = Some(address.into());
        self
    }

    /// Sets whether a [`client`](Udp::client) accepts replies from every host, and not only from the address of its
    /// peer. Use it for devices that reply from another of their addresses. Any host that can send a datagram to the
    /// client's port can then answer its requests. Default false.
    ///
    /// ```
    /// use tokio_osc::{Bytes, Message, Udp};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let asked = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    /// let client = Udp::new(asked.local_addr()?).answers_from_anywhere(true).client().await?;
    /// # #[cfg(target_os = "linux")] {
    /// let answers = tokio::net::UdpSocket::bind("127.0.0.2:0").await?;
    /// let pong = Message::new("/pong", 7)?;
    /// let at = ("127.0.0.1", client.local_addr()?.port());
    /// let mut pongs = client.subscribe("/pong");
    /// answers.send_to(pong.as_bytes(), at).await?;
    /// assert_eq!(pongs.recv().await, Some(pong));
    /// # }
    /// # Ok(()) }
    /// ```
    pub const fn answers_from_anywhere(mut self, any: bool) -> Self {
        self.any_answers = any;
        self
    }

    /// Uses addresses of one family only, if a name has both.
    pub fn family(mut self, family: IpFamily) -> Self {
        self.family = Some(family);
        self
    }

    /// Sets whether an IPv6 socket receives IPv6 only. With `false`, `[::]:9000` also receives IPv4, from peers with
    /// addresses such as `[::ffff:10.0.0.7]:9000`; not every system supports that. Default true.
    pub const fn only_v6(mut self, only: bool) -> Self {
        self.common.socket.dual_stack = !only;
        self
    }

    common_setters!();

    /// Reads the datagrams of each source as a stream of bytes, which a [`Framing`] divides into packets: a
    /// packet may span several datagrams, and a datagram may hold several. Default: each datagram is one packet,
    /// as OSC specifies. Each packet is sent as one frame in one datagram.
    ///
    /// UDP loses and reorders datagrams, which breaks a frame that spans several: [`Slip`](crate::Slip) finds the
    /// start of the next frame; a length prefix starts over with the next datagram after the fault was detected.
    ///
    /// ```
    /// use tokio_osc::{Slip, Udp};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut channel = Udp::new("127.0.0.1:0").framed(Slip::new()).bind().await?;
    /// let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    /// socket.send_to(b"\xc0/pi", channel.local_addr()?).await?;
    /// socket.send_to(b"ng\0\0\0,\0\0\0\xc0", channel.local_addr()?).await?;
    ///
    /// let (packet, _) = channel.recv().await.expect("the channel is open");
    /// assert_eq!(packet?.to_string(), "/ping ,");
    /// # Ok(()) }
    /// ```
    pub fn framed(mut self, framing: impl Framing) -> Self {
        self.common.framed.set_framing(framing);
        self
    }

    /// Sets the number of sources for which a [`framed`](Udp::framed) socket keeps state. A further source evicts the
    /// one that was silent longest, whose unfinished frame is counted
    /// ([`UdpStats::unfinished`](crate::channel::UdpStats)). Default 500.
    pub const fn max_sources(mut self, sources: usize) -> Self {
        self.common.framed.max_sources = sources;
        self
    }

    /// Sets the maximum size of an unfinished frame of each source of a [`framed`](Udp::framed) socket. A
    /// larger frame is an error item ([`DecodeErrorKind::FrameTooLong`](crate::packet::DecodeErrorKind)), and
    /// the source starts again. Default 64 KiB. With the default number of sources this is at most 62 MiB in
    /// all, plus one datagram each.
    pub const fn max_unfinished(mut self, bytes: usize) -> Self {
        self.common.framed.max_unfinished = bytes;
        self
    }

    /// Binds the socket and receives its packets. The addresses of a name are tried in order.
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, or none of its addresses can be bound. The error
    /// names the address. A link-local address (`fe80::…`) needs its interface. Groups are joined with
    /// [`Multicast`](crate::Multicast), not bound.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn bind(self) -> Result<Channel, BindError> {
        let bound = self.bind_socket().await;
        let state =
            bound.map_err(BindError::cannot(format_args!("listen on udp {}", self.address.place())))?;
        Ok(self.common.channel(state))
    }

    async fn bind_socket(&self) -> io::Result<UdpSocketState> {
        let addresses = self.address.resolve(Scheme::Udp, self.family).await?;
        first(addresses, |address| {
            if address.ip().is_multicast() {
                let text = format!("{address} is a group: join it with `Multicast`");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            require_link(address)?;
            self.common.open(address)
        })
    }

    /// The options of the socket, for its client.
    pub(crate) fn options(&self) -> &UdpOptions {
        &self.common
    }

    pub(crate) const fn takes_any_answer(&self) -> bool {
        self.any_answers
    }

    /// Creates a socket for the first reachable address of the name, and returns the address.
    pub(crate) async fn reach(&self) -> Result<(UdpSocketState, SocketAddr), BindError> {
        let reached = self.reach_first().await;
        reached.map_err(BindError::cannot(format_args!("reach udp {}", self.address.place())))
    }

    async fn reach_first(&self) -> io::Result<(UdpSocketState, SocketAddr)> {
        let peers = self.address.resolve(Scheme::Udp, self.family).await?;
        let choice = peers.len() > 1;
        let mut local = Vec::new();
        if let Some(address) = &self.local {
            local = address.resolve(Scheme::Udp, None).await?;
        }
        first(peers, |peer| {
            let own = local.iter().find(|local| local.is_ipv4() == peer.is_ipv4()).copied();
            let own = match (own, local.first()) {
                (Some(own), _) => own,
                (None, None) => SocketAddr::new(unspecified(peer.is_ipv6()), 0),
                (None, Some(other)) => *other,
            };
            check_peer(own, peer)?;
            if choice {
                has_route(peer)?;
            }
            let socket = self.common.open(own);
            Ok((socket.map_err(|error| failed(&error, format!("cannot send from udp {own}")))?, peer))
        })
    }
}

impl Channel {
    /// Binds a UDP socket and receives its packets, with the default [`DecodeOptions`]. Port 0 takes any free
    /// port: see [`local_addr`](Channel::local_addr).
    ///
    /// No other program can bind the port. `0.0.0.0` and `*` receive IPv4 only, `[::]` IPv6 only: see
    /// [`Udp::only_v6`]. For other options see [`Udp`], for groups [`Multicast`](crate::Multicast).
    ///
    /// A channel bound to every address replies from the address that the packet was sent to: see
    /// [`Peer::local_ip`](crate::Peer::local_ip). The port is free again when the channel and everything that sends
    /// with its socket are dropped: outlets, kept [`Reply`](crate::Reply)s, and clients of
    /// [`client_to`](Channel::client_to).
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, or none of its addresses can be bound. The error
    /// names the address.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn udp(address: impl Into<Endpoint>) -> Result<Self, BindError> {
        Udp::new(address).bind().await
    }

    /// Same as [`udp`](Channel::udp), with options for decoding.
    ///
    /// # Errors
    /// Same as [`udp`](Channel::udp).
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn udp_with(address: impl Into<Endpoint>, options: DecodeOptions) -> Result<Self, BindError> {
        Udp::new(address).decode(options).bind().await
    }

    /// Returns a reader of the statistics of the socket, such as its buffers and lost datagrams. `None` for a channel
    /// of connections.
    pub fn monitor(&self) -> Option<UdpMonitor> {
        self.udp.as_ref().map(UdpMonitor::new)
    }
}

/// Asks the system by connecting another socket, which sends nothing.
fn has_route(peer: SocketAddr) -> io::Result<()> {
    let probe = std::net::UdpSocket::bind((unspecified(peer.is_ipv6()), 0))?;
    match probe.connect(peer) {
        // This error is about broadcasting, not about the route.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            Err(failed(&error, format!("cannot reach udp {peer}")))
        }
        _ => Ok(()),
    }
}
