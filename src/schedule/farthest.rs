//! The order seen from its far end, of all entries and of each account's. Kept only under
//! [`CapacityPolicy::DropLatest`](super::limits::CapacityPolicy::DropLatest), where the farthest
//! entry makes room.

use std::collections::BTreeSet;

use super::order::Place;
use super::slots::SlotId;

#[derive(Debug, Default)]
pub(crate) struct Farthest {
    all: BTreeSet<Place>,
    by_account: BTreeSet<(SlotId, Place)>,
}

impl Farthest {
    pub(crate) fn insert(&mut self, place: Place, account: Option<SlotId>) {
        self.all.insert(place);
        if let Some(account) = account {
            self.by_account.insert((account, place));
        }
    }

    pub(crate) fn remove(&mut self, place: Place, account: Option<SlotId>) {
        self.all.remove(&place);
        if let Some(account) = account {
            self.by_account.remove(&(account, place));
        }
    }

    /// The entries due later than `due`, the farthest first.
    pub(crate) fn after(&self, due: i64) -> impl Iterator<Item = SlotId> {
        self.all.range(last_at(due)..).rev().map(|place| place.id)
    }

    /// The entries of an account due later than `due`, the farthest first.
    pub(crate) fn of_account_after(&self, account: SlotId, due: i64) -> impl Iterator<Item = SlotId> {
        let range = (account, last_at(due))..=(account, last_at(i64::MAX));
        self.by_account.range(range).rev().map(|(_, place)| place.id)
    }
}

const fn last_at(due: i64) -> Place {
    Place { due, arrival: u64::MAX, id: SlotId::MAX }
}
