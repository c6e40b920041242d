//! One way to call a function of the program that uses this crate. Its panic ends here, costs what the
//! function was called for, is counted, and is traced with the name of the function.

use std::any::Any;
use std::borrow::Cow;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures::FutureExt;
use futures::stream::{Stream, StreamExt, poll_fn};

use crate::throttle::Throttle;

/// A user's function panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Calls a user's function, for a caller that counts and traces its panics.
///
/// The function is called outside of the critical sections of this crate: no state is half changed when it
/// panics.
#[inline]
pub(crate) fn caught<R>(call: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(discard)
}

/// As [`caught`], for a future of the user's.
pub(crate) fn caught_future<F: Future>(future: F) -> impl Future<Output = Result<F::Output, Panicked>> {
    AssertUnwindSafe(future).catch_unwind().map(|ended| ended.map_err(discard))
}

/// Drops what was thrown. Its own drop may panic, and so may that of what it throws then: the second
/// payload is leaked, or this would never end.
#[cold]
fn discard(payload: Box<dyn Any + Send>) -> Panicked {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    Panicked
}

/// A stream of the user's. It ends where it panics; then `note` is called.
pub(crate) fn until_panic<S: Stream + Unpin>(
    stream: S,
    function: Arc<UserFunction>,
    note: impl Fn(),
) -> impl Stream<Item = S::Item> {
    let mut stream = Some(stream);
    poll_fn(move |cx| {
        let mut next = Poll::Ready(None);
        let Some(polled) = &mut stream else { return next };
        // Written in place: as the result of the call, an item would be copied several times.
        if let Err(Panicked) = function.call(|| next = polled.poll_next_unpin(cx)) {
            // It is not in a state to be polled again; its drop may panic, too.
            let _ = caught(|| drop(stream.take()));
            note();
        }
        next
    })
}

/// A user's function by its name: counts its panics, and traces at most one of them a second.
#[derive(Debug)]
pub(crate) struct UserFunction {
    name: Cow<'static, str>,
    panics: AtomicU64,
    lines: Throttle,
}

impl UserFunction {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), panics: AtomicU64::new(0), lines: Throttle::default() }
    }

    pub(crate) fn call<R>(&self, call: impl FnOnce() -> R) -> Result<R, Panicked> {
        caught(call).inspect_err(|_| self.note())
    }

    /// As [`call`](UserFunction::call), for a future of the user's.
    pub(crate) async fn wait<F: Future>(&self, future: F) -> Result<F::Output, Panicked> {
        caught_future(future).await.inspect_err(|_| self.note())
    }

    /// How often it has panicked.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    #[cold]
    fn note(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        if let Some(suppressed) = self.lines.pass() {
            tracing::error!(target: "tokio_osc::panics", function = %self.name, suppressed, "panicked");
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    /// Panics when it is dropped, with another one.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[tokio::test]
    async fn a_panic_is_counted_and_goes_no_further_whatever_it_throws() {
        let function = UserFunction::new("test");
        assert_eq!(function.call(|| 1), Ok(1));
        assert_eq!(function.wait(async { 2 }).await, Ok(2));
        assert_eq!(function.call(|| -> u8 { panic!("thrown") }), Err(Panicked));
        assert_eq!(function.call(|| -> u8 { std::panic::panic_any(Bomb) }), Err(Panicked));
        let thrown = async {
            tokio::task::yield_now().await;
            std::panic::panic_any(Bomb)
        };
        assert_eq!(function.wait::<_>(thrown.map(|(): ()| 3)).await, Err(Panicked));
        assert_eq!(function.panics(), 3);
    }
}
