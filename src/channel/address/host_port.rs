//! The host, by name or by address, and the port of an endpoint.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::str::FromStr;

use tokio::net::lookup_host;

use super::interface::Interface;
use crate::channel::socket::{failed, unspecified};

/// A host and a port, or several addresses: the place of an [`Endpoint`](crate::Endpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
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
    /// Each with its own port.
    Listed(Vec<SocketAddr>),
}

/// A kind of IP addresses.
///
/// ```
/// use tokio_osc::Udp;
/// use tokio_osc::channel::IpFamily;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let channel = Udp::new("localhost:0").family(IpFamily::V4).bind().await?;
/// assert!(channel.local_addr()?.is_ipv4());
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
    pub(crate) fn new(host: &str, port: u16) -> Result<Self, HostPortError> {
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
            return Err(HostPortError { text: host.to_owned(), why: HostPortFault::Host });
        } else {
            Host::Name(host.to_owned())
        };
        Ok(Self { host, port })
    }

    /// Addresses to be tried in order.
    pub(crate) fn listed(addresses: &[SocketAddr]) -> Self {
        Self { host: Host::Listed(addresses.to_vec()), port: 0 }
    }

    /// The one address, if it is known without a look-up.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        match &self.host {
            Host::Address(address, link) => Ok(with_link(*address, self.port, *link)),
            Host::Link(address, interface) => {
                let index = Interface::from(interface.as_str()).find()?.index;
                Ok(with_link((*address).into(), self.port, index))
            }
            Host::Every => Ok(SocketAddr::new(unspecified(false), self.port)),
            Host::Name(_) | Host::Listed(_) => {
                let text = format!("`{self}`: one IP address is needed here, not a name");
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    }

    /// Its addresses of one family or of both, in the order in which to try them: at least one. IPv4 comes first,
    /// because much OSC software supports nothing else.
    pub(crate) async fn resolve(&self, family: Option<IpFamily>) -> io::Result<Vec<SocketAddr>> {
        let all = match &self.host {
            Host::Every => vec![SocketAddr::new(unspecified(family == Some(IpFamily::V6)), self.port)],
            Host::Name(name) => {
                let found = lookup_host((name.as_str(), self.port)).await;
                found.map_err(|error| failed(&error, format!("cannot find the host `{name}`")))?.collect()
            }
            Host::Listed(addresses) => addresses.clone(),
            Host::Address(..) | Host::Link(..) => vec![self.address()?],
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

/// Whether an address is valid on one link only.
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

/// Refuses a link-local address without its interface: the system would choose any.
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
        Self::new(host, port).map_err(|_| error(HostPortFault::Host))
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

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.host {
            Host::Address(address, link) => with_link(*address, port, *link).fmt(f),
            Host::Link(address, interface) => write!(f, "[{address}%{interface}]:{port}"),
            Host::Every => write!(f, "*:{port}"),
            Host::Name(name) => write!(f, "{name}:{port}"),
            Host::Listed(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                f.write_str(&addresses.join(", "))
            }
        }
    }
}

/// Why a text is not a valid host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPortError {
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
                write!(f, "`{text}`: write an IPv6 address in brackets, as in [::1]:9000")
            }
            HostPortFault::Host => write!(f, "`{text}` is not a valid host"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Rows C03 and D01.
    #[tokio::test]
    async fn addresses_are_tried_ipv4_first_and_only_those_of_the_chosen_family() {
        let addresses: [SocketAddr; 3] =
            ["[::1]:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap(), "[::1]:3".parse().unwrap()];
        let listed = HostPort::listed(&addresses);
        let ports = async |family| {
            let found = listed.resolve(family).await.unwrap();
            found.iter().map(SocketAddr::port).collect::<Vec<_>>()
        };
        assert_eq!(ports(None).await, [2, 1, 3]);
        assert_eq!(ports(Some(IpFamily::V4)).await, [2]);
        assert_eq!(ports(Some(IpFamily::V6)).await, [1, 3]);
        let error = HostPort::listed(&addresses[1..2]).resolve(Some(IpFamily::V6)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
