//! What every handler call stands on, inline or in a lane: the lines that faults may write, and the
//! knowledge of whether the server still runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::inlet::Inlet;
use super::stats::{Counter, Counters};
use crate::channel::Throttle;
use crate::dispatch::{Call, Departure, Job, Outcome, Rejection, Replies, ReplyBudget, ReplyError, WayBack};
use crate::packet::{Message, Meta};

#[derive(Default)]
pub(super) struct Ground {
    pub(super) faults: Faults,
    /// Packets in the inbox.
    pub(super) waiting: AtomicUsize,
    /// The calls that wait or run in lanes.
    pub(super) jobs: TaskTracker,
    /// Cancelled when the server has ended or was dropped: calls in lanes end at once.
    pub(super) dropped: CancellationToken,
}

/// The faults that a peer can cause, each with its line a second.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) malformed: Throttle,
    pub(super) refused_time_tags: Throttle,
    pub(super) late: Throttle,
    rejected: Throttle,
    failed: Throttle,
    panicked: Throttle,
    unsent: Throttle,
}

impl Ground {
    /// A call for a lane, which owns what it needs.
    pub(super) fn job(
        self: &Arc<Self>,
        call: Call,
        message: &Message,
        meta: &Meta,
        inlet: &Arc<Inlet>,
        budget: Arc<ReplyBudget>,
    ) -> Job {
        let (ground, inlet, token) = (Arc::clone(self), Arc::clone(inlet), self.jobs.token());
        let mut ticket = Ticket { ground, inlet, used: false, _token: token };
        // What waits is copied: it must not keep a larger buffer alive.
        let (message, meta) = (message.as_ref().to_owned(), meta.clone());
        let run = async move {
            let dropped = ticket.ground.dropped.clone();
            // Most handlers end without waiting: they do not pay for the way to be told.
            if dropped.is_cancelled() {
                return;
            }
            ticket.used = true;
            let (ground, inlet) = (&ticket.ground, &*ticket.inlet);
            let back = WayBack::sharing(inlet.socket(), budget);
            let finish = ground.finish(|| call(&message, &meta, &back), &message, &meta, inlet, &back);
            tokio::select! {
                biased;
                () = finish => {}
                () = dropped.cancelled() => {}
            }
        };
        run.boxed()
    }

    /// Calls a handler, waits for its end, and sends what it returned.
    pub(super) async fn finish(
        &self,
        call: impl FnOnce() -> Result<Outcome, Rejection>,
        message: &Message,
        meta: &Meta,
        inlet: &Inlet,
        back: &WayBack<'_>,
    ) {
        let counters = &inlet.record.counters;
        let unfinished = Unfinished(counters);
        let called = inlet.record.span.in_scope(|| catch_unwind(AssertUnwindSafe(call)));
        let outcome = match called {
            Ok(Ok(Outcome::Now(replies))) => Ok(replies),
            Ok(Ok(Outcome::Later(future))) => AssertUnwindSafe(future).catch_unwind().await,
            Ok(Err(rejection)) => {
                unfinished.settle(&counters.rejected);
                if let Some(suppressed) = self.faults.rejected.pass() {
                    tracing::debug!(
                        target: "tokio_osc::dispatch",
                        address = %message.address(), peer = %meta.peer, %rejection, suppressed, "rejected"
                    );
                }
                return;
            }
            Err(panic) => Err(panic),
        };
        match outcome {
            Ok(replies) => {
                unfinished.settle(&counters.handled);
                self.reply(replies, meta, counters, back).await;
            }
            Err(_panic) => {
                unfinished.settle(&counters.panicked);
                if let Some(suppressed) = self.faults.panicked.pass() {
                    tracing::error!(
                        target: "tokio_osc::dispatch",
                        address = %message.address(), peer = %meta.peer, suppressed, "handler panicked"
                    );
                }
            }
        }
    }

    async fn reply(&self, replies: Replies, meta: &Meta, counters: &Counters, back: &WayBack<'_>) {
        if let Some(error) = replies.failed {
            counters.failed.up();
            if let Some(suppressed) = self.faults.failed.pass() {
                tracing::debug!(target: "tokio_osc::dispatch", peer = %meta.peer, error, suppressed, "handler failed");
            }
        }
        for packet in replies.packets {
            match back.send(packet, meta.peer).await {
                Ok(Departure::Sent) => counters.replies.up(),
                Ok(Departure::Filtered) => counters.replies_filtered.up(),
                Err(error) => {
                    match error {
                        ReplyError::Rate => counters.replies_over_rate.up(),
                        _ => counters.replies_dropped.up(),
                    }
                    if let Some(suppressed) = self.faults.unsent.pass() {
                        tracing::debug!(
                            target: "tokio_osc::dispatch",
                            peer = %meta.peer, %error, suppressed, "reply not sent"
                        );
                    }
                }
            }
        }
    }
}

/// The right of a call in a lane to be counted as what it was not: called.
struct Ticket {
    ground: Arc<Ground>,
    inlet: Arc<Inlet>,
    used: bool,
    /// The last field: whoever waits for the call sees it counted, and the channel given up.
    _token: TaskTrackerToken,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let counters = &self.inlet.record.counters;
        match self.used {
            true => {}
            false if self.ground.dropped.is_cancelled() => counters.abandoned.up(),
            false => counters.overflowed.up(),
        }
    }
}

/// A handler that was called, and of whose end nothing is known yet.
struct Unfinished<'a>(&'a Counters);

impl Unfinished<'_> {
    fn settle(self, as_what: &Counter) {
        as_what.up();
        std::mem::forget(self);
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.abandoned.up();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::pin::pin;
    use std::sync::{Mutex, Weak};
    use std::task::{Context, Wake};

    use futures::stream;

    use super::*;
    use crate::packet::Peer;
    use crate::schedule::TimeOptions;
    use crate::server::inlet::Plan;

    /// Looks, when it is woken, whether anything of a call is left, and what was counted.
    struct Look(Weak<Inlet>, Mutex<Vec<(bool, String)>>, Box<dyn Fn() -> String + Send + Sync>);

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            let seen = (self.0.strong_count() > 0, self.2());
            self.1.lock().unwrap().push(seen);
        }
    }

    /// What a server that waits for a call sees at its end.
    async fn seen_at_the_end(how: impl AsyncFnOnce(&Ground, Job)) -> Vec<(bool, String)> {
        let ground = Arc::new(Ground::default());
        let source =
            Plan::stream("test".into(), stream::pending()).open(&Arc::default(), &TimeOptions::new());
        let inlet = source.unwrap().inlet.unwrap();
        let record = Arc::clone(&inlet.record);
        let counted = Box::new(move || record.counted().to_string().split_whitespace().collect());
        let look = Arc::new(Look(Arc::downgrade(&inlet), Mutex::default(), counted));
        let (message, meta) = (Message::new("/n", ()).unwrap(), Meta::from_peer(Peer::LOCAL));
        let budget = Arc::new(ReplyBudget::new(None));
        let job = ground.job(Box::new(|_, _, _| Ok(Outcome::default())), &message, &meta, &inlet, budget);
        drop(inlet);
        ground.jobs.close();
        let mut ended = pin!(ground.jobs.wait());
        let waker = Arc::clone(&look).into();
        assert!(ended.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        how(&ground, job).await;
        std::mem::take(&mut *look.1.lock().unwrap())
    }

    #[tokio::test]
    async fn a_call_in_a_lane_has_ended_when_it_is_counted_and_holds_nothing() {
        let once = |counted: &str| vec![(false, counted.to_owned())];
        assert_eq!(seen_at_the_end(async |_, job| job.await).await, once("1handled"));
        assert_eq!(seen_at_the_end(async |_, job| drop(job)).await, once("1overflowed"));
        let cancelled = async |ground: &Ground, job: Job| {
            ground.dropped.cancel();
            job.await;
        };
        assert_eq!(seen_at_the_end(cancelled).await, once("1abandoned"));
    }
}
