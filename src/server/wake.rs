//! A waker that tells whether it was used: the handler that waits is polled when *it* was woken,
//! not each time a packet arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures::task::AtomicWaker;

#[derive(Debug, Default)]
pub(super) struct Flag {
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Flag {
    /// Passes wake-ups on to this task from now on.
    pub(super) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Whether it was woken since the last time; once.
    pub(super) fn take(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    pub(super) fn set(&self) {
        self.woken.store(true, Ordering::Release);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
        self.task.wake();
    }
}
