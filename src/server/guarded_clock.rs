//! A wrapper of the user's clock that survives its panics.

use std::sync::Mutex;

use crate::lock::lock;
use crate::schedule::{Clock, Reading, SystemClock};
use crate::user_function::{Panicked, UserFunction};

/// A clock that returns its last reading if the user's clock panics. Time stands still until the next reading.
#[derive(Debug)]
pub(super) struct GuardedClock {
    clock: Box<dyn Clock>,
    user: UserFunction,
    last: Mutex<Reading>,
}

impl GuardedClock {
    pub(super) fn new(clock: Box<dyn Clock>) -> Self {
        let user = UserFunction::new("Clock::now");
        let first = user.call(|| clock.now()).unwrap_or_else(|Panicked| SystemClock.now());
        Self { clock, user, last: Mutex::new(first) }
    }

    pub(super) fn panics(&self) -> u64 {
        self.user.panics()
    }
}

impl Clock for GuardedClock {
    fn now(&self) -> Reading {
        // Read before the lock: a clock may take its time, and others may read it meanwhile.
        let read = self.user.call(|| self.clock.now());
        let Ok(reading) = read else { return *lock(&self.last) };
        *lock(&self.last) = reading;
        reading
    }
}
