//! An entry of the schedule, and its place in the order.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::slots::SlotId;

/// The id of an entry. Ids are never reused.
pub(crate) type EntryId = SlotId;

/// An item that waits for the wall time `due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    pub(crate) due: SystemTime,
    /// Its bytes, for the limits.
    pub(crate) bytes: usize,
    /// The peer to whose share of the limits it counts, if any.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) item: T,
}

/// The position of an entry: by due time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Nanoseconds from the wall time at which the schedule was created. The range is 292 years in each
    /// direction; that of time tags is 68.
    pub(crate) due: i64,
    pub(crate) arrival: u64,
    pub(crate) id: EntryId,
}

/// A due entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Popped<T> {
    pub(crate) id: EntryId,
    pub(crate) entry: Entry<T>,
    /// How long ago it was due, by the wall clock.
    pub(crate) late: Duration,
}

/// An entry that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused<T> {
    pub(crate) entry: Entry<T>,
    pub(crate) limit: Limit,
}

/// The limit that the entry would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Entries,
    Bytes,
    PeerEntries,
    PeerBytes,
}
