//! An entry of the schedule, and its place in the order.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::slots::SlotId;

/// The name of an entry. No other entry of the schedule ever has the same.
pub(crate) type EntryId = SlotId;

/// An item that waits for the wall time `due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    pub(crate) due: SystemTime,
    /// The bytes it holds, for the limits.
    pub(crate) bytes: usize,
    /// The peer whose share of the limits it takes, if any.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) item: T,
}

/// Where an entry stands in the order: by due time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Nanoseconds from the wall time at which the schedule was made. This reaches 292 years either
    /// way; a time tag reaches 68.
    pub(crate) due: i64,
    pub(crate) arrival: u64,
    pub(crate) id: EntryId,
}

/// An entry whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Popped<T> {
    pub(crate) id: EntryId,
    pub(crate) entry: Entry<T>,
    /// How long ago its time came, by the wall clock.
    pub(crate) late: Duration,
}

/// An entry that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused<T> {
    pub(crate) entry: Entry<T>,
    pub(crate) limit: Limit,
}

/// The limit that one entry more would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Entries,
    Bytes,
    PeerEntries,
    PeerBytes,
}
