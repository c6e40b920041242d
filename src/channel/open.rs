//! Opens an [`Endpoint`] with the constructor of its transport and with its options.

use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::path::PathBuf;

use super::address::host_port::{HostPort, is_of_a_link};
use super::address::{Endpoint, Location, Query, Scheme};
use super::bind_error::BindError;
use super::socket::unspecified;
use super::{Broadcast, Channel, Multicast, StreamOptions, Udp};
use crate::codec::{LengthPrefix, Slip};

impl Endpoint {
    /// Listens, with [`Udp::bind`], [`Multicast::join`] if the host is a group, [`Broadcast::bind`] with
    /// `broadcast=true`, [`Channel::tcp`], [`Channel::unix_datagram`] or [`Channel::unix`].
    ///
    /// ```
    /// use tokio_osc::Endpoint;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let endpoint: Endpoint = "osc.tcp+slip://127.0.0.1:0/".parse()?;
    /// let mut channel = endpoint.bind().await?;
    /// let client = endpoint.at(channel.local_addr()?).client().await?;
    /// client.send(("/scene", 3)).await?;
    ///
    /// let (packet, _) = channel.recv().await.expect("the channel is open");
    /// assert_eq!(packet?.to_string(), "/scene ,i 3");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of these constructors, and an error if an option does not apply to the resolved
    /// host.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn bind(&self) -> Result<Channel, BindError> {
        self.bind_with(StreamOptions::default()).await
    }

    /// Same as [`bind`](Endpoint::bind), with options. For datagrams, the decode options and the middleware
    /// apply.
    ///
    /// ```
    /// use tokio_osc::Endpoint;
    /// use tokio_osc::channel::StreamOptions;
    /// use tokio_osc::packet::DecodeOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let endpoint: Endpoint = "osc.udp://127.0.0.1:0/".parse()?;
    /// let options = StreamOptions::default().decode(DecodeOptions::lenient());
    /// let channel = endpoint.bind_with(options).await?;
    /// # drop(channel);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Same as [`bind`](Endpoint::bind).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no socket remains open.
    pub async fn bind_with(&self, options: StreamOptions) -> Result<Channel, BindError> {
        let target = self.target(&options).await;
        match target.map_err(BindError::cannot(format_args!("listen on {self}")))? {
            EndpointTarget::Udp(udp) => udp.bind().await,
            EndpointTarget::Group(group) => group.join(),
            EndpointTarget::Broadcast(broadcast) => broadcast.bind(),
            EndpointTarget::Tcp(addresses) => {
                Channel::tcp_with(addresses.as_slice(), LengthPrefix::new(), options).await
            }
            EndpointTarget::TcpSlip(addresses, slip) => {
                Channel::tcp_with(addresses.as_slice(), slip, options).await
            }
            EndpointTarget::Unix(path) => Channel::unix_datagram_with(path, options.into()),
            EndpointTarget::UnixSlip(path, slip) => Channel::unix_with(path, slip, options),
        }
    }

    /// Resolves the names and checks the options.
    pub(crate) async fn target(&self, options: &StreamOptions) -> io::Result<EndpointTarget> {
        let host = match &self.location {
            Location::Path(path) if self.scheme() == Scheme::UnixSlip => {
                return Ok(EndpointTarget::UnixSlip(path.clone(), self.slip()));
            }
            Location::Path(path) => return Ok(EndpointTarget::Unix(path.clone())),
            _ => self.host_port()?,
        };
        let addresses = host.resolve(self.query.family).await?;
        match self.scheme() {
            Scheme::Tcp => Ok(EndpointTarget::Tcp(addresses)),
            Scheme::TcpSlip => Ok(EndpointTarget::TcpSlip(addresses, self.slip())),
            _ => self.udp_target(host, &addresses, options),
        }
    }

    fn slip(&self) -> Slip {
        Slip::new().flag_at_start(!self.query.single_end)
    }

    fn udp_target(
        &self,
        host: &HostPort,
        addresses: &[SocketAddr],
        options: &StreamOptions,
    ) -> io::Result<EndpointTarget> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        let Some(first) = addresses.first().copied() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if first.ip().is_multicast() {
            return Ok(EndpointTarget::Group(multicast(&self.query, first).decode_as(options)));
        }
        if let Some(option) = self.query.of_groups() {
            return refuse(format!("`{option}` needs a multicast group, and {host} is not one"));
        }
        if self.query.broadcast {
            return Ok(EndpointTarget::Broadcast(broadcast(&self.query, first).decode_as(options)));
        }
        let udp = |host: Self| {
            let udp = unicast(&self.query, host).decode_as(options);
            EndpointTarget::Udp(match self.query.local {
                Some(port) => udp.local((unspecified(first.is_ipv6()), port)),
                None => udp,
            })
        };
        match (first, self.query.interfaces.as_slice()) {
            (_, []) if !self.query.all_interfaces => Ok(udp(Self::at_host(host.clone()))),
            (SocketAddr::V6(v6), [interface]) if is_of_a_link(first.ip()) => {
                let link = interface.find()?.index;
                Ok(udp(SocketAddrV6::new(*v6.ip(), v6.port(), 0, link).into()))
            }
            _ => refuse(format!(
                "`interface` needs a multicast group or a broadcast, and {host} is neither: use `device`"
            )),
        }
    }
}

/// A resolved endpoint, ready to be bound or connected.
pub(crate) enum EndpointTarget {
    Udp(Udp),
    Group(Multicast),
    Broadcast(Broadcast),
    Tcp(Vec<SocketAddr>),
    TcpSlip(Vec<SocketAddr>, Slip),
    Unix(PathBuf),
    UnixSlip(PathBuf, Slip),
}

/// Sets the options common to all three kinds of UDP sockets.
macro_rules! with_common {
    ($query:ident, $options:expr) => {{
        let mut options = $options;
        if let Some(hops) = $query.ttl {
            options = options.ttl(hops);
        }
        if let Some(class) = $query.dscp {
            options = options.dscp(class);
        }
        if let Some(device) = &$query.device {
            options = options.device(device.as_str());
        }
        if let Some(bytes) = $query.receive_buffer {
            options = options.receive_buffer(bytes);
        }
        if let Some(bytes) = $query.send_buffer {
            options = options.send_buffer(bytes);
        }
        if let Some(port) = $query.reply_port {
            options = options.reply_to_port(port);
        }
        if $query.reuse {
            options = options.reuse_address(true).reuse_port(true);
        }
        options
    }};
}

fn unicast(query: &Query, host: Endpoint) -> Udp {
    let options = with_common!(query, Udp::new(host));
    match query.family {
        Some(family) => options.family(family),
        None => options,
    }
}

fn broadcast(query: &Query, address: SocketAddr) -> Broadcast {
    let options = with_common!(query, Broadcast::new(address));
    match query.interfaces.first() {
        Some(interface) => options.interface(interface.clone()),
        None => options,
    }
}

fn multicast(query: &Query, group: SocketAddr) -> Multicast {
    let mut options = with_common!(query, Multicast::new(group)).multicast_loop(query.multicast_loop);
    for interface in &query.interfaces {
        options = options.interface(interface.clone());
    }
    if query.all_interfaces {
        options = options.all_interfaces();
    }
    for group in &query.groups {
        options = options.group(*group);
    }
    for source in &query.sources {
        options = options.source(*source);
    }
    options
}
