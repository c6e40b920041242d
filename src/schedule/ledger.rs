//! Who holds how much of the schedule: the totals, and an account for every peer with something in
//! it. An account is closed when its last entry leaves, so there are never more than entries.

use std::collections::HashMap;
use std::net::IpAddr;

use super::entry::Limit;
use super::limits::ScheduleLimits;
use super::slots::{SlotId, Slots};

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

#[derive(Debug)]
struct Account {
    peer: IpAddr,
    load: Load,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    most: Load,
    share: Load,
    total: Load,
    accounts: Slots<Account>,
    by_address: HashMap<u128, SlotId>,
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
            total: Load::default(),
            accounts: Slots::new(),
            by_address: HashMap::new(),
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

    /// The account of a peer that holds something.
    pub(crate) fn account(&self, peer: IpAddr) -> Option<SlotId> {
        self.by_address.get(&bits(peer)).copied()
    }

    /// What an account holds.
    pub(crate) fn load(&self, account: SlotId) -> Load {
        self.accounts.get(account).map(|account| account.load).unwrap_or_default()
    }

    /// Whose account it is.
    pub(crate) fn peer(&self, account: SlotId) -> Option<IpAddr> {
        self.accounts.get(account).map(|account| account.peer)
    }

    /// How many peers hold anything.
    pub(crate) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Enters one entry more, in the account that it gives; or says which limit the entry would
    /// exceed, and enters nothing.
    pub(crate) fn enter(&mut self, peer: Option<IpAddr>, bytes: usize) -> Result<Option<SlotId>, Limit> {
        let total = self.total.plus(bytes);
        if total.entries > self.most.entries {
            return Err(Limit::Entries);
        }
        if total.bytes > self.most.bytes {
            return Err(Limit::Bytes);
        }
        let account = match peer {
            Some(peer) => Some(self.enter_account(peer, bytes)?),
            None => None,
        };
        self.total = total;
        Ok(account)
    }

    fn enter_account(&mut self, peer: IpAddr, bytes: usize) -> Result<SlotId, Limit> {
        let id = self.account(peer);
        let account = id.and_then(|id| self.accounts.get_mut(id));
        let load = account.as_ref().map(|account| account.load).unwrap_or_default().plus(bytes);
        if load.entries > self.share.entries {
            return Err(Limit::PeerEntries);
        }
        if load.bytes > self.share.bytes {
            return Err(Limit::PeerBytes);
        }
        if let (Some(id), Some(account)) = (id, account) {
            account.load = load;
            return Ok(id);
        }
        let id = self.accounts.insert(Account { peer: peer.to_canonical(), load });
        self.by_address.insert(bits(peer), id);
        Ok(id)
    }

    /// Strikes out an entry that was entered in `account`.
    pub(crate) fn strike(&mut self, account: Option<SlotId>, bytes: usize) {
        self.total = self.total.minus(bytes);
        let Some(id) = account else { return };
        let Some(account) = self.accounts.get_mut(id) else { return };
        account.load = account.load.minus(bytes);
        if account.load.entries == 0 {
            self.by_address.remove(&bits(account.peer));
            self.accounts.remove(id);
        }
    }
}

/// An address as IPv6; an IPv4 address gives one number, however it is written.
fn bits(peer: IpAddr) -> u128 {
    match peer {
        IpAddr::V4(peer) => peer.to_ipv6_mapped().to_bits(),
        IpAddr::V6(peer) => peer.to_bits(),
    }
}
