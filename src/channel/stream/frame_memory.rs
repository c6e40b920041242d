//! The memory of unfinished frames, which the connections of a channel share.
//!
//! A connection has [`OWN`] bytes of its own, enough for common packets. For a larger frame it takes more, and reads on
//! when there is some. So large frames that never end delay other large frames, and no small ones. The time limit of a
//! frame goes on meanwhile, so that connections that hold memory and wait for more come to an end.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::lock::lock;

/// Bytes of each connection that are not shared.
const OWN: usize = 16 * 1_024;

pub(crate) struct FrameMemory {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    /// The connections that wait for more.
    waiting: Vec<Waker>,
}

impl FrameMemory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: Mutex::default() })
    }
}

/// The part of one connection, given back on drop.
#[derive(Default)]
pub(crate) struct FrameShare {
    /// `None` for a client, which has one connection.
    memory: Option<Arc<FrameMemory>>,
    taken: usize,
    waits: bool,
}

impl FrameShare {
    pub(crate) fn of(memory: &Arc<FrameMemory>) -> Self {
        Self { memory: Some(Arc::clone(memory)), ..Self::default() }
    }

    /// Ready when the connection may hold this many bytes.
    pub(crate) fn poll_hold(&mut self, bytes: usize, cx: &Context<'_>) -> Poll<()> {
        let wanted = bytes.saturating_sub(OWN);
        let Some(memory) = self.memory.as_ref().filter(|_| wanted > self.taken) else {
            return Poll::Ready(());
        };
        let mut all = lock(&memory.taken);
        let others = all.bytes - self.taken;
        // A connection alone may take what it needs: a frame over the limit would otherwise never arrive.
        if others > 0 && others.saturating_add(wanted) > memory.limit {
            self.waits = true;
            if !all.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                all.waiting.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        all.bytes = others.saturating_add(wanted);
        self.taken = wanted;
        Poll::Ready(())
    }

    /// Gives everything back, and wakes the connections that wait.
    pub(crate) fn release(&mut self) {
        if self.taken == 0 && !self.waits {
            return;
        }
        self.waits = false;
        let Some(memory) = &self.memory else { return };
        let mut all = lock(&memory.taken);
        all.bytes -= std::mem::take(&mut self.taken);
        // All of them, this one's waker as well: those that still have to wait register again.
        let waiting = std::mem::take(&mut all.waiting);
        drop(all);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for FrameShare {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_share_what_they_take_beyond_their_own() {
        let memory = FrameMemory::new(100);
        let cx = Context::from_waker(Waker::noop());
        let mut shares = [(); 3].map(|()| FrameShare::of(&memory));
        let [a, b, c] = &mut shares;
        assert!(a.poll_hold(OWN + 60, &cx).is_ready());
        assert!(b.poll_hold(OWN + 41, &cx).is_pending(), "over the limit together");
        assert!(b.poll_hold(OWN + 40, &cx).is_ready());
        assert!(c.poll_hold(OWN, &cx).is_ready(), "its own");
        assert!(c.poll_hold(OWN + 1, &cx).is_pending());
        a.release();
        assert!(c.poll_hold(OWN + 60, &cx).is_ready());
        b.release();
        c.release();
        assert!(a.poll_hold(OWN + 1_000, &cx).is_ready(), "alone, it takes what it needs");
        assert!(b.poll_hold(OWN + 1, &cx).is_pending());
        drop(shares);
        assert_eq!(lock(&memory.taken).bytes, 0);
    }
}
