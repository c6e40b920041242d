//! Time spans as signed nanoseconds, so that the past and the future can be distinguished.

use std::time::{Duration, SystemTime};

pub(super) fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// `later - earlier`, whichever is later.
pub(super) fn nanos_between(later: SystemTime, earlier: SystemTime) -> i128 {
    match later.duration_since(earlier) {
        Ok(ahead) => nanos(ahead),
        Err(behind) => -nanos(behind.duration()),
    }
}
