//! Accounts of the entries and bytes held, in all and per peer.
//!
//! A peer has an account while it has entries, so there are never more accounts than entries.
//!
//! Accounts list their entries in order only while entries may be evicted: from the first time that a limit is
//! reached until the schedule is empty. A schedule that never fills therefore pays nothing for its
//! [`CapacityPolicy`](super::limits::CapacityPolicy), and each entry is listed at most once.

use std::collections::hash_map::Entry::Occupied;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

// Peers choose the addresses (IPv6, forged senders), so the hash needs a random key. SipHash takes a
// third of the time of an insertion; foldhash has a random key for each map, too.
use foldhash::HashMap;

use super::entry::{EntryId, Limit, Place};
use super::limits::ScheduleLimits;
use crate::types::Network;

/// A number of entries and the bytes they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    entries: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Account {
    load: Load,
    /// The entries and the bytes of each; empty unless the ledger lists.
    listed: BTreeMap<Place, usize>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    most: Load,
    share: Load,
    /// Whether entries are listed.
    lists: bool,
    ipv6_prefix: u8,
    all: Account,
    peers: HashMap<Network, Account>,
}

impl Ledger {
    pub(crate) fn new(limits: &ScheduleLimits) -> Self {
        Self {
            // Slots are numbered in 32 bits.
            most: Load { entries: limits.entries.min(u32::MAX as usize), bytes: limits.bytes },
            share: Load {
                entries: limits.entries_per_peer.unwrap_or(limits.entries.div_ceil(4)),
                bytes: limits.bytes_per_peer.unwrap_or(limits.bytes.div_ceil(4)),
            },
            lists: false,
            ipv6_prefix: limits.ipv6_prefix,
            all: Account::default(),
            peers: HashMap::default(),
        }
    }

    /// Returns the bytes of all entries.
    pub(crate) fn bytes(&self) -> usize {
        self.all.load.bytes
    }

    /// Returns the number of peers with entries.
    pub(crate) fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Adds an entry to the accounts, or returns the limit that it would exceed.
    pub(crate) fn enter(&mut self, peer: Option<IpAddr>, bytes: usize) -> Result<(), Limit> {
        let total = self.all.load.plus(bytes);
        total.check(self.most, Limit::Entries, Limit::Bytes)?;
        if let Some(peer) = self.network(peer) {
            let slot = self.peers.entry(peer);
            let held = if let Occupied(account) = &slot { account.get().load } else { Load::default() };
            let load = held.plus(bytes);
            load.check(self.share, Limit::PeerEntries, Limit::PeerBytes)?;
            slot.or_default().load = load;
        }
        self.all.load = total;
        Ok(())
    }

    /// Starts to list entries; the caller [lists](Self::list) the existing ones. Returns `false` if entries are
    /// listed already.
    pub(crate) fn begin_lists(&mut self) -> bool {
        !std::mem::replace(&mut self.lists, true)
    }

    /// Records the position of an added entry.
    pub(crate) fn list(&mut self, place: Place, peer: Option<IpAddr>, bytes: usize) {
        if self.lists {
            for account in self.accounts_of(peer) {
                account.listed.insert(place, bytes);
            }
        }
    }

    /// Records the new position of an entry.
    pub(crate) fn relist(&mut self, before: Place, after: Place, peer: Option<IpAddr>) {
        for account in self.accounts_of(peer) {
            if let Some(bytes) = account.listed.remove(&before) {
                account.listed.insert(after, bytes);
            }
        }
    }

    /// Removes an entry.
    pub(crate) fn strike(&mut self, place: Place, peer: Option<IpAddr>, bytes: usize) {
        self.all.strike(place, bytes);
        // Every list is empty now: they start over when a limit is reached again.
        self.lists &= self.all.load.entries > 0;
        let Some(peer) = self.network(peer) else { return };
        let Some(account) = self.peers.get_mut(&peer) else { return };
        account.strike(place, bytes);
        if account.load.entries == 0 {
            self.peers.remove(&peer);
        }
    }

    /// Returns the entries to evict for a new one to fit, latest first: of its peer while the share of the
    /// peer is exceeded, then of all. `None` if the entries due after the new one do not suffice, or the
    /// policy does not evict.
    pub(crate) fn victims(&self, due: i64, peer: Option<IpAddr>, bytes: usize) -> Option<Vec<EntryId>> {
        let mut victims = Vec::new();
        if let Some(peer) = self.network(peer) {
            let unknown = Account::default();
            let account = self.peers.get(&peer).unwrap_or(&unknown);
            victims = account.load.plus(bytes).cut(self.share, account.later_than(due))?;
        }
        let total = victims.iter().fold(self.all.load.plus(bytes), |total, (_, bytes)| total.minus(*bytes));
        // A set, because a list would take quadratic time for a large packet against many small entries.
        let counted: BTreeSet<Place> = victims.iter().map(|(place, _)| *place).collect();
        let others = self.all.later_than(due).filter(|(place, _)| !counted.contains(place));
        victims.extend(total.cut(self.most, others)?);
        Some(victims.into_iter().map(|(place, _)| place.id).collect())
    }

    fn accounts_of(&mut self, peer: Option<IpAddr>) -> impl Iterator<Item = &mut Account> {
        let peer = self.network(peer);
        [Some(&mut self.all), peer.and_then(|peer| self.peers.get_mut(&peer))].into_iter().flatten()
    }

    fn network(&self, peer: Option<IpAddr>) -> Option<Network> {
        peer.map(|address| Network::of(address, self.ipv6_prefix))
    }
}

impl Account {
    fn strike(&mut self, place: Place, bytes: usize) {
        self.load = self.load.minus(bytes);
        self.listed.remove(&place);
    }

    /// Returns the entries due after `due` and their bytes, latest first.
    fn later_than(&self, due: i64) -> impl Iterator<Item = (Place, usize)> {
        let last = Place { due, arrival: u64::MAX, id: EntryId::MAX };
        self.listed.range(last..).rev().map(|(place, bytes)| (*place, *bytes))
    }
}

impl Load {
    const fn plus(self, bytes: usize) -> Self {
        Self { entries: self.entries.saturating_add(1), bytes: self.bytes.saturating_add(bytes) }
    }

    const fn minus(self, bytes: usize) -> Self {
        Self { entries: self.entries.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }

    /// Returns the first exceeded limit as the error.
    const fn check(self, most: Self, entries: Limit, bytes: Limit) -> Result<(), Limit> {
        if self.entries > most.entries {
            return Err(entries);
        }
        if self.bytes > most.bytes { Err(bytes) } else { Ok(()) }
    }

    /// Returns the first `entries` whose removal brings the account to at most `most`. `None` if all do not
    /// suffice.
    fn cut(
        mut self,
        most: Self,
        mut entries: impl Iterator<Item = (Place, usize)>,
    ) -> Option<Vec<(Place, usize)>> {
        let mut gone = Vec::new();
        while self.entries > most.entries || self.bytes > most.bytes {
            let (place, bytes) = entries.next()?;
            self = self.minus(bytes);
            gone.push((place, bytes));
        }
        Some(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_start_over_when_the_schedule_was_empty() {
        let mut ledger = Ledger::new(&ScheduleLimits::default());
        let place = |arrival| Place { due: 0, arrival, id: EntryId::MAX };
        for _ in 0..2 {
            for arrival in 0..2 {
                assert_eq!(ledger.enter(None, 1), Ok(()));
                ledger.list(place(arrival), None, 1);
            }
            assert!(ledger.begin_lists() && !ledger.begin_lists());
            ledger.strike(place(0), None, 1);
            assert!(!ledger.begin_lists(), "one is left");
            ledger.strike(place(1), None, 1);
        }
    }
}
