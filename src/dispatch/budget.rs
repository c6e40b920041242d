//! What one packet may cause in replies: its sender can be forged, and a small question must not
//! become a flood of answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ReplyError, ReplyRate};
use crate::packet::Peer;

/// Replies per packet.
const MAX_REPLIES: usize = 64;
/// Bytes of replies per packet.
const MAX_BYTES: usize = 64 * 1_024;

#[derive(Debug)]
pub(crate) struct ReplyBudget {
    replies: AtomicUsize,
    bytes: AtomicUsize,
    /// What the source may cause with all its packets.
    rate: Option<Arc<ReplyRate>>,
}

impl ReplyBudget {
    pub(crate) fn new(rate: Option<Arc<ReplyRate>>) -> Self {
        Self { replies: AtomicUsize::new(MAX_REPLIES), bytes: AtomicUsize::new(MAX_BYTES), rate }
    }

    /// Takes a reply of this size to this peer out of it, if that is still there.
    pub(crate) fn take(&self, bytes: usize, peer: Peer) -> Result<(), ReplyError> {
        if !self.holds(bytes) {
            return Err(ReplyError::Budget);
        }
        let admitted = self.rate.as_ref().is_none_or(|rate| rate.admits(peer));
        admitted.then_some(()).ok_or(ReplyError::Rate)
    }

    fn holds(&self, bytes: usize) -> bool {
        take(&self.bytes, bytes) && (take(&self.replies, 1) || give(&self.bytes, bytes))
    }
}

fn take(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).is_ok()
}

/// Gives back what was taken for nothing; false, for that nothing came of it.
fn give(left: &AtomicUsize, amount: usize) -> bool {
    left.fetch_add(amount, Ordering::Relaxed);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_on_both_sides() {
        let budget = ReplyBudget::new(None);
        assert!((0..MAX_REPLIES).all(|_| budget.holds(4)));
        assert!(!budget.holds(4));

        let budget = ReplyBudget::new(None);
        assert!(!budget.holds(MAX_BYTES + 1));
        assert!(budget.holds(MAX_BYTES));
        assert!(!budget.holds(1));
        assert!(budget.holds(0));
    }
}
