//! One thing that waits, its name, and its place in the order.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// The name of an entry. No other entry of the queue ever has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryId(pub(crate) u64);

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

/// The place of an entry: by due time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Nanoseconds from the wall time at which the queue was made. This reaches 292 years either
    /// way; a time tag reaches 68.
    pub(crate) due: i64,
    pub(crate) arrival: u64,
    pub(crate) id: EntryId,
}
