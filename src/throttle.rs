//! At most one line a second for each kind of thing that a peer can cause: what happened is counted,
//! and no peer fills a log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SECOND_IN_MILLIS: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Throttle {
    began: Instant,
    /// Milliseconds after the beginning from which on the next line may be written.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl Throttle {
    /// Whether a line may be written now; then how many were not since the last one.
    pub(crate) fn pass(&self) -> Option<u64> {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        let claim = |next| {
            self.next.compare_exchange(next, now + SECOND_IN_MILLIS, Ordering::Relaxed, Ordering::Relaxed)
        };
        if now < next || claim(next).is_err() {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.suppressed.swap(0, Ordering::Relaxed))
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self { began: Instant::now(), next: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_passes_and_the_rest_of_the_second_is_counted() {
        let throttle = Throttle::default();
        assert_eq!(throttle.pass(), Some(0));
        assert_eq!(throttle.pass(), None);
        assert_eq!(throttle.pass(), None);
        throttle.next.store(0, Ordering::Relaxed);
        assert_eq!(throttle.pass(), Some(2), "two were not written");
    }
}
