//! What one packet may cause in replies: its sender can be forged, and a small question must not
//! become a flood of answers.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Replies per packet.
const MAX_REPLIES: usize = 64;
/// Bytes of replies per packet.
const MAX_BYTES: usize = 64 * 1_024;

#[derive(Debug)]
pub(crate) struct ReplyBudget {
    replies: AtomicUsize,
    bytes: AtomicUsize,
}

impl Default for ReplyBudget {
    fn default() -> Self {
        Self { replies: AtomicUsize::new(MAX_REPLIES), bytes: AtomicUsize::new(MAX_BYTES) }
    }
}

impl ReplyBudget {
    /// Takes a reply of this size out of it, if that is still there.
    pub(crate) fn take(&self, bytes: usize) -> bool {
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
        let budget = ReplyBudget::default();
        assert!((0..MAX_REPLIES).all(|_| budget.take(4)));
        assert!(!budget.take(4));

        let budget = ReplyBudget::default();
        assert!(!budget.take(MAX_BYTES + 1));
        assert!(budget.take(MAX_BYTES));
        assert!(!budget.take(1));
        assert!(budget.take(0));
    }
}
