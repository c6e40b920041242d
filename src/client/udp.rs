//! Clients over UDP: of one peer, a group, all hosts of a network, or with the socket of a channel.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::StreamExt;

use super::fan_out::FanOut;
use super::inbox::{ClientInbox, Source};
use super::{Client, ClientShared};
use crate::channel::open::EndpointTarget;
use crate::channel::transport::{Packets, Transport};
use crate::channel::udp::options::UdpOptions;
use crate::channel::udp::send::BatchedUdp;
use crate::channel::udp::socket::check_peer;
use crate::channel::udp::{TakeMessage, UdpSocketState};
use crate::channel::{
    BindError, Broadcast, Channel, Disconnect, Endpoint, Multicast, StreamOptions, Udp, UdpMonitor,
};
use crate::codec::{LengthPrefix, ReadPacket};
use crate::packet::{MessageRef, Peer};

impl Client {
    /// Creates a client of a UDP peer, on a free port of all interfaces. Nothing is sent yet.
    ///
    /// If the peer is a name, the first address that this host has a route to is used, IPv4 before IPv6. The
    /// socket is not connected: a device may reply from another port, and a peer that is not running yet
    /// causes no errors.
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, this host has no route to any of its addresses, or no
    /// port is free.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn udp(peer: impl Into<Endpoint>) -> Result<Self, BindError> {
        Udp::new(peer).client().await
    }

    /// Creates a sender to these peers, with the same datagram socket. Each packet is encoded once.
    ///
    /// # Errors
    /// Returns an error if the client has a connection, which has one peer.
    pub fn to<A: Into<SocketAddr>>(&self, peers: impl IntoIterator<Item = A>) -> io::Result<FanOut> {
        let Some(udp) = &self.shared.udp else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a connection has one peer"));
        };
        Ok(FanOut::new(peers.into_iter().map(|peer| (Arc::clone(udp), peer.into())).collect()))
    }

    /// Returns a reader of the statistics of the socket, such as its buffers and lost datagrams. `None` for a client
    /// of a connection.
    pub fn monitor(&self) -> Option<UdpMonitor> {
        self.shared.udp.as_ref().map(UdpMonitor::new)
    }

    /// A client of a peer; answers are accepted from one host, or from any if it is `None`.
    fn by_socket(
        options: &UdpOptions,
        state: UdpSocketState,
        peer: SocketAddr,
        from: Option<IpAddr>,
    ) -> Self {
        let state = Arc::new(state);
        let source = Datagrams(options.packets(&state));
        Self::over_udp(state, peer, ClientInbox::new(Box::new(source), from))
    }

    fn over_udp(state: Arc<UdpSocketState>, peer: SocketAddr, inbox: Arc<ClientInbox>) -> Self {
        let transport: Arc<dyn Transport> = if state.takes_runs() {
            Arc::new(BatchedUdp::new(Arc::clone(&state), peer))
        } else {
            Arc::clone(&state) as _
        };
        let shared = ClientShared {
            to: peer.into(),
            peer: Some(peer),
            udp: Some(state),
            ..ClientShared::new(transport, inbox)
        };
        Self { shared: Arc::new(shared) }
    }
}

/// The packets of a client with its own socket.
pub(super) struct Datagrams(pub(super) Packets);

impl Source for Datagrams {
    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>> {
        self.0.poll_next_unpin(cx).map(|read| read.ok_or(Disconnect::ByUs))
    }
}

/// The inbox of a client that uses the socket of a channel.
impl TakeMessage for ClientInbox {
    fn take_message(&self, message: MessageRef<'_>, peer: Peer) -> bool {
        self.offer(message, peer)
    }

    fn awaits_reply(&self) -> bool {
        Self::awaits_reply(self)
    }
}

/// The source of a client that sends with the socket of a channel. The task that reads the channel delivers the
/// packets. Each poll tells it that a reply is awaited, so that it reads even if it has no room for packets.
struct ReadByChannel(Arc<UdpSocketState>);

impl Source for ReadByChannel {
    fn poll_packet(&mut self, _cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>> {
        self.0.wake_reader();
        Poll::Pending
    }
}

impl Udp {
    /// Creates a client of this address. Nothing is sent yet. If the address is a name, the first address
    /// that this host has a route to is used.
    ///
    /// The socket is not connected: a device may reply from another port, and a peer that is not running yet
    /// causes no errors.
    ///
    /// # Errors
    /// Returns an error if the name cannot be resolved, this host has no route to any of its addresses, or the local
    /// address cannot be bound.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn client(self) -> Result<Client, BindError> {
        let (state, peer) = self.reach().await?;
        let from = answers_from(peer).filter(|_| !self.takes_any_answer());
        Ok(Client::by_socket(self.options(), state, peer, from))
    }

    /// Same as [`client`](Udp::client), with a connected socket: only packets from this address and port are
    /// received, and sending is cheaper. While the port of the peer is closed, packets are lost without an
    /// error, as usual for UDP. The errors that the system reports for them are counted
    /// ([`UdpStats::sent_again`](crate::channel::UdpStats)) and do not stop later packets.
    ///
    /// # Errors
    /// Same as [`client`](Udp::client).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn connect(self) -> Result<Client, BindError> {
        let (mut state, peer) = self.reach().await?;
        state.connect(peer).await.map_err(BindError::cannot(format_args!("connect to udp {peer}")))?;
        Ok(Client::by_socket(self.options(), state, peer, answers_from(peer)))
    }
}

/// Replies come from the host of the peer, from any port. A group or an unspecified address is not the
/// address of a host.
fn answers_from(peer: SocketAddr) -> Option<IpAddr> {
    let own = peer.ip();
    let not_own = own.is_multicast() || own.is_unspecified();
    (!not_own).then_some(own)
}

impl Broadcast {
    /// Creates a client of all hosts of the network. A request accepts the first reply of any host.
    ///
    /// # Errors
    /// Returns an error if no port is free, the interface does not exist, or the address is an IPv6 address.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn client(self) -> Result<Client, BindError> {
        let (state, all) = self.sender()?;
        Ok(Client::by_socket(self.options(), state, all, None))
    }
}

impl Multicast {
    /// Creates a client of the group. A request accepts the first reply of any member.
    ///
    /// # Errors
    /// Returns an error if there are several groups or interfaces (see [`clients`](Multicast::clients)), and
    /// the errors of [`join`](Multicast::join).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn client(self) -> Result<Client, BindError> {
        let mut senders = self.senders()?;
        if let (Some((state, groups)), true) = (senders.pop(), senders.is_empty()) {
            if let [group] = groups.as_slice() {
                return Ok(Client::by_socket(self.options(), state, *group, None));
            }
        }
        let text = "a client has one group and one interface: for more, end in `clients`";
        Err(BindError::cannot("reach the group")(io::Error::new(io::ErrorKind::InvalidInput, text)))
    }

    /// Creates a sender to every group on every interface. Each packet is encoded once.
    ///
    /// # Errors
    /// Same as [`join`](Multicast::join).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn clients(self) -> Result<FanOut, BindError> {
        let mut targets = Vec::new();
        for (state, groups) in self.senders()? {
            let state = Arc::new(state);
            targets.extend(groups.into_iter().map(|group| (Arc::clone(&state), group)));
        }
        Ok(FanOut::new(targets))
    }
}

impl Channel {
    /// Creates a client that sends with the socket of this datagram channel: the peer sees one port, and may
    /// reply to it. The task that reads the channel, usually a [`Server`](crate::Server), reads for the
    /// client too. A reply goes to its request, every other packet to the channel (and to the subscriptions
    /// of the client).
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stage = Channel::udp("127.0.0.1:0").await?;
    /// let desk = Channel::udp("127.0.0.1:0").await?;
    /// let client = desk.client_to(stage.local_addr()?)?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let stage = Server::new(router).listen("udp", stage).spawn();
    /// let desk = Server::new(Router::new()).listen("udp", desk).spawn();
    ///
    /// let reply = client.request(("/ping", 7), "/pong").await?;
    /// assert_eq!(reply.parse::<i32>()?, 7);
    /// # desk.shutdown().await;
    /// # stage.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the channel has connections, or the socket cannot reach the peer: one is IPv4 and
    /// the other IPv6, or a link-local address has no interface.
    pub fn client_to(&self, peer: impl Into<Endpoint>) -> Result<Client, BindError> {
        let peer = peer.into();
        let cannot = || BindError::cannot(format!("reach udp {}", peer.place()));
        let Some(state) = &self.udp else {
            let text = "this channel answers those that send to it, and reaches no other";
            return Err(cannot()(io::Error::new(io::ErrorKind::Unsupported, text)));
        };
        let checked = peer.address().and_then(|peer| check_peer(state.local, peer).map(|()| peer));
        let peer = checked.map_err(cannot())?;
        let inbox = ClientInbox::new(Box::new(ReadByChannel(Arc::clone(state))), None);
        let client: Arc<dyn TakeMessage> = Arc::clone(&inbox) as _;
        state.clients.add(&client, answers_from(peer));
        Ok(Client::over_udp(Arc::clone(state), peer, inbox))
    }
}

impl Endpoint {
    /// Creates a client: with [`Udp::client`], [`Multicast::client`] if the host is a group,
    /// [`Broadcast::client`] with `broadcast=true`, [`Client::tcp`], [`Client::unix_datagram`] or
    /// [`Client::unix`].
    ///
    /// # Errors
    /// Same as [`bind`](Endpoint::bind). Over TCP and Unix sockets, also returns an error if no program
    /// listens.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn client(&self) -> Result<Client, BindError> {
        self.client_with(StreamOptions::default()).await
    }

    /// Same as [`client`](Endpoint::client), with options. For datagrams, the decode options and the
    /// middleware apply.
    ///
    /// ```
    /// use tokio_osc::Endpoint;
    /// use tokio_osc::channel::StreamOptions;
    /// use tokio_osc::packet::DecodeOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let x32: Endpoint = "osc.udp://127.0.0.1:10023/".parse()?;
    /// let decode = DecodeOptions::default().accept_bare_addresses(true);
    /// let client = x32.client_with(StreamOptions::default().decode(decode)).await?;
    /// # drop(client);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Same as [`client`](Endpoint::client).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn client_with(&self, options: StreamOptions) -> Result<Client, BindError> {
        let target = self.target(&options).await;
        match target.map_err(BindError::cannot(format_args!("reach {self}")))? {
            EndpointTarget::Udp(udp) => udp.client().await,
            EndpointTarget::Group(group) => group.client(),
            EndpointTarget::Broadcast(broadcast) => broadcast.client(),
            EndpointTarget::Tcp(addresses) => {
                Client::tcp_with(addresses.as_slice(), LengthPrefix::new(), options).await
            }
            EndpointTarget::TcpSlip(addresses, slip) => {
                Client::tcp_with(addresses.as_slice(), slip, options).await
            }
            EndpointTarget::Unix(path) => Client::unix_datagram_with(path, options.into()),
            EndpointTarget::UnixSlip(path, slip) => Client::unix_with(path, slip, options).await,
        }
    }
}
