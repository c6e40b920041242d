//! Options common to unicast, multicast and broadcast sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::stream::StreamExt;

use super::framed::FramedOptions;
use super::receive::UdpPackets;
use super::socket::{ReplyTo, UdpSocketState};
use crate::channel::address::{Endpoint, PeerNames};
use crate::channel::socket::{SocketOptions, unspecified};
use crate::channel::transport::Packets;
use crate::channel::{Channel, Outlet};
use crate::codec::MAX_DATAGRAM;
use crate::middleware::Chain;
use crate::wire::DecodeOptions;

#[derive(Clone, Debug)]
pub(crate) struct UdpOptions {
    pub(super) socket: SocketOptions,
    pub(super) decode: DecodeOptions,
    pub(super) max_datagram: usize,
    pub(super) peer_names: Option<PeerNames>,
    pub(super) reply_to: ReplyTo,
    pub(super) chain: Chain,
    pub(super) framed: FramedOptions,
    pub(super) batch: bool,
}

impl Default for UdpOptions {
    fn default() -> Self {
        Self {
            socket: SocketOptions::default(),
            decode: DecodeOptions::default(),
            max_datagram: MAX_DATAGRAM,
            peer_names: None,
            reply_to: ReplyTo::Source,
            chain: Chain::default(),
            framed: FramedOptions::default(),
            batch: false,
        }
    }
}

impl UdpOptions {
    pub(crate) fn open(&self, local: SocketAddr) -> io::Result<UdpSocketState> {
        let mut state = UdpSocketState::new(self.socket.bind(local)?)?;
        state.broadcast = self.socket.broadcast;
        state.reply_to = self.reply_to;
        state.chain = self.chain.counting_anew();
        state.framed = self.framed.clone();
        if self.batch {
            state.take_runs();
        }
        Ok(state)
    }

    pub(super) fn channel(&self, mut state: UdpSocketState) -> Channel {
        state.answer_from_asked();
        let state = Arc::new(state);
        let mut channel = Channel::new(self.packets(&state), Outlet::new(Arc::clone(&state) as _, None));
        channel.udp = Some(state);
        channel
    }

    pub(crate) fn packets(&self, state: &Arc<UdpSocketState>) -> Packets {
        UdpPackets::new(Arc::clone(state), self.decode.clone(), self.max_datagram, self.peer_names.clone())
            .boxed()
    }
}

/// The address of an endpoint, or a placeholder until the options are checked if it requires a look-up.
pub(super) fn known_address(endpoint: Endpoint, illegal: &mut Option<Endpoint>) -> SocketAddr {
    endpoint.address().unwrap_or_else(|_| {
        *illegal = Some(endpoint);
        SocketAddr::new(unspecified(false), 0)
    })
}

/// The setters of the common options, in the field `common`.
macro_rules! common_setters {
    () => {
        /// Allows other sockets to bind the same address and port. On Linux, the socket that was bound last
        /// receives the unicast packets: a second program takes over the port without an error.
        pub const fn reuse_address(mut self, reuse: bool) -> Self {
            self.common.socket.reuse_address = reuse;
            self
        }

        /// Allows other sockets of the same user to bind the same address and port, if they set it too. On Linux,
        /// unicast packets are distributed among them by their source.
        pub const fn reuse_port(mut self, reuse: bool) -> Self {
            self.common.socket.reuse_port = reuse;
            self
        }

        /// Sets the size of the kernel's receive buffer in bytes. Default: the system's, on Linux 208 KiB, which holds
        /// about 256 small packets. The kernel may grant less:
        /// [`UdpStats::receive_buffer`](crate::channel::UdpStats) is the size that it granted.
        pub const fn receive_buffer(mut self, bytes: usize) -> Self {
            self.common.socket.receive_buffer = Some(bytes);
            self
        }

        /// Sets the size of the kernel's send buffer in bytes. Default: the system's. The kernel may grant less.
        pub const fn send_buffer(mut self, bytes: usize) -> Self {
            self.common.socket.send_buffer = Some(bytes);
            self
        }

        /// Sets the TTL or hop limit of all packets that the socket sends: unicast, multicast and broadcast.
        /// Default: the system's, usually 64, and 1 for multicast. Most systems refuse 0 for IPv4.
        pub const fn ttl(mut self, hops: u8) -> Self {
            self.common.socket.ttl = Some(hops);
            self
        }

        /// Sets the service class of sent packets (DSCP, 0 to 63), for networks that honour it: 46 is
        /// "expedited forwarding", 34 is AES67's class for audio. Default 0. Windows ignores it.
        pub const fn dscp(mut self, class: u8) -> Self {
            self.common.socket.dscp = Some(class);
            self
        }

        /// Binds the socket to a network device: it receives from and sends by no other. Linux and Android; an
        /// error elsewhere.
        pub fn device(mut self, name: impl Into<String>) -> Self {
            self.common.socket.device = Some(name.into());
            self
        }

        /// Sets the limits and the tolerance of decoding. Default [`DecodeOptions::default`].
        pub fn decode(mut self, options: DecodeOptions) -> Self {
            self.common.decode = options;
            self
        }

        /// Uses the decode options and layers of the streams of an endpoint.
        pub(crate) fn decode_as(mut self, options: &crate::channel::StreamOptions) -> Self {
            self.common.decode = options.decode.clone();
            self.common.chain = options.chain.clone();
            self
        }

        /// Sets the maximum size of a received datagram. A larger one is an error item
        /// ([`DecodeErrorKind::Truncated`](crate::packet::DecodeErrorKind)), and no part of it is delivered.
        /// Default and maximum 65,535: no datagram is too large.
        pub fn max_datagram(mut self, bytes: usize) -> Self {
            self.common.max_datagram = bytes.min(crate::codec::MAX_DATAGRAM);
            self
        }

        /// Adds a middleware layer in both directions. The first layer is next to the wire. See
        /// [`Middleware`](crate::middleware::Middleware).
        pub fn middleware(mut self, layer: impl crate::middleware::Middleware) -> Self {
            self.common.chain.push(layer);
            self
        }

        /// Sends and receives runs of datagrams in one system call (GSO and GRO). Default false.
        ///
        /// Datagrams sent with [`feed`](crate::Client::feed) and [`send_all`](crate::Client::send_all) are
        /// collected until there are 64 of one size or 65,507 bytes, until one has another size, or until a
        /// `flush` or `send`. A run that arrives is read at once. The network carries the same datagrams as
        /// without it. If the kernel or the network device does not accept a run, and on every system but Linux
        /// and Android, its datagrams are sent and received one by one.
        ///
        /// If sending fails, the collected datagrams are lost. A run that does not fit the receive buffer counts
        /// as one in [`UdpStats::kernel_drops`](crate::channel::UdpStats).
        ///
        /// ```
        /// use tokio_osc::{Channel, Udp};
        ///
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let channel = Udp::new("127.0.0.1:0").batch(true).bind().await?;
        /// let client = Udp::new(channel.local_addr()?).batch(true).client().await?;
        /// client.send_all((0..64).map(|meter| ("/meter", (meter, -12.0_f32)))).await?;
        /// # Ok(()) }
        /// ```
        #[cfg(feature = "batch")]
        pub const fn batch(mut self, on: bool) -> Self {
            self.common.batch = on;
            self
        }

        /// Sets the names of senders: see [`Meta::peer_name`](crate::Meta::peer_name).
        pub fn peer_names(mut self, names: &PeerNames) -> Self {
            self.common.peer_names = Some(names.clone());
            self
        }

        /// Sends the replies of handlers to this address. Default: to the sender of the message.
        pub fn reply_to(mut self, address: impl Into<SocketAddr>) -> Self {
            self.common.reply_to = ReplyTo::Address(address.into());
            self
        }

        /// Sends the replies of handlers to this port of the sender's host, as ADM-OSC (4002) and many mixers
        /// require. Default: to the port that the message came from.
        pub const fn reply_to_port(mut self, port: u16) -> Self {
            self.common.reply_to = ReplyTo::Port(port);
            self
        }
    };
}

pub(super) use common_setters;
