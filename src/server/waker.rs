//! Records what woke the loop: the packet that waits for its handler, or one of the channels. Each has its
//! own waker, so a wake-up costs as much as there are ready sources, and not registered ones.
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

/// The waker of the packet that waits for its handler, which is polled only when *it* was woken, and not for
/// each arriving packet.
pub(super) struct HandlerWaker {
    woken: AtomicBool,
    task: Arc<AtomicWaker>,
}

impl HandlerWaker {
    pub(super) fn new(task: Arc<AtomicWaker>) -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(false), task })
    }

    /// Returns `true` once if it was woken since the last call.
    pub(super) fn take(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// Marks a new packet, which was not polled yet.
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

/// The woken channels, by their keys.
pub(super) struct WokenChannels {
    keys: Mutex<Vec<usize>>,
    /// Whether there are some. Checked often.
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
    /// Whether its key is in the list of woken channels, or was taken from it for the next poll.
    listed: AtomicBool,
    woken: Arc<WokenChannels>,
}

impl ChannelWaker {
    pub(super) fn new(key: usize, woken: &Arc<WokenChannels>) -> Arc<Self> {
        Arc::new(Self { key, listed: AtomicBool::new(false), woken: Arc::clone(woken) })
    }

    /// Must be called before each poll of the channel: later wakes list it again. While the channel yields
    /// packets without being woken, this is a plain load.
    #[inline]
    pub(super) fn unlist(&self) {
        if self.listed.load(Ordering::Relaxed) {
            // Acquires the writes before a wake-up that found it listed, and so did not list it.
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
        // After the key, so that a reader that sees this flag finds the key.
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
