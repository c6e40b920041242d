//! Whom to reach and where to listen: a host, by name or by number, and a port.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::str::FromStr;

use tokio::net::lookup_host;

use super::interface::Interface;
use crate::channel::socket::{failed, unspecified};

/// A host and a port: what [`Udp`](crate::Udp) and [`Endpoint`](crate::Endpoint) take.
///
/// | text | means |
/// | --- | --- |
/// | `127.0.0.1:9000`, `[::1]:9000` | an address |
/// | `[fe80::1%eth0]:9000`, `[ff02::1%2]:9000` | an address of one link, with the interface by name or number |
/// | `stage.local:9000` | a name, looked up when a socket is made |
/// | `*:9000` | every address of this host; IPv4 unless told otherwise |
///
/// Addresses, `(host, port)` and text turn into one. Port 0 takes any free port. What is not a host
/// and port is an error when it is used; parse the text to have it at once.
///
/// ```
/// use tokio_osc::channel::HostPort;
///
/// assert_eq!(HostPort::from(([127, 0, 0, 1], 9000)), "127.0.0.1:9000".parse()?);
/// assert_eq!(HostPort::from(("::1", 9000)).to_string(), "[::1]:9000");
/// assert!("stage.local:http".parse::<HostPort>().is_err());
/// # Ok::<(), tokio_osc::channel::HostPortError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// With the number of its link, or 0.
    Address(IpAddr, u32),
    /// An IPv6 address of a link whose interface is named.
    Link(Ipv6Addr, String),
    Every,
    Name(String),
    Illegal(HostPortError),
}

/// A kind of IP addresses.
///
/// ```
/// use tokio_osc::channel::{HostPort, IpFamily};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let host = HostPort::from(("localhost", 9000));
/// for address in host.resolve(Some(IpFamily::V4)).await? {
///     assert!(address.is_ipv4());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl HostPort {
    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses it has, of the given family or of both, in the order in which to try them.
    /// Names are looked up; this is at least one address. IPv4 comes first: much OSC software
    /// speaks nothing else.
    ///
    /// # Errors
    /// There is no such host, it has no address of this family, or its interface is not there.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn resolve(&self, family: Option<IpFamily>) -> io::Result<Vec<SocketAddr>> {
        let all = match &self.host {
            Host::Address(address, link) => vec![with_link(*address, self.port, *link)],
            Host::Link(address, interface) => {
                let index = Interface::from(interface.as_str()).find()?.index;
                vec![with_link((*address).into(), self.port, index)]
            }
            Host::Every => vec![SocketAddr::new(unspecified(family == Some(IpFamily::V6)), self.port)],
            Host::Name(name) => {
                let found = lookup_host((name.as_str(), self.port)).await;
                found.map_err(|error| failed(&error, format!("host `{name}`")))?.collect()
            }
            Host::Illegal(error) => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, error.clone()));
            }
        };
        let wanted = |address: &SocketAddr| match family {
            None => true,
            Some(IpFamily::V4) => address.is_ipv4(),
            Some(IpFamily::V6) => address.is_ipv6(),
        };
        let mut all: Vec<_> = all.into_iter().filter(wanted).collect();
        all.sort_by_key(SocketAddr::is_ipv6);
        if all.is_empty() {
            let family = family.map_or(String::new(), |family| format!("IP{family:?} ").to_lowercase());
            let text = format!("`{self}` has no {family}address");
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        Ok(all)
    }

    fn with_host(host: &str, port: u16) -> Self {
        let number = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = if host == "*" {
            Host::Every
        } else if let Ok(address) = number.parse() {
            Host::Address(address, 0)
        } else if let Some((address, link)) = link_address(number) {
            match link.parse() {
                Ok(index) => Host::Address(address.into(), index),
                Err(_) => Host::Link(address, link.to_owned()),
            }
        } else if host.is_empty() || host.contains([':', '[', ']', '/', '%', '?', '@', ' ']) {
            Host::Illegal(HostPortError { text: host.to_owned(), why: HostPortFault::Host })
        } else {
            Host::Name(host.to_owned())
        };
        Self { host, port }
    }
}

/// `fe80::1%eth0` in its parts.
fn link_address(text: &str) -> Option<(Ipv6Addr, &str)> {
    let (address, link) = text.split_once('%')?;
    Some((address.parse().ok()?, link)).filter(|(_, link)| !link.is_empty())
}

fn with_link(address: IpAddr, port: u16, link: u32) -> SocketAddr {
    match address {
        IpAddr::V4(address) => SocketAddrV4::new(address, port).into(),
        IpAddr::V6(address) => SocketAddrV6::new(address, port, 0, link).into(),
    }
}

/// Whether an address means something on one link only.
pub(crate) fn is_of_a_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => {
            let [first, second, ..] = address.octets();
            // fe80::/10, and groups of the scopes "interface" and "link".
            (first == 0xfe && second & 0xc0 == 0x80) || (first == 0xff && matches!(second & 0x0f, 1 | 2))
        }
    }
}

/// Refuses an address of a link that does not say of which: it would leave by any interface.
pub(crate) fn require_link(address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() == 0 && is_of_a_link(address.ip()) => {
            let text = format!("{0} is an address of one link: name the interface, as in {0}%eth0", v6.ip());
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
        _ => Ok(()),
    }
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let error = |why| HostPortError { text: text.to_owned(), why };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| error(HostPortFault::NoPort))?;
        let port = port.parse().map_err(|_| error(HostPortFault::Port))?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(error(HostPortFault::Brackets));
        }
        match Self::with_host(host, port) {
            Self { host: Host::Illegal(_), .. } => Err(error(HostPortFault::Host)),
            legal => Ok(legal),
        }
    }
}

impl From<&str> for HostPort {
    fn from(text: &str) -> Self {
        text.parse().unwrap_or_else(|error| Self { host: Host::Illegal(error), port: 0 })
    }
}

impl From<String> for HostPort {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for HostPort {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<(&str, u16)> for HostPort {
    fn from((host, port): (&str, u16)) -> Self {
        Self::with_host(host, port)
    }
}

impl From<(String, u16)> for HostPort {
    fn from((host, port): (String, u16)) -> Self {
        Self::with_host(&host, port)
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        let link = match address {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(address) => address.scope_id(),
        };
        Self { host: Host::Address(address.ip(), link), port: address.port() }
    }
}

macro_rules! from_addresses {
    ($($address:ty),*) => {$(
        impl From<$address> for HostPort {
            fn from(address: $address) -> Self {
                SocketAddr::from(address).into()
            }
        }
    )*};
}

from_addresses!(SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16), ([u8; 4], u16));

impl From<&SocketAddr> for HostPort {
    fn from(address: &SocketAddr) -> Self {
        (*address).into()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.host {
            Host::Address(address, link) => with_link(*address, port, *link).fmt(f),
            Host::Link(address, interface) => write!(f, "[{address}%{interface}]:{port}"),
            Host::Every => write!(f, "*:{port}"),
            Host::Name(name) => write!(f, "{name}:{port}"),
            Host::Illegal(error) => f.write_str(&error.text),
        }
    }
}

/// Why a text is not a valid host and port.
///
/// ```
/// use tokio_osc::channel::HostPort;
///
/// let error = "::1:9000".parse::<HostPort>().unwrap_err();
/// assert_eq!(error.to_string(), "`::1:9000`: an IPv6 address stands in brackets, as in [::1]:9000");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HostPortError {
    text: String,
    why: HostPortFault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostPortFault {
    NoPort,
    Port,
    Brackets,
    Host,
}

impl fmt::Display for HostPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.why {
            HostPortFault::NoPort => write!(f, "`{text}` has no port, HOST:PORT is needed"),
            HostPortFault::Port => write!(f, "`{text}`: the port is a number up to 65535"),
            HostPortFault::Brackets => {
                write!(f, "`{text}`: an IPv6 address stands in brackets, as in [::1]:9000")
            }
            HostPortFault::Host => write!(f, "`{text}` is no host"),
        }
    }
}

readable! { struct HostPortError { text, why } }

impl std::error::Error for HostPortError {}
