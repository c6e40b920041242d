//! What the handle asks of the loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::task::AtomicWaker;

use super::Shutdown;
use super::inlet::{Record, Source};

pub(super) enum Order {
    Open(Source),
    Close(Arc<Record>),
    End(Shutdown),
}

/// What was asked and not done yet.
pub(super) struct Orders {
    /// Whether there is something: looked at often.
    news: AtomicBool,
    /// Nothing can be asked of a loop that has ended.
    queue: Mutex<Option<Vec<Order>>>,
    /// The loop, which is woken for orders, and for changes of the schedule too.
    pub(super) task: AtomicWaker,
}

impl Orders {
    pub(super) fn new() -> Self {
        let queue = Mutex::new(Some(Vec::new()));
        Self { news: AtomicBool::new(false), queue, task: AtomicWaker::new() }
    }

    /// Asks for something; false if nobody is left to do it.
    pub(super) fn give(&self, order: Order) -> bool {
        let given = self.queue().as_mut().map(|queue| queue.push(order)).is_some();
        self.news.store(true, Ordering::Release);
        self.task.wake();
        given
    }

    pub(super) fn take(&self) -> Vec<Order> {
        if !self.news.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        self.queue().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes nothing any more, unless something was asked and not done yet.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut queue = self.queue();
        let empty = queue.as_ref().is_none_or(Vec::is_empty);
        if empty {
            *queue = None;
        }
        empty
    }

    /// The loop has ended: what was asked last is dropped.
    pub(super) fn close(&self) {
        let left = self.queue().take();
        drop(left);
    }

    fn queue(&self) -> MutexGuard<'_, Option<Vec<Order>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
