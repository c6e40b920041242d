//! Limits and statistics of the schedule.

use std::time::Duration;

use super::lateness::LatenessHistogram;
use crate::types::Network;

/// The limits of waiting bundles, and the policies when they are reached.
///
/// "Per peer" means per IPv4 address, however it is written, and per IPv6 network
/// ([`ipv6_prefix`](Self::ipv6_prefix)). Bundles from peers without an address (a byte
/// stream) count towards the totals only. Limits are inclusive: with `entries(10)`, 10 bundles may wait.
///
/// | limit | default |
/// | --- | --- |
/// | [`entries`](Self::entries) | 65,536 bundles |
/// | [`bytes`](Self::bytes) | 64 MiB |
/// | [`entries_per_peer`](Self::entries_per_peer), [`bytes_per_peer`](Self::bytes_per_peer) | a quarter of these |
/// | [`ipv6_prefix`](Self::ipv6_prefix) | 64 bits |
/// | [`horizon`](Self::horizon) | 7 days |
/// | [`when_full`](Self::when_full) | the bundle with the latest time tag is dropped |
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{CapacityPolicy, ScheduleLimits};
///
/// let limits = ScheduleLimits::default()
///     .entries(1_000)
///     .horizon(Duration::from_secs(60))
///     .when_full(CapacityPolicy::DropNewest);
/// assert_eq!(limits.entries, 1_000);
/// assert_eq!(limits.entries_per_peer, None); // a quarter: 250
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleLimits {
    /// Maximum number of waiting bundles. Default 65,536.
    pub entries: usize,
    /// Maximum bytes of waiting bundles. Default 64 MiB. The schedule needs about 100 bytes more per bundle.
    pub bytes: usize,
    /// Maximum number of waiting bundles of one peer. Default `None`: a quarter of `entries`, rounded up.
    pub entries_per_peer: Option<usize>,
    /// Maximum bytes of waiting bundles of one peer. Default `None`: a quarter of `bytes`, rounded up.
    pub bytes_per_peer: Option<usize>,
    /// Leading bits of an IPv6 address that make one peer. Default 64: a host with many addresses
    /// in a /64 network has one share. So have all hosts of a local network together; with 128 each address has a
    /// share of its own.
    pub ipv6_prefix: u8,
    /// The horizon: how far ahead a time tag may be. Default 7 days. A time tag beyond it is not a schedule
    /// but the private clock of a sender ("seconds since boot").
    ///
    /// A long horizon costs nothing more, because the limits above hold, and a full schedule drops the latest
    /// bundles first. A horizon of hours would run a cue for tomorrow at once.
    pub horizon: Duration,
    /// The policy for bundles beyond the horizon. Default [`HorizonPolicy::RunNow`].
    pub beyond_horizon: HorizonPolicy,
    /// Which bundle to drop when the schedule is full. Default [`CapacityPolicy::DropLatest`].
    pub when_full: CapacityPolicy,
}

impl ScheduleLimits {
    /// Sets the maximum number of waiting bundles.
    pub const fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets the maximum bytes of waiting bundles.
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the maximum number of waiting bundles of one peer.
    pub const fn entries_per_peer(mut self, entries: usize) -> Self {
        self.entries_per_peer = Some(entries);
        self
    }

    /// Sets the maximum bytes of waiting bundles of one peer.
    pub const fn bytes_per_peer(mut self, bytes: usize) -> Self {
        self.bytes_per_peer = Some(bytes);
        self
    }

    /// Sets how many leading bits of an IPv6 address make one peer. More than 128 are 128.
    pub const fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.ipv6_prefix = bits;
        self
    }

    /// Sets the horizon.
    pub const fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Sets the policy for bundles beyond the horizon.
    pub const fn beyond_horizon(mut self, policy: HorizonPolicy) -> Self {
        self.beyond_horizon = policy;
        self
    }

    /// Sets which bundle to drop when the schedule is full.
    pub const fn when_full(mut self, policy: CapacityPolicy) -> Self {
        self.when_full = policy;
        self
    }
}

impl Default for ScheduleLimits {
    fn default() -> Self {
        Self {
            entries: 65_536,
            bytes: 64 * 1024 * 1024,
            entries_per_peer: None,
            bytes_per_peer: None,
            ipv6_prefix: Network::IPV6_PREFIX,
            horizon: Duration::from_secs(7 * 24 * 60 * 60),
            beyond_horizon: HorizonPolicy::default(),
            when_full: CapacityPolicy::default(),
        }
    }
}

/// What happens to a bundle beyond the horizon. It is counted in any case.
///
/// If the wall clock is set back, waiting bundles are checked again: nothing waits longer than the horizon.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{HorizonPolicy, ScheduleLimits};
///
/// let limits = ScheduleLimits::default()
///     .horizon(Duration::from_secs(60))
///     .beyond_horizon(HorizonPolicy::Drop);
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HorizonPolicy {
    /// It runs at once, so that senders with a private clock work (the default).
    #[default]
    RunNow,
    /// It is dropped.
    Drop,
}

/// Which bundle to drop when the schedule is full. Dropped bundles are counted.
///
/// ```
/// use tokio_osc::schedule::{CapacityPolicy, ScheduleLimits};
///
/// let limits = ScheduleLimits::default().entries(1_000).when_full(CapacityPolicy::DropNewest);
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CapacityPolicy {
    /// The arriving one. A sender with forged addresses can then fill the schedule with bundles of next week, and
    /// keep out all others until then.
    DropNewest,
    /// The one farthest in the future (the default): of the peer if its share is full, of all if the
    /// schedule is. If the arriving one is itself the farthest, or so large that earlier ones would have to be
    /// dropped for it, it is dropped.
    #[default]
    DropLatest,
}

/// Statistics of the schedule. Counts are never reset.
///
/// The accounts add up: `pushed = run + evicted + cancelled + dropped_after_step + pending`.
///
/// ```
/// use tokio_osc::schedule::ScheduleStats;
///
/// assert_eq!(ScheduleStats::default().pending, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleStats {
    /// Bundles added to the schedule.
    pub pushed: u64,
    /// Bundles that waited and ran.
    pub run: u64,
    /// Time tags in the past on arrival. The bundles did not wait. An inner bundle arrives when the bundle
    /// around it runs.
    pub late: u64,
    /// Time tags that were 0. The bundles did not wait.
    pub unset: u64,
    /// Time tags beyond the horizon, for any policy.
    pub beyond_horizon: u64,
    /// Bundles beyond the horizon dropped on arrival ([`HorizonPolicy::Drop`]).
    pub dropped_beyond_horizon: u64,
    /// Bundles beyond the horizon dropped while waiting, because the wall clock was set back.
    pub dropped_after_step: u64,
    /// Bundles dropped on arrival because of the limit of entries.
    pub dropped_entries: u64,
    /// Bundles dropped on arrival because of the limit of bytes.
    pub dropped_bytes: u64,
    /// Bundles dropped on arrival because of the limit of entries of their peer.
    pub dropped_peer_entries: u64,
    /// Bundles dropped on arrival because of the limit of bytes of their peer.
    pub dropped_peer_bytes: u64,
    /// Waiting bundles evicted for a bundle that is due earlier ([`CapacityPolicy::DropLatest`]).
    pub evicted: u64,
    /// Cancelled bundles, including those at shutdown.
    pub cancelled: u64,
    /// Steps of the wall clock by more than 1 ms against the monotonic clock.
    pub clock_steps: u64,
    /// Bundles that wait now.
    pub pending: usize,
    /// Bytes of the bundles that wait now.
    pub bytes: usize,
    /// The number of their peers: IPv4 addresses and IPv6 networks.
    pub peers: usize,
    /// The lateness of bundles with their own time tag, when they were next to run.
    pub lateness: LatenessHistogram,
}
