//! The order seen from its far end, of all entries and of each peer's. Kept only under
//! [`CapacityPolicy::DropLatest`](super::limits::CapacityPolicy::DropLatest), where the farthest
//! entry makes room.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::entry::{EntryId, Place};

#[derive(Debug, Default)]
pub(crate) struct Farthest {
    all: BTreeSet<Place>,
    /// A peer is in it while it has an entry.
    peers: HashMap<IpAddr, BTreeSet<Place>>,
}

impl Farthest {
    pub(crate) fn insert(&mut self, place: Place, peer: Option<IpAddr>) {
        self.all.insert(place);
        if let Some(peer) = peer {
            self.peers.entry(peer).or_default().insert(place);
        }
    }

    pub(crate) fn remove(&mut self, place: Place, peer: Option<IpAddr>) {
        self.all.remove(&place);
        let Some(peer) = peer else { return };
        let Some(places) = self.peers.get_mut(&peer) else { return };
        places.remove(&place);
        if places.is_empty() {
            self.peers.remove(&peer);
        }
    }

    /// The entries due later than `due`, the farthest first.
    pub(crate) fn after(&self, due: i64) -> impl Iterator<Item = EntryId> {
        later(&self.all, due)
    }

    /// The entries of `peer` due later than `due`, the farthest first.
    pub(crate) fn of_peer_after(&self, peer: IpAddr, due: i64) -> impl Iterator<Item = EntryId> {
        self.peers.get(&peer).into_iter().flat_map(move |places| later(places, due))
    }
}

fn later(places: &BTreeSet<Place>, due: i64) -> impl Iterator<Item = EntryId> {
    let last_at_due = Place { due, arrival: u64::MAX, id: EntryId(u64::MAX) };
    places.range(last_at_due..).rev().map(|place| place.id)
}
