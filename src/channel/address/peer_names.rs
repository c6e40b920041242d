//! Names of peers: a table that is read while packets are received, and filled by the caller or by a task.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use futures::stream::{StreamExt, unfold};
use tokio::sync::mpsc;

use super::host_port::HostPort;
use crate::user_function::UserFunction;

/// How many looked-up names are kept; the oldest is dropped first.
const MAX_LOOKED_UP: usize = 1_024;
/// How many addresses wait to be looked up; more are ignored until their next packet.
const MAX_WAITING: usize = 64;
/// How many are looked up at a time: a slow one, such as that of a forged address, delays few others.
const AT_ONCE: usize = 16;
/// Timeout of one look-up.
const LOOK_UP_TIME: Duration = Duration::from_secs(5);

/// Names of the senders of packets, by address or by address and port.
///
/// Channels that use it ([`Udp::peer_names`](crate::Udp::peer_names)) set
/// [`Meta::peer_name`](crate::Meta::peer_name) to the name of a packet's sender. It can be changed at any time; all
/// clones share one table. A name for an address and port takes precedence over one for the address.
///
/// Receiving never waits for a name. [`look_up`](PeerNames::look_up) has unknown addresses looked up
/// in the background, such as by reverse DNS; the first packets of a sender then have no name.
///
/// The address of a UDP sender can be forged, so a name proves nothing.
///
/// ```
/// use tokio_osc::channel::PeerNames;
/// use tokio_osc::{Client, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let names = PeerNames::new();
/// names.insert([127, 0, 0, 1], "this host");
/// let mut channel = Udp::new("127.0.0.1:0").peer_names(&names).bind().await?;
/// Client::udp(channel.local_addr()?).await?.send(("/hello", ())).await?;
///
/// let (_, meta) = channel.recv().await.expect("a channel never ends");
/// assert_eq!(meta.peer_name(), Some("this host"));
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct PeerNames {
    table: Arc<RwLock<NameTable>>,
}

#[derive(Default)]
struct NameTable {
    given: HashMap<IpAddr, Arc<str>>,
    given_with_port: HashMap<SocketAddr, Arc<str>>,
    looked_up: LookedUp,
    /// Takes unknown addresses to the task that looks them up.
    unknown: Option<mpsc::Sender<IpAddr>>,
}

impl PeerNames {
    /// Creates an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of an address, for all ports.
    pub fn insert(&self, address: impl Into<IpAddr>, name: impl Into<Arc<str>>) {
        self.write().given.insert(address.into().to_canonical(), name.into());
    }

    /// Sets the name of an address and port.
    pub fn insert_with_port(&self, address: impl Into<SocketAddr>, name: impl Into<Arc<str>>) {
        self.write().given_with_port.insert(canonical(address.into()), name.into());
    }

    /// Resolves a host name, and sets it as the name of each of its addresses, for all ports.
    ///
    /// # Errors
    /// Returns an error if the name has no address.
    ///
    /// # Cancel safety
    /// If the future is dropped, no name is set.
    pub async fn insert_host(&self, name: &str) -> io::Result<()> {
        let host = HostPort::new(name, 0)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        let addresses = host.resolve(None).await?;
        for address in addresses {
            self.insert(address.ip(), name);
        }
        Ok(())
    }

    /// Removes the names of an address, including those with a port.
    pub fn remove(&self, address: impl Into<IpAddr>) {
        let address = address.into().to_canonical();
        let mut table = self.write();
        table.given.remove(&address);
        table.given_with_port.retain(|known, _| known.ip() != address);
        table.looked_up.remove(address);
    }

    /// Returns the name of an address. If it has none and [`look_up`](PeerNames::look_up) was called, it is
    /// looked up in the background.
    pub fn get(&self, address: SocketAddr) -> Option<Arc<str>> {
        let address = canonical(address);
        let table = self.read();
        let with_port = table.given_with_port.get(&address);
        if let Some(name) = with_port.or_else(|| table.given.get(&address.ip())) {
            return Some(Arc::clone(name));
        }
        let unknown = table.unknown.as_ref()?;
        if let Some(found) = table.looked_up.names.get(&address.ip()) {
            return found.clone();
        }
        // Once, however many packets come meanwhile. If the queue is full, the next packet of this peer asks again.
        if !table.looked_up.asked.contains(&address.ip()) && unknown.try_send(address.ip()).is_ok() {
            drop(table);
            self.write().looked_up.note_asked(address.ip());
        }
        None
    }

    /// Looks up unknown addresses with this function, at most 16 at a time, in a task that ends with the table.
    /// Results, "no name" included, are kept for the last 1,024 addresses; at most 64 addresses wait. An address
    /// has no name if its look-up takes more than 5 s or panics.
    ///
    /// ```
    /// use tokio_osc::channel::PeerNames;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let names = PeerNames::new();
    /// // Put a reverse look-up here, such as that of the crate `dns-lookup` in
    /// // `tokio::task::spawn_blocking`.
    /// names.look_up(async |address| Some(format!("host-{address}")));
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub fn look_up<F, R>(&self, name_of: F)
    where
        F: Fn(IpAddr) -> R + Send + 'static,
        R: Future<Output = Option<String>> + Send + 'static,
    {
        let (unknown, addresses) = mpsc::channel(MAX_WAITING);
        let mut table = self.write();
        table.unknown = Some(unknown);
        table.looked_up.asked.clear();
        drop(table);
        tokio::spawn(look_up_all(addresses, Arc::downgrade(&self.table), name_of));
    }

    fn read(&self) -> RwLockReadGuard<'_, NameTable> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, NameTable> {
        write(&self.table)
    }
}

fn write(table: &RwLock<NameTable>) -> RwLockWriteGuard<'_, NameTable> {
    table.write().unwrap_or_else(PoisonError::into_inner)
}

/// Normalizes an address: IPv4-mapped addresses become IPv4 addresses, and the scope id is removed.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Runs until the table is dropped or has another function.
async fn look_up_all<F, R>(addresses: mpsc::Receiver<IpAddr>, table: Weak<RwLock<NameTable>>, name_of: F)
where
    F: Fn(IpAddr) -> R,
    R: Future<Output = Option<String>> + Send,
{
    let function = Arc::new(UserFunction::new("PeerNames::look_up"));
    let addresses = unfold(addresses, async |mut addresses| Some((addresses.recv().await?, addresses)));
    let look_ups = addresses.map(move |address| {
        let looking = function.call(|| name_of(address));
        let function = Arc::clone(&function);
        async move {
            let name = match looking {
                Ok(looking) => tokio::time::timeout(LOOK_UP_TIME, function.wait(looking)).await,
                Err(panicked) => Ok(Err(panicked)),
            };
            (address, name.ok().and_then(Result::ok).flatten())
        }
    });
    let mut found = pin!(look_ups.buffer_unordered(AT_ONCE));
    while let Some((address, name)) = found.next().await {
        let Some(table) = table.upgrade() else { return };
        write(&table).looked_up.insert(address, name.map(Arc::from));
    }
}

/// The results, limited in number, because peers choose the addresses.
#[derive(Default)]
struct LookedUp {
    names: HashMap<IpAddr, Option<Arc<str>>>,
    order: VecDeque<IpAddr>,
    /// The addresses that wait, or are being looked up.
    asked: HashSet<IpAddr>,
}

impl LookedUp {
    /// The result may have come in between.
    fn note_asked(&mut self, address: IpAddr) {
        if !self.names.contains_key(&address) {
            self.asked.insert(address);
        }
    }

    fn insert(&mut self, address: IpAddr, name: Option<Arc<str>>) {
        self.asked.remove(&address);
        if self.names.insert(address, name).is_none() {
            self.order.push_back(address);
        }
        if self.order.len() > MAX_LOOKED_UP {
            if let Some(oldest) = self.order.pop_front() {
                self.names.remove(&oldest);
            }
        }
    }

    fn remove(&mut self, address: IpAddr) {
        self.names.remove(&address);
        self.order.retain(|known| *known != address);
    }
}

impl fmt::Debug for PeerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.read();
        let names: HashSet<&str> =
            table.given.values().chain(table.given_with_port.values()).map(AsRef::as_ref).collect();
        f.debug_set().entries(names).finish()
    }
}
