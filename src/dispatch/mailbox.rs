//! A bounded queue with a stated policy for when it is full.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use tokio::sync::Notify;

use crate::lock::lock;
use crate::packet::Overflow;

/// What became of an item that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the queue.
    Kept,
    /// It is in the queue, and the oldest is not any more.
    InPlaceOfOldest,
    /// It found no room.
    Dropped,
}

/// The queue: many push, many pop.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    queue: Mutex<Queue<T>>,
    capacity: usize,
    overflow: Overflow,
    /// Woken for each item.
    filled: Notify,
    /// Woken for each item that was taken.
    emptied: Notify,
    /// The one stream that reads, if it is one.
    reader: AtomicWaker,
}

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    /// Whether nothing is pushed any more.
    closed: bool,
}

impl<T> Mailbox<T> {
    /// At least one item always fits.
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Self {
        Self {
            queue: Mutex::new(Queue { items: VecDeque::new(), closed: false }),
            capacity: capacity.max(1),
            overflow,
            filled: Notify::new(),
            emptied: Notify::new(),
            reader: AtomicWaker::new(),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Puts an item in, as the policy says.
    ///
    /// Cancel safe: a dropped future has put nothing in.
    pub(crate) async fn push(&self, item: T) -> Pushed {
        let mut item = item;
        loop {
            let emptied = self.emptied.notified();
            match self.try_push(item) {
                Ok(pushed) => return pushed,
                Err(back) => item = back,
            }
            emptied.await;
        }
    }

    /// Puts an item in, or gives it back if the policy is to wait and there is no room.
    pub(crate) fn try_push(&self, item: T) -> Result<Pushed, T> {
        let mut queue = self.queue();
        if queue.closed {
            return Ok(Pushed::Dropped);
        }
        let full = queue.items.len() >= self.capacity;
        let (pushed, oldest) = match self.overflow {
            Overflow::Wait if full => return Err(item),
            Overflow::DropNewest if full => return Ok(Pushed::Dropped),
            Overflow::DropOldest if full => (Pushed::InPlaceOfOldest, queue.items.pop_front()),
            _ => (Pushed::Kept, None),
        };
        queue.items.push_back(item);
        // A permit is stored once, however often it is given: the one that takes it passes it on.
        if self.overflow == Overflow::Wait && queue.items.len() < self.capacity {
            self.emptied.notify_one();
        }
        drop(queue);
        // What it drops is not ours, and may push in turn.
        drop(oldest);
        self.filled.notify_one();
        self.reader.wake();
        Ok(pushed)
    }

    /// Nothing is pushed any more: `pop` gives what is left, then `None`.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_waiters();
        self.reader.wake();
    }

    /// Nothing is popped any more: what waits is dropped, and so is what is pushed from now on.
    pub(crate) fn abandon(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let left = std::mem::take(&mut queue.items);
        drop(queue);
        drop(left);
        self.emptied.notify_waiters();
    }

    pub(crate) fn len(&self) -> usize {
        self.queue().items.len()
    }

    /// The oldest item, as soon as there is one; `None` when it is closed and empty.
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub(crate) async fn pop(&self) -> Option<T> {
        loop {
            let filled = self.filled.notified();
            if let Poll::Ready(item) = self.try_pop() {
                return item;
            }
            filled.await;
        }
    }

    /// The same; for one reader.
    pub(crate) fn poll_pop(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(item) = self.try_pop() {
            return Poll::Ready(item);
        }
        self.reader.register(cx.waker());
        self.try_pop()
    }

    /// Ready when an item waits; for one reader.
    pub(crate) fn poll_filled(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.reader.register(cx.waker());
        if self.len() > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Wakes the one reader without an item.
    pub(crate) fn wake_reader(&self) {
        self.reader.wake();
    }

    pub(crate) fn try_pop(&self) -> Poll<Option<T>> {
        let mut queue = self.queue();
        let Some(item) = queue.items.pop_front() else {
            return if queue.closed { Poll::Ready(None) } else { Poll::Pending };
        };
        if !queue.items.is_empty() {
            self.filled.notify_one();
        }
        drop(queue);
        self.emptied.notify_one();
        Poll::Ready(Some(item))
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        lock(&self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_policy_does_what_it_says() {
        let newest = Mailbox::new(2, Overflow::DropNewest);
        let oldest = Mailbox::new(2, Overflow::DropOldest);
        for n in 0..3 {
            let full = n == 2;
            assert_eq!(newest.push(n).await, if full { Pushed::Dropped } else { Pushed::Kept });
            assert_eq!(oldest.push(n).await, if full { Pushed::InPlaceOfOldest } else { Pushed::Kept });
        }
        assert_eq!((newest.pop().await, newest.pop().await), (Some(0), Some(1)));
        assert_eq!((oldest.pop().await, oldest.pop().await), (Some(1), Some(2)));
    }

    #[tokio::test]
    async fn waiting_keeps_everything_in_order() {
        let mailbox = std::sync::Arc::new(Mailbox::new(1, Overflow::Wait));
        let pushing = tokio::spawn({
            let mailbox = std::sync::Arc::clone(&mailbox);
            async move {
                for n in 0..1_000 {
                    mailbox.push(n).await;
                }
            }
        });
        for n in 0..1_000 {
            assert_eq!(mailbox.pop().await, Some(n));
        }
        assert!(pushing.await.is_ok());
    }

    #[tokio::test]
    async fn what_is_closed_gives_what_is_left_and_ends_for_everyone() {
        let mailbox = std::sync::Arc::new(Mailbox::new(4, Overflow::Wait));
        let popping = [(); 3].map(|()| {
            let mailbox = std::sync::Arc::clone(&mailbox);
            tokio::spawn(async move { mailbox.pop().await })
        });
        tokio::task::yield_now().await;
        mailbox.push(1).await;
        mailbox.close();
        let mut popped = Vec::new();
        for task in popping {
            popped.extend(task.await.ok().flatten());
        }
        assert_eq!((popped, mailbox.pop().await), (vec![1], None));
    }

    #[tokio::test]
    async fn what_is_abandoned_holds_nothing_and_lets_nobody_wait() {
        let mailbox = std::sync::Arc::new(Mailbox::new(1, Overflow::Wait));
        let item = std::sync::Arc::new(());
        mailbox.push(std::sync::Arc::clone(&item)).await;
        let pushing = [(); 3].map(|()| {
            let (mailbox, item) = (std::sync::Arc::clone(&mailbox), std::sync::Arc::clone(&item));
            tokio::spawn(async move { mailbox.push(item).await })
        });
        tokio::task::yield_now().await;
        mailbox.abandon();
        for task in pushing {
            assert_eq!(task.await.ok(), Some(Pushed::Dropped));
        }
        assert_eq!((mailbox.len(), std::sync::Arc::strong_count(&item)), (0, 1));
    }
}
