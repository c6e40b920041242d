//! Statistics of a UDP socket, readable while a server owns the socket.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use super::drops::kernel_drops;
use super::socket::UdpSocketState;
use crate::channel::address::interface::has_address;
use crate::channel::socket::buffer_sizes;

/// Reads the statistics of a UDP socket. Created by [`Channel::monitor`](crate::Channel::monitor) and
/// [`Client::monitor`](crate::Client::monitor). It stays valid after the channel was passed to a server, and does not
/// keep the socket open.
///
/// ```
/// use tokio_osc::{Router, Server, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Udp::new("127.0.0.1:0").receive_buffer(1 << 20).bind().await?;
/// let monitor = channel.monitor().expect("a datagram channel has one");
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
/// let stats = monitor.stats().expect("the socket is open");
/// println!("buffer {} bytes, lost {:?}", stats.receive_buffer, stats.kernel_drops);
///
/// server.shutdown().await;
/// assert_eq!(monitor.stats(), None, "the socket is closed");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct UdpMonitor {
    state: Weak<UdpSocketState>,
}

/// Statistics of a UDP socket.
///
/// ```
/// use tokio_osc::Udp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Udp::new("127.0.0.1:0").receive_buffer(1 << 16).bind().await?;
/// let stats = channel.monitor().and_then(|monitor| monitor.stats()).expect("the socket is open");
/// assert_eq!((stats.oversized, stats.send_errors), (0, 0));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UdpStats {
    /// Bytes of the receive buffer, as the system reports them. Linux reports twice the size that was requested,
    /// at most twice `net.core.rmem_max`; the other half is for its own records of each datagram.
    pub receive_buffer: usize,
    /// Bytes of the send buffer, as reported by the system.
    pub send_buffer: usize,
    /// Datagrams that the kernel dropped since the socket was opened, because the receive buffer was full (or
    /// a checksum was wrong). `None` if the system does not report it. It is available on Linux, where
    /// reading it takes about 0.2 ms. It wraps at 2<sup>32</sup>.
    pub kernel_drops: Option<u64>,
    /// Datagrams over [`max_datagram`](crate::Udp::max_datagram). Each is an error item of the channel, and
    /// no part of it is delivered.
    pub oversized: u64,
    /// Unfinished frames that were dropped because there were too many sources: see
    /// [`max_sources`](crate::Udp::max_sources).
    pub unfinished: u64,
    /// Temporary errors of receiving: responses of the network to earlier datagrams.
    pub receive_errors: u64,
    /// Datagrams sent again at once, because the system first reported the error of an earlier one.
    pub sent_again: u64,
    /// Datagrams that the system refused to send.
    pub send_errors: u64,
}

impl UdpMonitor {
    pub(crate) fn new(state: &Arc<UdpSocketState>) -> Self {
        Self { state: Arc::downgrade(state) }
    }

    /// Returns the present statistics. `None` if the socket is closed.
    pub fn stats(&self) -> Option<UdpStats> {
        let state = self.state.upgrade()?;
        let counters = &state.counters;
        let (receive_buffer, send_buffer) = buffer_sizes(&state.socket).unwrap_or_default();
        Some(UdpStats {
            receive_buffer,
            send_buffer,
            kernel_drops: kernel_drops(&state.socket, state.local.is_ipv6()),
            oversized: counters.oversized.load(Relaxed),
            unfinished: counters.unfinished.load(Relaxed),
            receive_errors: counters.receive_errors.load(Relaxed),
            sent_again: counters.sent_again.load(Relaxed),
            send_errors: counters.send_errors.load(Relaxed),
        })
    }

    /// Returns `true` if the host no longer has the address that the socket is bound to, as after a change by DHCP.
    /// The socket then receives nothing, and no system call fails: check this regularly, and bind or join again.
    /// Always `false` for a socket bound to every address or to a group. `None` if the socket is closed, or the
    /// system does not list its addresses.
    ///
    /// ```
    /// use tokio_osc::Channel;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let monitor = channel.monitor().expect("a datagram channel has one");
    /// assert_eq!(monitor.is_address_gone(), Some(false));
    /// # Ok(()) }
    /// ```
    pub fn is_address_gone(&self) -> Option<bool> {
        let bound = self.state.upgrade()?.local.ip();
        if bound.is_unspecified() || bound.is_multicast() {
            return Some(false);
        }
        let here = has_address(bound).ok()?;
        Some(!here)
    }
}

/// Prints one line per number.
impl fmt::Display for UdpStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12} bytes of receive buffer", self.receive_buffer)?;
        writeln!(f, "{:>12} bytes of send buffer", self.send_buffer)?;
        match self.kernel_drops {
            Some(drops) => writeln!(f, "{drops:>12} dropped by the kernel")?,
            None => writeln!(f, "{:>12} dropped by the kernel", "?")?,
        }
        writeln!(f, "{:>12} oversized", self.oversized)?;
        writeln!(f, "{:>12} unfinished", self.unfinished)?;
        writeln!(f, "{:>12} receive errors", self.receive_errors)?;
        writeln!(f, "{:>12} sent again", self.sent_again)?;
        writeln!(f, "{:>12} send errors", self.send_errors)
    }
}
