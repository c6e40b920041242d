//! Limits the replies, or the steps of matching, of each source over time. A source is a network, because one
//! host can have many IPv6 addresses.
//!
//! A token bucket for each source fills at a steady rate. Only the time at which it is full is stored: nothing has
//! to be updated while time passes, and a full bucket needs no entry.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::lock::lock;
use crate::types::Network;

/// Buckets with a rate of their own. All others share one.
const MAX_SOURCES: usize = 4_096;

/// The interval at which entries of full buckets are removed.
const SWEEP: Duration = Duration::from_millis(10);

/// A bucket of units for each source.
#[derive(Debug)]
pub(crate) struct SourceRate {
    per_second: u32,
    /// The time in which an empty bucket fills.
    full: Duration,
    sources: Mutex<Buckets>,
}

impl SourceRate {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let per_second = per_second.max(1);
        let sources = Buckets { full_at: HashMap::new(), rest_full_at: None, swept: Instant::now() };
        Self { per_second, full: time_of(burst.max(1).into(), per_second), sources: Mutex::new(sources) }
    }

    /// Takes a unit from the bucket of a source. Returns `false` if none is left.
    pub(crate) fn take(&self, source: IpAddr) -> bool {
        let now = Instant::now();
        let mut sources = lock(&self.sources);
        let full_at = sources.full_at(source, now);
        let after = full_at.unwrap_or(now).max(now) + time_of(1, self.per_second);
        let has_one = after <= now + self.full;
        if has_one {
            *full_at = Some(after);
        }
        has_one
    }

    /// Runs work on the account of a source. The work receives the number of units that are left, and returns the
    /// number that it used.
    pub(crate) fn spend<R>(&self, source: IpAddr, work: impl FnOnce(usize) -> (R, usize)) -> R {
        let now = Instant::now();
        let full_at = lock(&self.sources).full_at(source, now).unwrap_or(now).max(now);
        let left = (now + self.full).saturating_duration_since(full_at);
        let left = left.as_nanos() * u128::from(self.per_second) / 1_000_000_000;
        // Without the lock: the work may take milliseconds.
        let (done, used) = work(usize::try_from(left).unwrap_or(usize::MAX));
        // Work that used more than was left puts the source into debt, which is paid back first. Of two that work at
        // the same time, the account of one is lost: the server has one task that matches.
        *lock(&self.sources).full_at(source, now) = Some(full_at + time_of(used as u64, self.per_second));
        done
    }
}

/// The time in which this many units come back to a bucket.
fn time_of(units: u64, per_second: u32) -> Duration {
    let nanos = u128::from(units) * 1_000_000_000 / u128::from(per_second);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[derive(Debug)]
struct Buckets {
    full_at: HashMap<Network, Option<Instant>>,
    /// The bucket of all sources without an entry. No source is evicted for them: otherwise many forged addresses
    /// would free a source from its limit.
    rest_full_at: Option<Instant>,
    swept: Instant,
}

impl Buckets {
    fn full_at(&mut self, source: IpAddr, now: Instant) -> &mut Option<Instant> {
        let source = Network::of(source, Network::IPV6_PREFIX);
        let known = self.full_at.contains_key(&source);
        // Not for each packet: a flood of forged addresses would make each look through all of them.
        if !known && self.full_at.len() >= MAX_SOURCES && now >= self.swept + SWEEP {
            self.full_at.retain(|_, full_at| full_at.is_some_and(|full_at| full_at > now));
            self.swept = now;
        }
        if known || self.full_at.len() < MAX_SOURCES {
            return self.full_at.entry(source).or_default();
        }
        &mut self.rest_full_at
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use tokio::time::advance;

    use super::*;

    fn source(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    fn taken(rate: &SourceRate, source: IpAddr, of: usize) -> usize {
        (0..of).filter(|_| rate.take(source)).count()
    }

    /// A rate of which each source has used up all.
    fn used_up(sources: u32) -> SourceRate {
        let rate = SourceRate::new(1, 2);
        for n in 0..sources {
            assert_eq!(taken(&rate, source(n), 3), 2);
        }
        rate
    }

    fn places(rate: &SourceRate) -> usize {
        rate.sources.lock().unwrap().full_at.len()
    }

    const MOST: u32 = 4_096;

    #[tokio::test(start_paused = true)]
    async fn a_source_has_its_burst_and_then_its_rate() {
        let rate = SourceRate::new(10, 3);
        assert_eq!(taken(&rate, source(1), 5), 3);
        assert_eq!(taken(&rate, source(2), 5), 3, "another source has its own");
        advance(Duration::from_millis(99)).await;
        assert!(!rate.take(source(1)));
        advance(Duration::from_millis(1)).await;
        assert_eq!(taken(&rate, source(1), 5), 1);
        advance(Duration::from_secs(60)).await;
        assert_eq!(taken(&rate, source(1), 5), 3, "never more than the burst");
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_a_network_of_ipv6_and_an_address_of_ipv4() {
        let rate = SourceRate::new(1, 1);
        assert!(rate.take(Ipv4Addr::LOCALHOST.into()));
        assert!(!rate.take(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()));
        let host = |network: u16, host| Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host).into();
        assert!(rate.take(host(1, 1)));
        assert!(!rate.take(host(1, 2)));
        assert!(rate.take(host(2, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn forged_addresses_lift_no_limit_and_take_no_memory() {
        let rate = used_up(MOST);
        advance(Duration::from_millis(999)).await;
        let forged = (MOST..10 * MOST).filter(|&n| rate.take(source(n))).count();
        assert_eq!(forged, 2, "all that are too many share one bucket");
        assert_eq!(taken(&rate, source(0), 3), 0, "the limit of an old source holds");
        assert_eq!(places(&rate), MAX_SOURCES);

        advance(Duration::from_millis(1_001)).await;
        assert_eq!(taken(&rate, source(u32::MAX), 3), 2, "the old ones were quiet: there is room");
        assert!(places(&rate) < MAX_SOURCES);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_new_source_without_a_place_looks_for_quiet_ones() {
        let rate = used_up(MOST - 1);
        advance(Duration::from_secs(10)).await;
        taken(&rate, source(0), 1);
        assert_eq!(places(&rate), MAX_SOURCES - 1, "it has a place");
        taken(&rate, source(MOST), 1);
        assert_eq!(places(&rate), MAX_SOURCES, "there is a place");
        taken(&rate, source(0), 1);
        assert_eq!(places(&rate), MAX_SOURCES, "it has a place, though all are taken");
        taken(&rate, source(MOST + 1), 1);
        assert_eq!(places(&rate), 3, "those that were quiet have given theirs up");
    }

    #[tokio::test(start_paused = true)]
    async fn the_sources_are_looked_through_once_in_ten_milliseconds() {
        let rate = used_up(MOST);
        advance(Duration::from_secs(2) - Duration::from_millis(5)).await;
        taken(&rate, source(MOST), 1);
        assert_eq!(places(&rate), MAX_SOURCES, "looked through, and none was quiet for long enough");
        advance(Duration::from_millis(9)).await;
        taken(&rate, source(MOST + 1), 1);
        assert_eq!(places(&rate), MAX_SOURCES, "all are quiet, but it is too early to look");
        advance(Duration::from_millis(1)).await;
        taken(&rate, source(MOST + 2), 1);
        assert_eq!(places(&rate), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_spent_comes_back_at_the_rate() {
        let rate = SourceRate::new(1_000_000, 5_000);
        let left = |used| rate.spend(source(1), |left| (left, used));
        assert_eq!((left(2_000), left(3_500), left(0)), (5_000, 3_000, 0));
        advance(Duration::from_micros(499)).await;
        assert_eq!(left(0), 0, "what went beyond is paid back first");
        advance(Duration::from_micros(101)).await;
        assert_eq!(left(0), 100);
        advance(Duration::from_secs(1)).await;
        assert_eq!(left(0), 5_000);
    }
}
