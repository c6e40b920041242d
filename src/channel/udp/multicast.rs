//! UDP multicast.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use super::options::{UdpOptions, common_setters, known_address};
use super::socket::{ReplyTo, UdpSocketState};
use crate::channel::Channel;
use crate::channel::address::host_port::{is_of_a_link, require_link};
use crate::channel::address::interface::{self, FoundInterface, Interface};
use crate::channel::address::{Endpoint, PeerNames};
use crate::channel::bind_error::BindError;
use crate::channel::socket::{Via, failed, join, only_own_groups, send_by, set_loop, unspecified};
use crate::wire::DecodeOptions;

/// Options of a socket that receives from multicast groups, or sends to them. Create the socket with
/// [`join`](Multicast::join), [`client`](Multicast::client) or [`clients`](Multicast::clients).
///
/// **Name the interface.** A host has several. The system chooses the one of the default route, and that is
/// often not the one that the other devices are connected to.
///
/// | option | default |
/// | --- | --- |
/// | [`interface`](Multicast::interface), [`all_interfaces`](Multicast::all_interfaces) | the system's choice |
/// | [`group`](Multicast::group) | only the one of [`new`](Multicast::new) |
/// | [`source`](Multicast::source) | any sender |
/// | [`multicast_loop`](Multicast::multicast_loop) | true |
/// | [`local`](Multicast::local) | the group's address and port (join; every address if the system requires it), any free port (client) |
/// | [`reuse_address`](Multicast::reuse_address), [`reuse_port`](Multicast::reuse_port) | true: several programs on a host can join a group |
/// | [`ttl`](Multicast::ttl) | the system's, usually 1: the local network |
///
/// The other options are those of [`Udp`](crate::Udp). Groups that only other programs on this host joined
/// are not received (on Linux, `IP_MULTICAST_ALL` is turned off for this).
///
/// ```
/// use std::net::Ipv4Addr;
/// use tokio_osc::Multicast;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let group = Multicast::new(([239, 1, 2, 3], 0)).interface(Ipv4Addr::LOCALHOST);
/// let mut channel = group.join()?;
/// let port = channel.local_addr()?.port();
/// let client = Multicast::new(([239, 1, 2, 3], port)).interface(Ipv4Addr::LOCALHOST).client()?;
/// client.send(("/scene", 3)).await?;
///
/// let (packet, _) = channel.recv().await.expect("a channel never ends");
/// assert_eq!(packet?.to_string(), "/scene ,i 3");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "options do nothing until they end in a verb"]
pub struct Multicast {
    group: SocketAddr,
    /// An invalid address, which becomes the error of the final method.
    illegal: Option<Endpoint>,
    /// Further groups on the same port.
    others: Vec<IpAddr>,
    interfaces: Interfaces,
    sources: Vec<IpAddr>,
    hear_own: bool,
    local: Option<SocketAddr>,
    common: UdpOptions,
}

#[derive(Clone, Debug)]
enum Interfaces {
    /// Empty if the system chooses.
    Listed(Vec<Interface>),
    All,
}

impl Multicast {
    /// Creates options for this group and port. The scope of an IPv6 group, if it has one, is its interface.
    pub fn new(group: impl Into<Endpoint>) -> Self {
        let mut common = UdpOptions::default();
        common.socket.reuse_address = true;
        common.socket.reuse_port = true;
        let mut illegal = None;
        let group = known_address(group.into(), &mut illegal);
        let interfaces = match group {
            SocketAddr::V6(group) if group.scope_id() != 0 => vec![group.scope_id().into()],
            _ => Vec::new(),
        };
        Self {
            group,
            illegal,
            others: Vec::new(),
            interfaces: Interfaces::Listed(interfaces),
            sources: Vec::new(),
            hear_own: true,
            local: None,
            common,
        }
    }

    /// Adds another group on the same port.
    pub fn group(mut self, group: impl Into<IpAddr>) -> Self {
        self.others.push(group.into());
        self
    }

    /// Joins and sends by this interface. Can be called repeatedly, to use several interfaces.
    pub fn interface(mut self, interface: impl Into<Interface>) -> Self {
        match &mut self.interfaces {
            Interfaces::Listed(listed) => listed.push(interface.into()),
            Interfaces::All => self.interfaces = Interfaces::Listed(vec![interface.into()]),
        }
        self
    }

    /// Joins and sends by every interface that has an address of the group's family. On a network that two of
    /// them are connected to, each packet arrives twice.
    pub fn all_interfaces(mut self) -> Self {
        self.interfaces = Interfaces::All;
        self
    }

    /// Receives from this sender only (source-specific multicast). Can be called repeatedly, to add senders.
    /// IPv4 only.
    pub fn source(mut self, sender: impl Into<IpAddr>) -> Self {
        self.sources.push(sender.into());
        self
    }

    /// Sets whether programs on this host receive the packets sent to the group. On Windows the setting of the
    /// receiver applies, elsewhere that of the sender. The loopback interface ignores it. Default true.
    pub const fn multicast_loop(mut self, hear: bool) -> Self {
        self.hear_own = hear;
        self
    }

    /// Binds to this address instead. With the unspecified address and the port of the group, a channel also
    /// receives packets to this host.
    pub fn local(mut self, address: impl Into<Endpoint>) -> Self {
        self.local = Some(known_address(address.into(), &mut self.illegal));
        self
    }

    common_setters!();

    /// Joins the groups and receives their packets.
    ///
    /// On Unix the socket is bound to the group's address, so that it receives nothing else; for several groups
    /// it is bound to the unspecified address.
    ///
    /// # Errors
    /// Returns an error if an address is not a group, a link-local group has no interface, an interface does
    /// not exist or has no address of this family, another socket has the port and does not share it, or the
    /// system refuses to join (Linux: 20 groups per socket, `net.ipv4.igmp_max_memberships`). The error names
    /// the cause.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn join(self) -> Result<Channel, BindError> {
        let state = self.join_socket();
        let state = state.map_err(BindError::cannot(format_args!("listen on udp {}", self.group)))?;
        Ok(self.common.channel(state))
    }

    fn join_socket(&self) -> io::Result<UdpSocketState> {
        let by = self.by()?;
        let state = self.common.open(self.bind_address(&by))?;
        let device = match by.as_slice() {
            [Way { name: Some(name), .. }] => Some(name.as_str()),
            _ => None,
        };
        only_own_groups(&state.socket, self.is_v6(), device)?;
        let mut refused = Vec::new();
        for via in &by {
            match self.join_by(&state, via) {
                Ok(()) => {}
                Err(error) if self.wants_all() => refused.push(error),
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(error)) = (refused.len() == by.len(), refused.pop()) {
            return Err(error);
        }
        self.send_by(&state, by.first())?;
        Ok(state)
    }

    /// The options of the socket, for its client.
    pub(crate) fn options(&self) -> &UdpOptions {
        &self.common
    }

    /// Creates a socket for each interface, with its groups.
    pub(crate) fn senders(&self) -> Result<Vec<(UdpSocketState, Vec<SocketAddr>)>, BindError> {
        let sender =
            |way: &Way| Ok((self.sender(way)?, self.groups().map(|group| peer(group, way)).collect()));
        let senders = self.by().and_then(|by| by.iter().map(sender).collect());
        senders.map_err(BindError::cannot(format_args!("reach udp {}", self.group)))
    }

    /// Resolves the interfaces, at least one.
    fn by(&self) -> io::Result<Vec<Way>> {
        self.check()?;
        match &self.interfaces {
            Interfaces::Listed(listed) if listed.is_empty() => {
                self.groups().try_for_each(require_link)?;
                let any = if self.is_v6() { Via::V6(0) } else { Via::V4(Ipv4Addr::UNSPECIFIED) };
                Ok(vec![Way { via: any, name: None }])
            }
            Interfaces::Listed(listed) => {
                listed.iter().map(|interface| self.way(interface.find()?)).collect()
            }
            Interfaces::All => {
                let all: Vec<_> =
                    interface::all()?.into_iter().filter_map(|found| self.way(found).ok()).collect();
                if all.is_empty() {
                    let text = "no interface has an address of this family";
                    return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
                }
                Ok(all)
            }
        }
    }

    fn check(&self) -> io::Result<()> {
        if let Some(illegal) = &self.illegal {
            illegal.address()?;
        }
        let wrong = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        for group in self.groups() {
            if !group.ip().is_multicast() {
                return wrong(format!(
                    "{} is not a group: 224.0.0.0 to 239.255.255.255, or ff00::/8",
                    group.ip()
                ));
            }
        }
        let mixed = |address: IpAddr| address.is_ipv6() != self.is_v6();
        if self.others.iter().any(|group| mixed(*group)) || self.sources.iter().any(|source| mixed(*source)) {
            return wrong("IPv4 and IPv6 are mixed: make a socket of each".to_owned());
        }
        Ok(())
    }

    fn way(&self, found: FoundInterface) -> io::Result<Way> {
        let via = if self.is_v6() {
            if !found.has_v6() {
                let text = format!("the interface `{}` has no IPv6 address", found.name);
                return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
            }
            Via::V6(found.index)
        } else {
            Via::V4(found.v4()?)
        };
        Ok(Way { via, name: Some(found.name) })
    }

    fn bind_address(&self, by: &[Way]) -> SocketAddr {
        let every = SocketAddr::new(unspecified(self.is_v6()), self.group.port());
        let bound = match by {
            [] => every,
            [way] => peer(self.group, way),
            // Bound to a link-local group, it would receive on that link only.
            _ if is_of_a_link(self.group.ip()) => every,
            [way, ..] => peer(self.group, way),
        };
        let alone = self.others.is_empty() && cfg!(unix);
        self.local.unwrap_or(if alone { bound } else { every })
    }

    fn join_by(&self, state: &UdpSocketState, way: &Way) -> io::Result<()> {
        let senders: Vec<_> = match self.sources.as_slice() {
            [] => vec![None],
            senders => senders.iter().copied().map(Some).collect(),
        };
        for group in self.groups().map(|group| group.ip()) {
            for sender in &senders {
                join(&state.socket, group, *sender, way.via)
                    .map_err(|error| failed(&error, format!("cannot join {group} by {way}")))?;
            }
        }
        Ok(())
    }

    fn sender(&self, way: &Way) -> io::Result<UdpSocketState> {
        // Any free port, unless one was set.
        let mut common = self.common.clone();
        if self.local.is_none() {
            common.socket.reuse_address = false;
            common.socket.reuse_port = false;
        }
        let any = SocketAddr::new(unspecified(self.is_v6()), 0);
        let state = common.open(self.local.unwrap_or(any))?;
        self.send_by(&state, Some(way))?;
        Ok(state)
    }

    fn send_by(&self, state: &UdpSocketState, way: Option<&Way>) -> io::Result<()> {
        if let Some(way) = way {
            send_by(&state.socket, way.via)
                .map_err(|error| failed(&error, format!("cannot send by {way}")))?;
        }
        set_loop(&state.socket, self.is_v6(), self.hear_own)
    }

    fn groups(&self) -> impl Iterator<Item = SocketAddr> {
        let port = self.group.port();
        let others = self.others.iter().map(move |group| SocketAddr::new(*group, port));
        std::iter::once(self.group).chain(others)
    }

    fn wants_all(&self) -> bool {
        matches!(self.interfaces, Interfaces::All)
    }

    fn is_v6(&self) -> bool {
        self.group.is_ipv6()
    }
}

/// An interface, as the socket and as the user identify it.
#[derive(Clone, Debug)]
struct Way {
    via: Via,
    /// `None` if the system chooses.
    name: Option<String>,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("the interface of the system's choice"))
    }
}

/// The group as a socket address, with the scope of a link-local group.
fn peer(group: SocketAddr, way: &Way) -> SocketAddr {
    match (group, way.via) {
        (SocketAddr::V6(v6), Via::V6(link)) if is_of_a_link(group.ip()) => {
            SocketAddrV6::new(*v6.ip(), v6.port(), 0, link).into()
        }
        _ => group,
    }
}
