//! Where to listen and where to send, as text: `osc.udp://239.1.2.3:9000/?interface=eth0&ttl=4`.

mod error;
mod parse;
mod query;

use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::host_port::{HostPort, IpFamily, is_of_a_link};
use crate::channel::{Broadcast, Channel, Multicast, Udp};
use crate::codec::{LengthPrefix, Slip};
pub use error::EndpointError;
use query::{Query, encode};

/// Where to listen or to send, written as liblo writes it: a scheme, a host and port or a path, and
/// options.
///
/// | text | means |
/// | --- | --- |
/// | `osc.udp://HOST:PORT/`, or `HOST:PORT` for short | UDP; multicast if the host is a group |
/// | `osc.tcp://HOST:PORT/` | TCP, each packet with its length before it |
/// | `osc.tcp+slip://HOST:PORT/` | TCP, SLIP |
/// | `osc.unix:///PATH` | a Unix datagram socket |
/// | `osc.unix+slip:///PATH` | a Unix stream socket, SLIP |
///
/// HOST is a [`HostPort`]'s: `stage.local`, `10.0.0.7`, `[fe80::1%eth0]`, `*`. Options follow a `?`,
/// with `&` between them; those marked with + may stand there more than once:
///
/// | option | of | sets |
/// | --- | --- | --- |
/// | `interface=eth0` + | UDP | the interface of a group or a broadcast, by name, number or address; `all` |
/// | `ttl=4`, `dscp=46`, `device=eth0` | UDP | [`Udp::ttl`], [`Udp::dscp`], [`Udp::device`] |
/// | `receive_buffer=4194304`, `send_buffer=…` | UDP | [`Udp::receive_buffer`], [`Udp::send_buffer`] |
/// | `reuse=true` | UDP | [`Udp::reuse_address`] and [`Udp::reuse_port`] |
/// | `reply_port=4002` | UDP | [`Udp::reply_to_port`] |
/// | `broadcast=true` | UDP | [`Broadcast`] instead of [`Udp`] |
/// | `loop=false` | groups | [`Multicast::multicast_loop`] |
/// | `group=239.1.2.4` +, `source=10.0.0.7` + | groups | [`Multicast::group`], [`Multicast::source`] |
/// | `family=ipv6` | all with a host | addresses of this family only, `ipv4` or `ipv6` |
/// | `end=single` | SLIP | one END, behind each packet, instead of two |
///
/// ```
/// use tokio_osc::channel::Scheme;
/// use tokio_osc::Endpoint;
///
/// let endpoint: Endpoint = "osc.udp://239.1.2.3:9000/?interface=eth0&ttl=4".parse()?;
/// assert_eq!(endpoint.scheme(), Scheme::Udp);
/// assert_eq!(endpoint.to_string(), "osc.udp://239.1.2.3:9000/?interface=eth0&ttl=4");
///
/// let error = "osc.udp://10.0.0.7:9000/?tll=4".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.to_string(), "`tll` is no option of osc.udp");
/// # Ok::<(), tokio_osc::channel::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    location: Location,
    query: Query,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Location {
    Host(HostPort),
    Path(PathBuf),
}

/// The transports that an [`Endpoint`] can name.
///
/// ```
/// use tokio_osc::channel::Scheme;
/// use tokio_osc::Endpoint;
///
/// let endpoint: Endpoint = "osc.tcp+slip://stage.local:9000/".parse()?;
/// assert_eq!(endpoint.scheme(), Scheme::TcpSlip);
/// # Ok::<(), tokio_osc::channel::EndpointError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `osc.udp`
    Udp,
    /// `osc.tcp`: each packet with its length before it.
    Tcp,
    /// `osc.tcp+slip`
    TcpSlip,
    /// `osc.unix`: datagrams.
    Unix,
    /// `osc.unix+slip`: a stream.
    UnixSlip,
}

impl Endpoint {
    /// UDP at this host and port, without options.
    pub fn udp(host: impl Into<HostPort>) -> Self {
        Self { scheme: Scheme::Udp, location: Location::Host(host.into()), query: Query::default() }
    }

    /// The transport.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host and port; `None` for a Unix socket.
    pub const fn host(&self) -> Option<&HostPort> {
        match &self.location {
            Location::Host(host) => Some(host),
            Location::Path(_) => None,
        }
    }

    /// The path of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.location {
            Location::Host(_) => None,
            Location::Path(path) => Some(path),
        }
    }

    /// The family that addresses are to be of, if one was named.
    pub const fn family(&self) -> Option<IpFamily> {
        self.query.family
    }

    /// Whether SLIP frames are to have one END instead of two.
    pub const fn single_end(&self) -> bool {
        self.query.single_end
    }

    /// The same endpoint at another address: what a bound channel prints, when the port was 0 or the
    /// host a name.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { location: Location::Host(address.into()), ..self.clone() }
    }

    /// Listens: by [`Udp::bind`], [`Multicast::join`] if the host is a group, [`Broadcast::bind`] with
    /// `broadcast=true`, [`Channel::tcp`], [`Channel::unix_datagram`] or [`Channel::unix`].
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::Endpoint;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let endpoint: Endpoint = "osc.tcp+slip://127.0.0.1:0/".parse()?;
    /// let mut channel = endpoint.bind().await?;
    /// let client = endpoint.at(channel.local_addr()?).client().await?;
    /// client.send(("/scene", 3)).await?;
    ///
    /// let (packet, _) = channel.next().await.expect("the channel is open");
    /// assert_eq!(packet?.to_string(), "/scene ,i 3");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As these, and if an option does not belong to what the host turns out to be.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// A dropped future leaves no socket behind.
    pub async fn bind(&self) -> io::Result<Channel> {
        match self.target().await? {
            EndpointTarget::Udp(udp) => udp.bind().await,
            EndpointTarget::Group(group) => group.join(),
            EndpointTarget::Broadcast(broadcast) => broadcast.bind(),
            EndpointTarget::Tcp(addresses) => Channel::tcp(addresses.as_slice(), LengthPrefix::new()).await,
            EndpointTarget::TcpSlip(addresses, slip) => Channel::tcp(addresses.as_slice(), slip).await,
            EndpointTarget::Unix(path) => Channel::unix_datagram(path),
            EndpointTarget::UnixSlip(path, slip) => Channel::unix(path, slip),
        }
    }

    /// The names looked up, and the options checked.
    pub(crate) async fn target(&self) -> io::Result<EndpointTarget> {
        let host = match &self.location {
            Location::Host(host) => host,
            Location::Path(path) if self.scheme == Scheme::UnixSlip => {
                return Ok(EndpointTarget::UnixSlip(path.clone(), self.slip()));
            }
            Location::Path(path) => return Ok(EndpointTarget::Unix(path.clone())),
        };
        let addresses = host.resolve(self.query.family).await?;
        match self.scheme {
            Scheme::Tcp => Ok(EndpointTarget::Tcp(addresses)),
            Scheme::TcpSlip => Ok(EndpointTarget::TcpSlip(addresses, self.slip())),
            _ => self.udp_target(host, &addresses),
        }
    }

    fn slip(&self) -> Slip {
        Slip::new().flag_at_start(!self.query.single_end)
    }

    fn udp_target(&self, host: &HostPort, addresses: &[SocketAddr]) -> io::Result<EndpointTarget> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        let Some(first) = addresses.first().copied() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if first.ip().is_multicast() {
            return Ok(EndpointTarget::Group(self.query.multicast(first)));
        }
        if let Some(option) = self.query.of_groups() {
            return refuse(format!("`{option}` is for groups, {host} is none"));
        }
        if self.query.broadcast {
            return Ok(EndpointTarget::Broadcast(self.query.broadcast(first)));
        }
        match (first, self.query.interfaces.as_slice()) {
            (_, []) if !self.query.all_interfaces => {
                Ok(EndpointTarget::Udp(self.query.unicast(host.clone())))
            }
            (SocketAddr::V6(v6), [interface]) if is_of_a_link(first.ip()) => {
                let link = interface.find()?.index;
                let address = SocketAddrV6::new(*v6.ip(), v6.port(), 0, link);
                Ok(EndpointTarget::Udp(self.query.unicast(address.into())))
            }
            _ => {
                refuse(format!("`interface` is for groups and broadcasts, {host} is none; there is `device`"))
            }
        }
    }
}

/// What an endpoint turned out to be, ready to be bound or connected to.
pub(crate) enum EndpointTarget {
    Udp(Udp),
    Group(Multicast),
    Broadcast(Broadcast),
    Tcp(Vec<SocketAddr>),
    TcpSlip(Vec<SocketAddr>, Slip),
    Unix(PathBuf),
    UnixSlip(PathBuf, Slip),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Host(host) => write!(f, "{}://{host}/{}", self.scheme, self.query),
            Location::Path(path) => {
                let path = encode(&path.to_string_lossy(), "/");
                write!(f, "{}://{path}{}", self.scheme, self.query)
            }
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "osc.udp",
            Self::Tcp => "osc.tcp",
            Self::TcpSlip => "osc.tcp+slip",
            Self::Unix => "osc.unix",
            Self::UnixSlip => "osc.unix+slip",
        })
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        parse::endpoint(text)
    }
}
