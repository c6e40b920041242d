//! Who holds how much of the schedule: the totals, and an account for every peer with something in
//! it. An account is closed when its last entry leaves, so there are never more than entries.

use std::collections::hash_map::{Entry as Slot, HashMap};
use std::net::IpAddr;

use super::limits::ScheduleLimits;

/// A number of entries and the bytes they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Load {
    pub(crate) const fn plus(self, bytes: usize) -> Self {
        Self { entries: self.entries.saturating_add(1), bytes: self.bytes.saturating_add(bytes) }
    }

    pub(crate) const fn minus(self, bytes: usize) -> Self {
        Self { entries: self.entries.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }

    pub(crate) const fn exceeds(self, most: Self) -> bool {
        self.entries > most.entries || self.bytes > most.bytes
    }
}

/// The limit that one entry more would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Entries,
    Bytes,
    PeerEntries,
    PeerBytes,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    most: Load,
    share: Load,
    total: Load,
    accounts: HashMap<IpAddr, Load>,
}

impl Ledger {
    pub(crate) fn new(limits: &ScheduleLimits) -> Self {
        Self {
            most: Load { entries: limits.entries, bytes: limits.bytes },
            share: Load {
                entries: limits.entries_per_peer.unwrap_or(limits.entries.div_ceil(4)),
                bytes: limits.bytes_per_peer.unwrap_or(limits.bytes.div_ceil(4)),
            },
            total: Load::default(),
            accounts: HashMap::new(),
        }
    }

    /// The most that all may hold.
    pub(crate) fn most(&self) -> Load {
        self.most
    }

    /// The most that one peer may hold.
    pub(crate) fn share(&self) -> Load {
        self.share
    }

    /// What all hold.
    pub(crate) fn total(&self) -> Load {
        self.total
    }

    /// What a peer holds.
    pub(crate) fn account(&self, peer: IpAddr) -> Load {
        self.accounts.get(&peer).copied().unwrap_or_default()
    }

    /// How many peers hold anything.
    pub(crate) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Enters one entry more, or says which limit it would exceed and enters nothing.
    pub(crate) fn enter(&mut self, peer: Option<IpAddr>, bytes: usize) -> Result<(), Limit> {
        let total = self.total.plus(bytes);
        if total.entries > self.most.entries {
            return Err(Limit::Entries);
        }
        if total.bytes > self.most.bytes {
            return Err(Limit::Bytes);
        }
        if let Some(peer) = peer {
            self.enter_account(peer, bytes)?;
        }
        self.total = total;
        Ok(())
    }

    fn enter_account(&mut self, peer: IpAddr, bytes: usize) -> Result<(), Limit> {
        let slot = self.accounts.entry(peer);
        let load = match &slot {
            Slot::Occupied(account) => account.get().plus(bytes),
            Slot::Vacant(_) => Load::default().plus(bytes),
        };
        if load.entries > self.share.entries {
            return Err(Limit::PeerEntries);
        }
        if load.bytes > self.share.bytes {
            return Err(Limit::PeerBytes);
        }
        *slot.or_default() = load;
        Ok(())
    }

    /// Strikes out an entry that was entered.
    pub(crate) fn strike(&mut self, peer: Option<IpAddr>, bytes: usize) {
        self.total = self.total.minus(bytes);
        let Some(peer) = peer else { return };
        let Slot::Occupied(mut account) = self.accounts.entry(peer) else { return };
        *account.get_mut() = account.get().minus(bytes);
        if account.get().entries == 0 {
            account.remove();
        }
    }
}
