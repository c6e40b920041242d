//! Of the calls for one address, only the newest waits.
//!
//! The queue of a lane holds a *place* for each address; the call itself lies here, where a newer one
//! takes its position. So an address keeps its turn, however often it is written.
//!
//! ```text
//! queue of the lane    place /1    place /2    place /3
//!                         │           │           │
//! newest               /1 = 0.7    /2 = 0.1    /3 = 0.4
//! ```

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use foldhash::HashMap;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::RouteId;
use crate::lock::lock;

/// A handler call that waits for its turn.
pub(crate) type Job = BoxFuture<'static, ()>;

/// A route and an address: routes that share a lane do not replace each other's calls.
type Key = (RouteId, Bytes);

/// The newest call of each address that has a place. As many as the queue holds, and those that wait for
/// room in it.
#[derive(Clone, Default)]
pub(super) struct Newest(Arc<Mutex<HashMap<Key, Job>>>);

impl Newest {
    /// Keeps a call until its address has its turn: the place for it, if there is none yet.
    pub(super) fn keep(&self, route: RouteId, address: &[u8], job: Job) -> Option<Job> {
        let key = (route, Bytes::copy_from_slice(address));
        let older = lock(&self.0).insert(key.clone(), job);
        // Dropped out here: it counts itself as dropped, and holds a channel.
        if older.is_some() {
            return None;
        }
        let place = Place { newest: self.clone(), key: Some(key) };
        let turn = async move {
            if let Some(job) = place.give_up() {
                job.await;
            }
        };
        Some(turn.boxed())
    }
}

/// The place of an address in the queue. When it is dropped, its call is, too.
struct Place {
    newest: Newest,
    /// Away when the place was given up: the address may have another one by then, which is not to be
    /// taken with it.
    key: Option<Key>,
}

impl Place {
    /// Takes the call out. What comes while it runs waits for the next turn.
    fn give_up(mut self) -> Option<Job> {
        self.take()
    }

    fn take(&mut self) -> Option<Job> {
        let key = self.key.take()?;
        lock(&self.newest.0).remove(&key)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.take());
    }
}
