//! What one source may cause in replies over time. Packets with the forged address of a victim make this
//! side send to it: a rate for each source is what the victim gets at most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::lock::lock;
use crate::packet::Peer;

/// Buckets with a rate of their own. All others share one.
const MAX_SOURCES: usize = 4_096;

/// How often the sources are looked through for some that need no entry any more.
const SWEEP: Duration = Duration::from_millis(10);

/// A bucket of replies for each IP address, which fills at a steady rate.
#[derive(Debug)]
pub(crate) struct ReplyRate {
    /// In which one reply comes back to a bucket.
    each: Duration,
    /// In which an empty bucket fills.
    full: Duration,
    sources: Mutex<Buckets>,
}

impl ReplyRate {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        let sources = Buckets { full_at: HashMap::new(), rest_full_at: None, swept: Instant::now() };
        Self { each, full: each.saturating_mul(burst.max(1)), sources: Mutex::new(sources) }
    }

    /// Whether a reply may go there now. A peer with a connection has shown that its address is its
    /// own; one without an address is on this machine.
    pub(crate) fn admits(&self, peer: Peer) -> bool {
        let Some(ip) = peer.ip().filter(|_| peer.connection().is_none()) else { return true };
        let now = Instant::now();
        let mut sources = lock(&self.sources);
        let full_at = sources.full_at(ip.to_canonical(), now);
        let after = full_at.unwrap_or(now).max(now) + self.each;
        let admitted = after <= now + self.full;
        if admitted {
            *full_at = Some(after);
        }
        admitted
    }
}

/// A bucket is the time at which it is full; a full one is the same as none.
#[derive(Debug)]
struct Buckets {
    full_at: HashMap<IpAddr, Option<Instant>>,
    /// The bucket of all that find no place. No source is evicted for them: else many forged addresses
    /// would free a source of its limit.
    rest_full_at: Option<Instant>,
    swept: Instant,
}

impl Buckets {
    fn full_at(&mut self, ip: IpAddr, now: Instant) -> &mut Option<Instant> {
        let known = self.full_at.contains_key(&ip);
        if !known && self.full_at.len() >= MAX_SOURCES && now >= self.swept + SWEEP {
            self.full_at.retain(|_, full_at| full_at.is_some_and(|full_at| full_at > now));
            self.swept = now;
        }
        if known || self.full_at.len() < MAX_SOURCES {
            return self.full_at.entry(ip).or_default();
        }
        &mut self.rest_full_at
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::time::advance;

    use super::*;
    use crate::packet::ConnectionId;

    fn source(n: u32) -> Peer {
        Peer::from((Ipv4Addr::from_bits(n), 9_000))
    }

    fn admitted(rate: &ReplyRate, peer: Peer, of: usize) -> usize {
        (0..of).filter(|_| rate.admits(peer)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_has_its_burst_and_then_its_rate() {
        let rate = ReplyRate::new(10, 3);
        assert_eq!(admitted(&rate, source(1), 5), 3);
        assert_eq!(admitted(&rate, source(2), 5), 3, "another source has its own");
        advance(Duration::from_millis(99)).await;
        assert!(!rate.admits(source(1)));
        advance(Duration::from_millis(1)).await;
        assert_eq!(admitted(&rate, source(1), 5), 1);
        advance(Duration::from_secs(60)).await;
        assert_eq!(admitted(&rate, source(1), 5), 3, "never more than the burst");
    }

    #[tokio::test(start_paused = true)]
    async fn the_port_makes_no_other_source() {
        let rate = ReplyRate::new(1, 1);
        assert!(rate.admits(Peer::from((Ipv4Addr::LOCALHOST, 1))));
        assert!(!rate.admits(Peer::from((Ipv4Addr::LOCALHOST, 2))));
        assert!(!rate.admits(Peer::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), 3))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_forged_is_not_limited() {
        let rate = ReplyRate::new(1, 1);
        for peer in [Peer::LOCAL, source(1).with_connection(ConnectionId::FIRST)] {
            assert_eq!(admitted(&rate, peer, 100), 100);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn forged_addresses_lift_no_limit_and_take_no_memory() {
        let sources = u32::try_from(MAX_SOURCES).unwrap();
        let rate = ReplyRate::new(1, 2);
        for n in 0..sources {
            assert_eq!(admitted(&rate, source(n), 3), 2);
        }
        advance(Duration::from_millis(999)).await;
        let forged = (sources..10 * sources).filter(|&n| rate.admits(source(n))).count();
        assert_eq!(forged, 2, "all that are too many share one bucket");
        assert_eq!(admitted(&rate, source(0), 3), 0, "the limit of an old source holds");
        assert_eq!(rate.sources.lock().unwrap().full_at.len(), MAX_SOURCES);

        advance(Duration::from_millis(1_001)).await;
        assert_eq!(admitted(&rate, source(u32::MAX), 3), 2, "the old ones were quiet: there is room");
        assert!(rate.sources.lock().unwrap().full_at.len() < MAX_SOURCES);
    }
}
