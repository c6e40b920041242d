//! Network interfaces: by name, number or address. The one file that names if-addrs.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use if_addrs::get_if_addrs;

/// A network interface: by name (`eth0`), by number, or by one of its addresses. It is looked up when the socket
/// is opened.
///
/// ```
/// use std::net::Ipv4Addr;
/// use tokio_osc::channel::Interface;
///
/// assert_eq!(Interface::from("eth0").to_string(), "eth0");
/// assert_eq!(Interface::from("2"), Interface::from(2));
/// assert_eq!(Interface::from("10.0.0.7"), Interface::from(Ipv4Addr::new(10, 0, 0, 7)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    by: By,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum By {
    Name(String),
    Index(u32),
    Address(IpAddr),
}

/// A resolved interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundInterface {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// The address given by the user comes first.
    addresses: Vec<IpAddr>,
}

impl Interface {
    /// Looks up the interface.
    ///
    /// # Errors
    /// No interface matches: the error lists those of the host. Interfaces without an IP address are not found.
    pub(crate) fn find(&self) -> io::Result<FoundInterface> {
        let all = all()?;
        let Some(found) = all.iter().find(|found| self.names(found)) else {
            let names: Vec<_> = all.iter().map(|found| found.name.as_str()).collect();
            let names = names.join(", ");
            let text = format!("no interface `{self}` with an IP address; there are: {names}");
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        };
        let mut found = found.clone();
        if let By::Address(named) = self.by {
            found.addresses.retain(|address| *address != named);
            found.addresses.insert(0, named);
        }
        Ok(found)
    }

    fn names(&self, found: &FoundInterface) -> bool {
        match &self.by {
            By::Name(name) => found.name == *name,
            By::Index(index) => found.index == *index,
            By::Address(address) => found.addresses.contains(address),
        }
    }
}

impl FoundInterface {
    /// The IPv4 address, which identifies the interface for IPv4 groups.
    pub(crate) fn v4(&self) -> io::Result<Ipv4Addr> {
        let v4 = self.addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        v4.ok_or_else(|| {
            let text = format!("the interface `{}` has no IPv4 address", self.name);
            io::Error::new(io::ErrorKind::AddrNotAvailable, text)
        })
    }

    pub(crate) fn has_v6(&self) -> bool {
        self.addresses.iter().any(IpAddr::is_ipv6)
    }
}

/// Lists the interfaces with an IP address, in the order of the system.
pub(crate) fn all() -> io::Result<Vec<FoundInterface>> {
    let mut all: Vec<FoundInterface> = Vec::new();
    for listed in get_if_addrs()? {
        let (Some(index), address) = (listed.index, listed.ip()) else { continue };
        match all.iter_mut().find(|found| found.index == index) {
            Some(found) => found.addresses.push(address),
            None => all.push(FoundInterface { name: listed.name, index, addresses: vec![address] }),
        }
    }
    Ok(all)
}

/// Returns `true` if this host has the address. It has every address of the loopback network.
pub(crate) fn has_address(address: IpAddr) -> io::Result<bool> {
    Ok(address.is_loopback() || all()?.iter().any(|found| found.addresses.contains(&address)))
}

impl FromStr for Interface {
    type Err = std::convert::Infallible;

    /// An index, an address (IPv6 without brackets), or otherwise a name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = text.parse().ok().map(By::Index);
        let number = index.or_else(|| text.parse().ok().map(By::Address));
        Ok(Self { by: number.unwrap_or_else(|| By::Name(text.to_owned())) })
    }
}

impl From<&str> for Interface {
    fn from(text: &str) -> Self {
        let Ok(interface) = text.parse();
        interface
    }
}

impl From<String> for Interface {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<u32> for Interface {
    fn from(index: u32) -> Self {
        Self { by: By::Index(index) }
    }
}

impl From<IpAddr> for Interface {
    fn from(address: IpAddr) -> Self {
        Self { by: By::Address(address) }
    }
}

impl From<Ipv4Addr> for Interface {
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for Interface {
    fn from(address: Ipv6Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Name(name) => f.write_str(name),
            By::Index(index) => index.fmt(f),
            By::Address(address) => address.fmt(f),
        }
    }
}
