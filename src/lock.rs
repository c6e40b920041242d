//! One way to lock a mutex.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex whether or not an earlier holder panicked.
///
/// No critical section of this crate leaves its data half changed when it panics: user functions run
/// outside of them, or on data that is replaced as a whole.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
