//! One thing that waits, and its place in the order.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// The place of an entry: by due time, then by arrival. It is also the entry's name; no other entry
/// of the queue ever has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryId {
    pub(crate) due: SystemTime,
    pub(crate) sequence: u64,
}

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
