//! Keeps only the newest call of each address.
//!
//! The queue of a lane holds one *place* for each address. The call itself is stored here, where a newer call
//! replaces it. So an address keeps its position in the queue.
//!
//! ```text
//! queue of the lane    place /1    place /2    place /3
//!                         │           │           │
//! newest               /1 = 0.7    /2 = 0.1    /3 = 0.4
//! ```

use std::future::Future;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use foldhash::HashMap;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::RouteId;
use super::mailbox::Weigh;
use crate::lock::lock;

/// A queued handler call.
pub(crate) struct Job {
    call: BoxFuture<'static, ()>,
    /// Of the message that it holds.
    bytes: usize,
}

impl Job {
    pub(crate) fn new(bytes: usize, call: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { call: call.boxed(), bytes }
    }

    pub(crate) async fn run(self) {
        self.call.await;
    }
}

impl Weigh for Job {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A route and an address, because routes that share a lane do not replace each other's calls.
type Key = (RouteId, Bytes);

/// The newest call of each address that has a place: as many as the queue holds, and the calls that wait for room
/// in it.
#[derive(Clone)]
pub(super) struct Newest {
    kept: Arc<Mutex<Kept>>,
    /// The limit for the bytes of all calls. Beyond it, no call replaces a smaller one.
    limit: usize,
}

#[derive(Default)]
struct Kept {
    jobs: HashMap<Key, Job>,
    bytes: usize,
}

impl Newest {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Arc::default(), limit }
    }

    /// Stores a call. Returns the place to queue, if the address has none yet.
    pub(super) fn keep(&self, route: RouteId, address: &[u8], job: Job) -> Option<Job> {
        let key = (route, Bytes::copy_from_slice(address));
        let bytes = job.bytes;
        // The replaced call is dropped outside of the lock: it counts itself as dropped, and holds a channel.
        if lock(&self.kept).replace(&key, job, self.limit).is_some() {
            return None;
        }
        let place = Place { newest: self.clone(), key: Some(key) };
        let turn = async move {
            if let Some(job) = place.give_up() {
                job.run().await;
            }
        };
        Some(Job::new(bytes, turn))
    }
}

impl Kept {
    /// Replaces an older call, and returns the dropped one: the newer one if it would exceed the limit.
    fn replace(&mut self, key: &Key, job: Job, limit: usize) -> Option<Job> {
        let Some(older) = self.jobs.get_mut(key) else {
            self.bytes += job.bytes;
            self.jobs.insert(key.clone(), job);
            return None;
        };
        let others = self.bytes - older.bytes;
        if job.bytes > older.bytes && others + job.bytes > limit {
            return Some(job);
        }
        self.bytes = others + job.bytes;
        Some(std::mem::replace(older, job))
    }

    fn remove(&mut self, key: &Key) -> Option<Job> {
        let job = self.jobs.remove(key)?;
        self.bytes -= job.bytes;
        Some(job)
    }
}

/// The place of an address in the queue. Dropping it drops the call.
struct Place {
    newest: Newest,
    /// `None` after the place was used: by then the address may have another place, which must not be
    /// removed.
    key: Option<Key>,
}

impl Place {
    /// Takes the call. Calls that arrive while it runs get a new place.
    fn give_up(mut self) -> Option<Job> {
        self.take()
    }

    fn take(&mut self) -> Option<Job> {
        let key = self.key.take()?;
        lock(&self.newest.kept).remove(&key)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.take());
    }
}
