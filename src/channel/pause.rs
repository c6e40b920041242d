//! A channel that is not read for a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures::task::AtomicWaker;

/// Whether a channel is paused, shared by what reads it and its outlets.
#[derive(Default)]
pub(crate) struct PauseSwitch {
    paused: AtomicBool,
    /// The task that polls the channel.
    reader: AtomicWaker,
}

impl PauseSwitch {
    pub(crate) fn set(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
        self.reader.wake();
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Whether it is paused. If so, the task is woken when the pause ends.
    pub(crate) fn register_if_paused(&self, cx: &Context<'_>) -> bool {
        if !self.is_paused() {
            return false;
        }
        self.reader.register(cx.waker());
        // Again, or what changed before the waker was there would be missed.
        self.is_paused()
    }
}
