//! A queue that is bounded in items and in bytes, with a stated policy for when it is full.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use tokio::sync::Notify;

use crate::lock::lock;
use crate::packet::Overflow;

/// An item of a queue that knows how many bytes of packets it holds.
pub(crate) trait Weigh {
    fn bytes(&self) -> usize;
}

/// The outcome of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the queue.
    Kept,
    /// It is in the queue, and this many of the oldest items were dropped for it.
    InPlaceOf(usize),
    /// It was dropped, because there is no room.
    Dropped,
}

impl Pushed {
    /// How many items were dropped.
    pub(crate) fn dropped(self) -> u64 {
        match self {
            Self::Kept => 0,
            Self::InPlaceOf(oldest) => oldest as u64,
            Self::Dropped => 1,
        }
    }
}

/// The queue: many push, many pop.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    queue: Mutex<Queue<T>>,
    overflow: Overflow,
    /// Woken for each item.
    filled: Notify,
    /// Woken for each item that was taken.
    emptied: Notify,
    /// The waker of the reader, if the reader is a stream.
    reader: AtomicWaker,
}

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    /// Items that were popped and are not finished.
    taken: usize,
    /// Bytes of the items and of the unfinished ones.
    bytes: usize,
    limits: MailboxLimits,
    /// Whether pushing has ended.
    closed: bool,
}

/// A queue is full at this many items, or at this many bytes. The last item may exceed the bytes, so that every
/// packet that a channel accepts fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MailboxLimits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

impl MailboxLimits {
    /// Limits of a queue that is limited by a number of items only.
    pub(crate) const fn of_items(items: usize) -> Self {
        Self { items, bytes: 16 * 1_024 * 1_024 }
    }
}

impl<T> Queue<T> {
    /// Takes the oldest item. Its bytes still count.
    fn take(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        self.taken += 1;
        Some(item)
    }

    /// Releases the bytes of an item that was taken. An abandoned queue has none.
    fn give_up(&mut self, bytes: usize) {
        self.taken -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.limits.items.max(1) || self.bytes >= self.limits.bytes.max(1)
    }
}

impl<T: Weigh> Mailbox<T> {
    /// At least one item always fits.
    pub(crate) fn new(limits: MailboxLimits, overflow: Overflow) -> Self {
        Self {
            queue: Mutex::new(Queue { items: VecDeque::new(), taken: 0, bytes: 0, limits, closed: false }),
            overflow,
            filled: Notify::new(),
            emptied: Notify::new(),
            reader: AtomicWaker::new(),
        }
    }

    pub(crate) fn limits(&self) -> MailboxLimits {
        self.queue().limits
    }

    /// Sets the limits for later pushes.
    pub(crate) fn set_limits(&self, limits: MailboxLimits) {
        self.queue().limits = limits;
    }

    /// Queues an item, by the policy.
    ///
    /// Cancel safe: if the future is dropped, nothing was queued.
    pub(crate) async fn push(&self, item: T) -> Pushed {
        let mut item = item;
        loop {
            // Made before the attempt: room that comes in between is not missed.
            let emptied = self.emptied.notified();
            match self.try_push(item) {
                Ok(pushed) => return pushed,
                Err(back) => item = back,
            }
            emptied.await;
        }
    }

    /// Queues an item, or returns it if the policy is to wait and there is no room.
    pub(crate) fn try_push(&self, item: T) -> Result<Pushed, T> {
        let mut queue = self.queue();
        if queue.closed {
            return Ok(Pushed::Dropped);
        }
        let mut oldest = Vec::new();
        if queue.is_full() {
            match self.overflow {
                Overflow::Wait => return Err(item),
                Overflow::DropNewest => return Ok(Pushed::Dropped),
                Overflow::DropOldest => {
                    while queue.is_full() {
                        let Some(item) = queue.items.pop_front() else { break };
                        queue.bytes -= item.bytes();
                        oldest.push(item);
                    }
                }
            }
        }
        queue.bytes += item.bytes();
        queue.items.push_back(item);
        // A permit is stored once, however often it is given: the one that takes it passes it on.
        if self.overflow == Overflow::Wait && !queue.is_full() {
            self.emptied.notify_one();
        }
        drop(queue);
        self.filled.notify_one();
        self.reader.wake();
        // Outside of the lock: what an item drops is not of this crate, and may push in turn.
        Ok(if oldest.is_empty() { Pushed::Kept } else { Pushed::InPlaceOf(oldest.len()) })
    }

    /// Ends pushing: `next` returns the remaining items, then `None`.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_waiters();
        self.reader.wake();
    }

    /// Ends popping: drops the waiting items, and every item that is pushed later.
    pub(crate) fn abandon(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let left = std::mem::take(&mut queue.items);
        queue.bytes = 0;
        drop(queue);
        drop(left);
        self.emptied.notify_waiters();
    }

    pub(crate) fn len(&self) -> usize {
        self.queue().items.len()
    }

    /// The number of items that wait or are not finished.
    pub(crate) fn unfinished(&self) -> usize {
        let queue = self.queue();
        queue.items.len() + queue.taken
    }

    /// Waits for the oldest item. `None` when the queue is closed and empty. The bytes of an item count until the
    /// next call, which gets them as `done`.
    ///
    /// Cancel safe: if the future is dropped, no item was taken.
    pub(crate) async fn next(&self, mut done: Option<usize>) -> Option<T> {
        loop {
            let filled = self.filled.notified();
            let next = self.pop_by(|queue| {
                if let Some(bytes) = done.take() {
                    queue.give_up(bytes);
                }
                queue.take()
            });
            if let Poll::Ready(item) = next {
                return item;
            }
            filled.await;
        }
    }

    /// Polls for the oldest item; for one reader.
    pub(crate) fn poll_pop(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(item) = self.try_pop() {
            return Poll::Ready(item);
        }
        self.reader.register(cx.waker());
        // An item may have come before the waker was there.
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

    /// The oldest item; `None` when it is closed and empty.
    pub(crate) fn try_pop(&self) -> Poll<Option<T>> {
        self.pop_by(|queue| {
            let item = queue.take()?;
            queue.give_up(item.bytes());
            Some(item)
        })
    }

    fn pop_by(&self, pop: impl FnOnce(&mut Queue<T>) -> Option<T>) -> Poll<Option<T>> {
        let mut queue = self.queue();
        let before = queue.bytes;
        let item = pop(&mut queue);
        let (closed, room) = (queue.closed, item.is_some() || queue.bytes < before);
        // A permit is stored once, however many items came: the one that takes it passes it on.
        if item.is_some() && !queue.items.is_empty() {
            self.filled.notify_one();
        }
        drop(queue);
        if room {
            self.emptied.notify_one();
        }
        if item.is_some() || closed { Poll::Ready(item) } else { Poll::Pending }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        lock(&self.queue)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    impl Weigh for usize {
        fn bytes(&self) -> usize {
            *self
        }
    }

    impl Weigh for std::sync::Arc<()> {
        fn bytes(&self) -> usize {
            1
        }
    }

    fn items(items: usize) -> MailboxLimits {
        MailboxLimits { items, bytes: usize::MAX }
    }

    #[tokio::test]
    async fn each_policy_is_followed() {
        let newest = Mailbox::new(items(2), Overflow::DropNewest);
        let oldest = Mailbox::new(items(2), Overflow::DropOldest);
        for n in 0..3_usize {
            let full = n == 2;
            assert_eq!(newest.push(n).await, if full { Pushed::Dropped } else { Pushed::Kept });
            assert_eq!(oldest.push(n).await, if full { Pushed::InPlaceOf(1) } else { Pushed::Kept });
        }
        assert_eq!((newest.next(None).await, newest.next(None).await), (Some(0), Some(1)));
        assert_eq!((oldest.next(None).await, oldest.next(None).await), (Some(1), Some(2)));
    }

    #[tokio::test]
    async fn waiting_keeps_everything_in_order() {
        let mailbox = std::sync::Arc::new(Mailbox::new(items(1), Overflow::Wait));
        let pushing = tokio::spawn({
            let mailbox = std::sync::Arc::clone(&mailbox);
            async move {
                for n in 0..1_000_usize {
                    mailbox.push(n).await;
                }
            }
        });
        for n in 0..1_000 {
            assert_eq!(mailbox.next(None).await, Some(n));
        }
        assert!(pushing.await.is_ok());
    }

    #[tokio::test]
    async fn a_closed_mailbox_yields_the_remaining_items_and_ends_for_every_reader() {
        let mailbox = std::sync::Arc::new(Mailbox::new(items(4), Overflow::Wait));
        let popping = [(); 3].map(|()| {
            let mailbox = std::sync::Arc::clone(&mailbox);
            tokio::spawn(async move { mailbox.next(None).await })
        });
        tokio::task::yield_now().await;
        mailbox.push(1_usize).await;
        mailbox.close();
        let mut popped = Vec::new();
        for task in popping {
            popped.extend(task.await.ok().flatten());
        }
        assert_eq!((popped, mailbox.next(None).await), (vec![1], None));
    }

    #[tokio::test]
    async fn an_abandoned_mailbox_holds_nothing_and_blocks_no_sender() {
        let mailbox = std::sync::Arc::new(Mailbox::new(items(1), Overflow::Wait));
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

    #[tokio::test]
    async fn bytes_bound_it_beside_the_items() {
        let limits = MailboxLimits { items: 100, bytes: 10 };
        let oldest = Mailbox::new(limits, Overflow::DropOldest);
        for bytes in [3, 3, 3] {
            assert_eq!(oldest.push(bytes).await, Pushed::Kept);
        }
        assert_eq!(oldest.push(9_usize).await, Pushed::Kept, "the last one goes beyond");
        assert_eq!(oldest.push(1).await, Pushed::InPlaceOf(3));
        let waits = Mailbox::new(limits, Overflow::Wait);
        assert_eq!(
            waits.push(12_usize).await,
            Pushed::Kept,
            "an item over the whole limit fits an empty mailbox"
        );
        assert_eq!(waits.try_push(1), Err(1));
        assert_eq!(waits.next(None).await, Some(12));
        assert_eq!((waits.try_push(1), waits.unfinished()), (Err(1), 1), "it runs");
        assert!(waits.next(Some(12)).now_or_never().is_none(), "nothing waits");
        assert_eq!((waits.try_push(1), waits.unfinished()), (Ok(Pushed::Kept), 1));
    }
}
