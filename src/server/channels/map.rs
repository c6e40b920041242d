//! The channels of a server by name, and the statistics of removed channels.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::record::ChannelRecord;
use crate::lock::lock;
use crate::server::events::{ChannelEventKind, Events};
use crate::server::name::ChannelError;
use crate::server::stats::{ChannelStats, Stats};

#[derive(Default)]
pub(in crate::server) struct ChannelMap {
    listed: Mutex<Listed>,
    /// When the server ends, its channels stay listed, for the last statistics.
    ending: AtomicBool,
    pub(in crate::server) events: Events,
}

#[derive(Default)]
struct Listed {
    open: Vec<Arc<ChannelRecord>>,
    /// The sums of the removed channels.
    left: Stats,
    /// The open channels.
    present: usize,
    /// Whether the loop has ended.
    over: bool,
}

impl ChannelMap {
    /// Adds a channel. Returns `false` if its name is taken.
    pub(super) fn add(&self, record: &Arc<ChannelRecord>) -> bool {
        let mut listed = self.listed();
        let new = !listed.open.iter().any(|other| other.name == record.name);
        if new {
            listed.open.push(Arc::clone(record));
            listed.present += 1;
        }
        new
    }

    pub(in crate::server) fn end(&self) {
        self.ending.store(true, Ordering::Release);
    }

    pub(in crate::server) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Removes a closed channel. Its name is free from now on. The event is sent under the lock: a reader of
    /// the event finds the name free, and reads no earlier event of the next channel with that name.
    pub(super) fn strike(&self, record: &Arc<ChannelRecord>) {
        let mut listed = self.listed();
        self.events.tell(&record.name, ChannelEventKind::Closed);
        listed.present -= 1;
        if !self.is_ending() {
            listed.open.retain(|other| !Arc::ptr_eq(other, record));
            record.add_to(&mut listed.left);
        }
        self.end_events(&listed);
    }

    /// Marks the loop as ended.
    pub(in crate::server) fn close(&self) {
        let mut listed = self.listed();
        listed.over = true;
        self.end_events(&listed);
    }

    /// Ends the event streams when no further event is possible.
    fn end_events(&self, listed: &Listed) {
        if listed.over && listed.present == 0 {
            self.events.close();
        }
    }

    pub(in crate::server) fn find(&self, name: &str) -> Result<Arc<ChannelRecord>, ChannelError> {
        let listed = self.listed();
        let found = listed.open.iter().find(|record| *record.name == *name).cloned();
        found.ok_or_else(|| {
            ChannelError::unknown(name, listed.open.iter().map(|record| Arc::clone(&record.name)).collect())
        })
    }

    pub(in crate::server) fn all(&self) -> Vec<Arc<ChannelRecord>> {
        self.listed().open.clone()
    }

    /// Returns the sums of all channels.
    pub(in crate::server) fn stats(&self) -> Stats {
        let listed = self.listed();
        let mut sum = Stats { events_missed: self.events.missed(), ..listed.left };
        listed.open.iter().for_each(|record| record.add_to(&mut sum));
        sum
    }

    pub(in crate::server) fn channel_stats(&self) -> Vec<ChannelStats> {
        // Not under the lock, because reading the statistics of a socket takes a while.
        self.all().iter().map(|record| record.stats()).collect()
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        lock(&self.listed)
    }
}
