//! Who woke the loop: the packet that waits for a handler, or which of the channels. Each has a waker of
//! its own, so that a wake-up costs what is ready, not what is registered.
//!
//! ```text
//! channel 3 ──wake──► WokenChannels [3] ──┐
//! channel 7 ──(idle)                      ├──► the task of the loop
//! a handler ──wake──► HandlerWaker [yes] ─┘
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;

use futures::task::AtomicWaker;

use crate::lock::lock;

/// The waker of the packet that waits for a handler: it is polled when *it* was woken, not each time
/// that a packet arrives.
pub(super) struct HandlerWaker {
    woken: AtomicBool,
    task: Arc<AtomicWaker>,
}

impl HandlerWaker {
    pub(super) fn new(task: Arc<AtomicWaker>) -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(false), task })
    }

    /// Whether it was woken since the last time; once.
    pub(super) fn take(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// For a packet that was not polled yet.
    pub(super) fn set(&self) {
        self.woken.store(true, Ordering::Release);
    }
}

impl Wake for HandlerWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
        self.task.wake();
    }
}

/// The channels that were woken, by the keys that the loop gave them.
pub(super) struct WokenChannels {
    keys: Mutex<Vec<usize>>,
    /// Whether there are some: looked at often.
    any: AtomicBool,
    task: Arc<AtomicWaker>,
}

impl WokenChannels {
    pub(super) fn new(task: Arc<AtomicWaker>) -> Arc<Self> {
        Arc::new(Self { keys: Mutex::default(), any: AtomicBool::new(false), task })
    }

    pub(super) fn take(&self, woken: impl FnMut(usize)) {
        if self.any.load(Ordering::Relaxed) && self.any.swap(false, Ordering::AcqRel) {
            lock(&self.keys).drain(..).for_each(woken);
        }
    }
}

/// The waker of one channel.
pub(super) struct ChannelWaker {
    key: usize,
    /// Whether its key is among those that were woken, or was taken from there for a poll to come.
    listed: AtomicBool,
    woken: Arc<WokenChannels>,
}

impl ChannelWaker {
    pub(super) fn new(key: usize, woken: &Arc<WokenChannels>) -> Arc<Self> {
        Arc::new(Self { key, listed: AtomicBool::new(false), woken: Arc::clone(woken) })
    }

    /// To be called before each poll of the channel: a later wake-up lists it again. While it
    /// gives one packet after the other, nothing wakes it, and this is a plain load.
    #[inline]
    pub(super) fn unlist(&self) {
        if self.listed.load(Ordering::Relaxed) {
            // Acquires what was written before the wake-up that found it listed, and so listed nothing.
            self.listed.swap(false, Ordering::AcqRel);
        }
    }
}

impl Wake for ChannelWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.listed.swap(true, Ordering::AcqRel) {
            return;
        }
        lock(&self.woken.keys).push(self.key);
        // After the key: a reader that sees this finds it.
        self.woken.any.store(true, Ordering::Release);
        self.woken.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn taken(woken: &WokenChannels) -> Vec<usize> {
        let mut keys = Vec::new();
        woken.take(|key| keys.push(key));
        keys
    }

    #[test]
    fn a_channel_is_listed_once_until_it_is_polled() {
        let woken = WokenChannels::new(Arc::default());
        let channels = [3, 7].map(|key| ChannelWaker::new(key, &woken));
        let wakers = channels.clone().map(Waker::from);
        assert!(taken(&woken).is_empty());
        wakers[1].wake_by_ref();
        wakers[0].wake_by_ref();
        wakers[1].wake_by_ref();
        assert_eq!(taken(&woken), [7, 3]);
        wakers[1].wake_by_ref();
        assert!(taken(&woken).is_empty(), "the poll that is due sees it");
        channels[1].unlist();
        wakers[1].wake_by_ref();
        assert_eq!(taken(&woken), [7], "while it is polled, it is for the next pass");
    }

    #[test]
    fn a_handler_is_polled_once_for_each_wake_up() {
        let handler = HandlerWaker::new(Arc::default());
        assert!(!handler.take());
        Waker::from(Arc::clone(&handler)).wake();
        assert_eq!((handler.take(), handler.take()), (true, false));
    }
}
