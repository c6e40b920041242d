//! Addresses to listen on or to send to, as text: `osc.udp://239.1.2.3:9000/?interface=eth0&ttl=4`.

mod error;
mod parse;
mod query;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::host_port::{HostPort, IpFamily};
pub use error::EndpointError;
use error::EndpointFault;
pub(in crate::channel) use query::Query;
use query::encode;

/// An address to listen on or to send to. Every constructor accepts one: a `SocketAddr`, `(host, port)`,
/// `(ip, port)`, text, or a URL as in liblo, with a scheme, a host and port or a path, and options.
///
/// Constructors of one transport, such as [`Client::udp`](crate::Client::udp), use the host and port.
/// [`bind`](Self::bind) and [`client`](Self::client) use the whole URL. Text that is not valid is an error
/// when the endpoint is used; `str::parse` reports it at once.
///
/// | text | means |
/// | --- | --- |
/// | `osc.udp://HOST:PORT/`, or `HOST:PORT` for short | UDP; multicast if the host is a group |
/// | `osc.udp://HOST:PORT/PATH` | the same; the [`prefix`](Self::prefix) of the addresses there |
/// | `osc.tcp://HOST:PORT/` | TCP, a length before each packet |
/// | `osc.tcp+slip://HOST:PORT/` | TCP, SLIP |
/// | `osc.unix:///PATH` | a Unix datagram socket |
/// | `osc.unix+slip:///PATH` | a Unix stream socket, SLIP |
///
/// | HOST | means |
/// | --- | --- |
/// | `127.0.0.1`, `[::1]` | an address |
/// | `[fe80::1%eth0]`, `[ff02::1%2]` | an address of one link, with the interface by name or number |
/// | `stage.local` | a name, resolved when the socket is opened; IPv4 addresses are tried first |
/// | `*` | every IPv4 address of this host; with `family=ipv6` every IPv6 address, as `[::]` |
///
/// Port 0 takes any free port. Options follow a `?`, separated by `&`. Those marked with + can be repeated:
///
/// | option | of | sets |
/// | --- | --- | --- |
/// | `interface=eth0` + | UDP | the interface of a group or a broadcast, by name, number or address; `all` |
/// | `ttl=4`, `dscp=46`, `device=eth0` | UDP | [`Udp::ttl`](crate::Udp::ttl), [`Udp::dscp`](crate::Udp::dscp), [`Udp::device`](crate::Udp::device) |
/// | `receive_buffer=4194304`, `send_buffer=…` | UDP | [`Udp::receive_buffer`](crate::Udp::receive_buffer), [`Udp::send_buffer`](crate::Udp::send_buffer) |
/// | `reuse=true` | UDP | [`Udp::reuse_address`](crate::Udp::reuse_address) and [`Udp::reuse_port`](crate::Udp::reuse_port) |
/// | `reply_port=4002` | UDP | [`Udp::reply_to_port`](crate::Udp::reply_to_port) |
/// | `local=9001` | UDP, to one host | the port that a client sends from ([`Udp::local`](crate::Udp::local)) |
/// | `broadcast=true` | UDP | [`Broadcast`](crate::Broadcast) instead of [`Udp`](crate::Udp) |
/// | `loop=false` | groups | [`Multicast::multicast_loop`](crate::Multicast::multicast_loop) |
/// | `group=239.1.2.4` +, `source=10.0.0.7` + | groups | [`Multicast::group`](crate::Multicast::group), [`Multicast::source`](crate::Multicast::source) |
/// | `family=ipv6` | all with a host | addresses of this family only, `ipv4` or `ipv6` |
/// | `end=single` | SLIP | one END after each packet, instead of one before and one after |
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
/// assert_eq!(error.to_string(), "`tll` is not an option of osc.udp");
///
/// assert_eq!(Endpoint::from(("stage.local", 9000)), "stage.local:9000".parse()?);
/// assert_eq!(Endpoint::from(([127, 0, 0, 1], 9000)), "osc.udp://127.0.0.1:9000/".parse()?);
/// # Ok::<(), tokio_osc::channel::EndpointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `None` if the text names no transport.
    scheme: Option<Scheme>,
    pub(in crate::channel) location: Location,
    /// Behind a host and port; with its first slash, or empty.
    prefix: String,
    pub(in crate::channel) query: Query,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::channel) enum Location {
    Host(HostPort),
    Path(PathBuf),
    Illegal(String, EndpointError),
}

/// UDP if the text names no transport.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.scheme() == other.scheme()
            && self.location == other.location
            && self.prefix == other.prefix
            && self.query == other.query
    }
}

impl Eq for Endpoint {}

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
    /// `osc.tcp`: length prefixes.
    Tcp,
    /// `osc.tcp+slip`
    TcpSlip,
    /// `osc.unix`: datagrams.
    Unix,
    /// `osc.unix+slip`: a stream.
    UnixSlip,
}

impl Endpoint {
    pub(in crate::channel) fn at_host(host: HostPort) -> Self {
        Self::plain(Location::Host(host))
    }

    fn plain(location: Location) -> Self {
        Self { scheme: None, location, prefix: String::new(), query: Query::default() }
    }

    /// Returns the transport. UDP if the text names none.
    pub fn scheme(&self) -> Scheme {
        self.scheme.unwrap_or(Scheme::Udp)
    }

    /// Returns the host and port as text. `None` for a Unix socket.
    pub fn host(&self) -> Option<String> {
        match &self.location {
            Location::Host(host) => Some(host.to_string()),
            Location::Path(_) | Location::Illegal(..) => None,
        }
    }

    /// Returns the path of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.location {
            Location::Path(path) => Some(path),
            Location::Host(_) | Location::Illegal(..) => None,
        }
    }

    /// Returns the path after the host and port, such as `/Carla`, or an empty string. Some programs built on liblo
    /// (Carla, Non Session Manager) announce such URLs: their OSC addresses begin with this path. Sockets ignore it.
    ///
    /// ```
    /// use tokio_osc::{Endpoint, Message};
    ///
    /// let carla: Endpoint = "osc.udp://127.0.0.1:22752/Carla".parse()?;
    /// let address = format!("{}/register", carla.prefix());
    /// let register = Message::new(address, "osc.udp://127.0.0.1:9000/me")?;
    /// assert_eq!(register.address(), "/Carla/register");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the address family, if the text names one.
    pub const fn family(&self) -> Option<IpFamily> {
        self.query.family
    }

    /// Returns `true` if SLIP frames have one END instead of two.
    pub const fn single_end(&self) -> bool {
        self.query.single_end
    }

    fn illegal(text: String, error: EndpointError) -> Self {
        Self::plain(Location::Illegal(text, error))
    }

    /// Returns the endpoint with another address. For printing a bound channel whose port was 0 or whose host
    /// was a name.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { location: Location::Host(address.into()), ..self.clone() }
    }

    /// Resolves the addresses, for a constructor of one transport.
    pub(crate) async fn resolve(
        &self,
        transport: Scheme,
        family: Option<IpFamily>,
    ) -> io::Result<Vec<SocketAddr>> {
        self.require_plain(transport)?;
        self.host_port()?.resolve(family.or(self.query.family)).await
    }

    /// Returns the single address, for a UDP constructor that does not resolve names.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.require_plain(Scheme::Udp)?;
        self.host_port()?.address()
    }

    pub(in crate::channel) fn host_port(&self) -> io::Result<&HostPort> {
        match &self.location {
            Location::Host(host) => Ok(host),
            Location::Path(_) => Err(invalid(EndpointFault::Foreign(self.to_string()).into())),
            Location::Illegal(_, error) => Err(invalid(error.clone())),
        }
    }

    /// Refuses a URL with another transport or with options, which would otherwise be ignored.
    fn require_plain(&self, transport: Scheme) -> io::Result<()> {
        let fits = match self.scheme {
            // The caller passes the framing.
            Some(Scheme::Tcp | Scheme::TcpSlip) => transport == Scheme::Tcp,
            Some(scheme) => scheme == transport,
            None => true,
        };
        if fits && !self.query.has_options() {
            return Ok(());
        }
        Err(invalid(EndpointFault::Foreign(self.to_string()).into()))
    }

    /// The host and port or the path, for the text of errors.
    pub(crate) fn place(&self) -> String {
        match &self.location {
            Location::Host(host) => host.to_string(),
            Location::Path(path) => path.display().to_string(),
            Location::Illegal(text, _) => text.clone(),
        }
    }
}

fn invalid(error: EndpointError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Host(host) if self.prefix.is_empty() => {
                write!(f, "{}://{host}/{}", self.scheme(), self.query)
            }
            Location::Host(host) => {
                write!(f, "{}://{host}{}{}", self.scheme(), encode(&self.prefix, "/"), self.query)
            }
            Location::Illegal(text, _) => f.write_str(text),
            Location::Path(path) => {
                let path = encode(&path.to_string_lossy(), "/");
                write!(f, "{}://{path}{}", self.scheme(), self.query)
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

/// Text that is not valid is an error when the endpoint is used.
impl From<&str> for Endpoint {
    fn from(text: &str) -> Self {
        text.parse().unwrap_or_else(|error| Self::illegal(text.to_owned(), error))
    }
}

impl From<String> for Endpoint {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Endpoint {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<(&str, u16)> for Endpoint {
    fn from((host, port): (&str, u16)) -> Self {
        HostPort::new(host, port)
            .map_or_else(|error| Self::illegal(format!("{host}:{port}"), error.into()), Self::at_host)
    }
}

impl From<(String, u16)> for Endpoint {
    fn from((host, port): (String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

/// Several addresses of one peer, which are tried in order.
impl From<&[SocketAddr]> for Endpoint {
    fn from(addresses: &[SocketAddr]) -> Self {
        Self::at_host(HostPort::listed(addresses))
    }
}

impl From<&SocketAddr> for Endpoint {
    fn from(address: &SocketAddr) -> Self {
        (*address).into()
    }
}

impl From<&Self> for Endpoint {
    fn from(endpoint: &Self) -> Self {
        endpoint.clone()
    }
}

/// Listed one by one: a blanket implementation for all that turns into an IP address would exclude the host
/// names.
macro_rules! from_addresses {
    ($($address:ty),*) => {$(
        impl From<$address> for Endpoint {
            fn from(address: $address) -> Self {
                Self::at_host(SocketAddr::from(address).into())
            }
        }
    )*};
}

from_addresses!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16),
    ([u8; 4], u16),
    ([u16; 8], u16)
);
