//! What the handle asks of the loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::task::AtomicWaker;

use super::Shutdown;
use super::inlet::{Record, Source};
use crate::lock::lock;

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
    queue: Mutex<Option<Queue>>,
    /// The loop, which is woken for orders, and for changes of the schedule too.
    pub(super) task: AtomicWaker,
}

#[derive(Default)]
struct Queue {
    orders: Vec<Order>,
    /// Whether all channels have ended: nothing but the end can be asked for.
    over: bool,
}

impl Orders {
    pub(super) fn new() -> Self {
        let queue = Mutex::new(Some(Queue::default()));
        Self { news: AtomicBool::new(false), queue, task: AtomicWaker::new() }
    }

    /// Asks for something; false if nobody is left to do it.
    pub(super) fn give(&self, order: Order) -> bool {
        let may_be_given = |queue: &&mut Queue| !queue.over || matches!(order, Order::End(_));
        let given =
            self.queue().as_mut().filter(may_be_given).map(|queue| queue.orders.push(order)).is_some();
        self.news.store(true, Ordering::Release);
        self.task.wake();
        given
    }

    pub(super) fn take(&self) -> Vec<Order> {
        if !self.news.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        self.queue().as_mut().map(|queue| std::mem::take(&mut queue.orders)).unwrap_or_default()
    }

    /// Takes no channels any more, unless something was asked and not done yet.
    pub(super) fn are_over(&self) -> bool {
        let mut queue = self.queue();
        let Some(queue) = &mut *queue else { return true };
        queue.over |= queue.orders.is_empty();
        queue.over
    }

    /// The loop has ended: what was asked last is dropped.
    pub(super) fn close(&self) {
        let left = self.queue().take();
        drop(left);
    }

    fn queue(&self) -> MutexGuard<'_, Option<Queue>> {
        lock(&self.queue)
    }
}
