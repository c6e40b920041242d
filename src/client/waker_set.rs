//! One waker for all tasks that wait on a shared source.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Wake, Waker};

use crate::lock::lock;

/// A set of wakers behind the single waker of a source. Waking it wakes all of them.
///
/// A Tokio socket keeps one waker per direction, that of the last call of a `poll_` function. If each waiter
/// polled the socket with its own waker, the socket could wake a future that is held without being polled,
/// while the others sleep on.
///
/// A replaced or removed waker is returned to the caller, which drops it outside of all locks: the last waker
/// of a task drops the task, and with it other waiters of the same source.
#[derive(Default)]
pub(super) struct WakerSet(Mutex<RegisteredWakers>);

#[derive(Default)]
struct RegisteredWakers {
    /// Taken when they are woken, so that a waiter that is not polled again costs one wake, and not one per
    /// packet.
    wakers: Vec<(u64, Waker)>,
    /// The number of threads that poll the source, or just did.
    polling: usize,
    /// Whether a wake happened meanwhile, by another thread or by the source itself (if its budget is spent).
    woken: bool,
}

impl WakerSet {
    #[must_use = "it is dropped outside of all locks"]
    pub(super) fn register(&self, id: u64, waker: &Waker) -> Option<Waker> {
        let mut set = lock(&self.0);
        match set.wakers.iter_mut().find(|(other, _)| *other == id) {
            Some((_, old)) if old.will_wake(waker) => None,
            Some((_, old)) => Some(std::mem::replace(old, waker.clone())),
            None => {
                set.wakers.push((id, waker.clone()));
                None
            }
        }
    }

    #[must_use = "it is dropped or woken outside of all locks"]
    pub(super) fn take(&self, id: u64) -> Option<Waker> {
        let mut set = lock(&self.0);
        let at = set.wakers.iter().position(|(other, _)| *other == id)?;
        Some(set.wakers.swap_remove(at).1)
    }

    /// Created before the source is locked and polled, and dropped after it is unlocked. Wakes are delayed
    /// until then. A waker may poll the source at once; and a waiter that found the source locked could
    /// otherwise be neither woken nor polling.
    pub(super) fn begin_poll(&self) -> SourcePoll<'_> {
        lock(&self.0).polling += 1;
        SourcePoll { set: self, wake: false }
    }

    /// Returns `true` if a wake happened during this poll, for a caller that polls again.
    pub(super) fn take_woken(&self) -> bool {
        std::mem::take(&mut lock(&self.0).woken)
    }

    pub(super) fn wake_all(&self) {
        wake_all(lock(&self.0));
    }
}

/// A poll of the source.
pub(super) struct SourcePoll<'a> {
    set: &'a WakerSet,
    /// Whether all waiters are woken at its end.
    pub(super) wake: bool,
}

impl Drop for SourcePoll<'_> {
    fn drop(&mut self) {
        let mut set = lock(&self.set.0);
        set.polling -= 1;
        if std::mem::take(&mut set.woken) | self.wake {
            wake_all(set);
        }
    }
}

impl Wake for WakerSet {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut set = lock(&self.0);
        // Not here: the caller may be the source, which is polled under its lock.
        if set.polling > 0 {
            set.woken = true;
        } else {
            wake_all(set);
        }
    }
}

fn wake_all(mut set: MutexGuard<'_, RegisteredWakers>) {
    // One waiter, the common case, needs no second list.
    let one = set.wakers.pop();
    let rest = if set.wakers.is_empty() { Vec::new() } else { std::mem::take(&mut set.wakers) };
    drop(set);
    one.into_iter().chain(rest).for_each(|(_, waker)| waker.wake());
}
