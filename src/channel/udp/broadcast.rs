//! UDP broadcast.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::options::{UdpOptions, common_setters, known_address};
use super::socket::{ReplyTo, UdpSocketState};
use crate::channel::Channel;
use crate::channel::address::{Endpoint, Interface, PeerNames};
use crate::channel::bind_error::BindError;
use crate::wire::DecodeOptions;

/// Options of a socket that sends to all hosts of a network, or receives such packets. Create the socket with
/// [`client`](Broadcast::client) or [`bind`](Broadcast::bind).
///
/// The address is the broadcast address of a network, such as 10.0.0.255 of 10.0.0.0/24, or 255.255.255.255
/// for the network of the interface. IPv6 has no broadcast: send to the group `ff02::1` with
/// [`Multicast`](crate::Multicast).
///
/// | option | default |
/// | --- | --- |
/// | [`interface`](Broadcast::interface) | the system's choice |
/// | [`reuse_address`](Broadcast::reuse_address), [`reuse_port`](Broadcast::reuse_port) | false |
/// | [`ttl`](Broadcast::ttl) | the system's, usually 64 |
///
/// The other options are those of [`Udp`](crate::Udp).
///
/// ```
/// use std::net::Ipv4Addr;
/// use tokio_osc::Broadcast;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The network of the loopback interface.
/// let all = Ipv4Addr::new(127, 255, 255, 255);
/// let mut channel = Broadcast::new((all, 0)).bind()?;
/// let client = Broadcast::new((all, channel.local_addr()?.port())).client()?;
/// client.send(("/scene", 3)).await?;
///
/// let (packet, _) = channel.recv().await.expect("a channel never ends");
/// assert_eq!(packet?.to_string(), "/scene ,i 3");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "options do nothing until they end in a verb"]
pub struct Broadcast {
    address: SocketAddr,
    /// An invalid address, which becomes the error of the final method.
    illegal: Option<Endpoint>,
    interface: Option<Interface>,
    common: UdpOptions,
}

impl Broadcast {
    /// Sends to this address and port, or receives packets sent to this port.
    pub fn new(address: impl Into<Endpoint>) -> Self {
        let mut common = UdpOptions::default();
        common.socket.broadcast = true;
        let mut illegal = None;
        let address = known_address(address.into(), &mut illegal);
        Self { address, illegal, interface: None, common }
    }

    /// Sets the interface of packets to 255.255.255.255, whose address is their source. A channel receives
    /// only packets that arrive there (Linux and Android; an error elsewhere).
    pub fn interface(mut self, interface: impl Into<Interface>) -> Self {
        self.interface = Some(interface.into());
        self
    }

    common_setters!();

    /// Receives the datagrams sent to the port, by broadcast or unicast.
    ///
    /// # Errors
    /// Returns an error if the port cannot be bound. The error names the address.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn bind(mut self) -> Result<Channel, BindError> {
        let state = self.bind_socket();
        let state = state.map_err(BindError::cannot(format_args!("listen on udp {}", self.address)))?;
        Ok(self.common.channel(state))
    }

    fn bind_socket(&mut self) -> io::Result<UdpSocketState> {
        self.check()?;
        if let Some(interface) = &self.interface {
            self.common.socket.device = Some(interface.find()?.name);
        }
        let local = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.address.port());
        self.common.open(local)
    }

    /// The options of the socket, for its client.
    pub(crate) fn options(&self) -> &UdpOptions {
        &self.common
    }

    /// Creates a broadcast socket, and returns the broadcast address.
    pub(crate) fn sender(&self) -> Result<(UdpSocketState, SocketAddr), BindError> {
        let state = self.sender_socket();
        let state = state.map_err(BindError::cannot(format_args!("reach udp {}", self.address)))?;
        Ok((state, self.address))
    }

    fn sender_socket(&self) -> io::Result<UdpSocketState> {
        self.check()?;
        let local = match &self.interface {
            Some(interface) => interface.find()?.v4()?,
            None => Ipv4Addr::UNSPECIFIED,
        };
        self.common.open(SocketAddr::new(local.into(), 0))
    }

    fn check(&self) -> io::Result<()> {
        if let Some(illegal) = &self.illegal {
            illegal.address()?;
        }
        if self.address.is_ipv4() {
            return Ok(());
        }
        let text = "IPv6 has no broadcast: send to the group ff02::1 with `Multicast`";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
