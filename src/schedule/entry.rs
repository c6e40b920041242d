//! One thing that waits, as it is put in and taken out.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::slots::SlotId;

/// The name of an entry. No other entry of the queue ever has the same.
pub(crate) type EntryId = SlotId;

/// An item that waits for the wall time `due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    pub(crate) due: SystemTime,
    /// The bytes it holds, for the limits.
    pub(crate) bytes: usize,
    /// Whose share of the limits it takes, if anybody's.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) item: T,
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
