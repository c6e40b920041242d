//! One call of a handler, in the loop or in a lane. A panic is caught and costs only this call. Each call is
//! counted once, and its replies leave by the channel that received the message.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::channels::ChannelGuard;
use super::stats::Counter;
use super::throttles::Throttles;
use crate::dispatch::{
    Call, Called, DetachedCall, Job, Lane, Outcome, PacketBudget, Rejection, Replies, ReplyError, ReplyPath,
    RouteId, Routes,
};
use crate::packet::{Message, Meta, Peer, Sent};
use crate::throttle::Throttle;
use crate::types::Text;
use crate::user_function::{Panicked, caught, caught_future};

/// State shared by all handler calls: the running ones, and the rate limit of log lines about faults.
#[derive(Default)]
pub(super) struct Calls {
    /// The calls that wait or run in lanes.
    pub(super) jobs: TaskTracker,
    /// Cancelled when the server has ended or was dropped: calls in lanes end at once.
    pub(super) dropped: CancellationToken,
    rejected: Throttles,
    failed: Throttles,
    panicked: Throttles,
    unsent: Throttle,
}

/// The message of a call, and where it came from.
pub(super) struct CallSite<'a> {
    pub(super) message: &'a Message,
    pub(super) meta: &'a Meta,
    pub(super) guard: &'a Arc<ChannelGuard>,
    pub(super) replies: ReplyPath<'a>,
}

/// The unfinished part of a call.
pub(super) enum Unfinished {
    /// The handler waits.
    Handler(BoxFuture<'static, Replies>, Begun),
    /// The lane of the route has no room.
    Lane(Lane, Job),
}

impl Calls {
    /// Calls the handler of a route, or queues the call in its lane. `None` if the call is finished; no future was
    /// created then.
    #[expect(clippy::inline_always, reason = "the way of each message is one function")]
    #[inline(always)]
    pub(super) fn begin(
        self: &Arc<Self>,
        routes: &dyn Routes,
        route: RouteId,
        site: &CallSite<'_>,
    ) -> Option<Unfinished> {
        // The closure borrows the site: what it holds would be copied to where a panic is caught.
        let Ok(called) = site.caught(|| routes.call(route, site.message, site.meta, &site.replies)) else {
            return self.note_panicked(site, routes.name(route));
        };
        match called {
            Some(called) => self.settle(called, site, || routes.name(route), Counter::up_in_loop),
            None => self.begin_detached(routes.detached(route, None)?, site),
        }
    }

    /// Same as [`begin`](Self::begin), for a detached call: it runs here, or in its lane.
    // Out of line, as all that most calls do not need: it keeps their way short.
    #[inline(never)]
    pub(super) fn begin_detached(
        self: &Arc<Self>,
        detached: DetachedCall,
        site: &CallSite<'_>,
    ) -> Option<Unfinished> {
        let DetachedCall { route, name, lane, call } = detached;
        let Some(lane) = lane else {
            return match site.caught(|| call(site.message, site.meta, &site.replies)) {
                Ok(called) => self.settle(called, site, || &name, Counter::up_in_loop),
                Err(Panicked) => self.note_panicked(site, &name),
            };
        };
        let job = self.job(name, call, site);
        lane.try_push(route, site.message.address().as_bytes(), job)
            .err()
            .map(|job| Unfinished::Lane(lane, job))
    }

    /// Waits for the unfinished part of a call of the route with this name.
    pub(super) async fn finish<'a>(
        &self,
        unfinished: Unfinished,
        site: &CallSite<'_>,
        route: impl Fn() -> &'a str,
    ) {
        match unfinished {
            Unfinished::Lane(lane, job) => lane.push(job).await,
            Unfinished::Handler(future, begun) => {
                let ended = caught_future(future).await;
                begun.end();
                let Ok(replies) = ended else {
                    self.note_panicked(site, route());
                    return;
                };
                site.guard.record.counters.handled.up();
                // Most handlers return nothing.
                if !replies.is_none() {
                    self.reply(replies, site, route());
                }
            }
        }
    }

    /// Counts a call that has returned.
    #[expect(clippy::inline_always, reason = "the way of each message is one function")]
    #[inline(always)]
    fn settle<'a>(
        &self,
        called: Called,
        site: &CallSite<'_>,
        route: impl FnOnce() -> &'a str,
        up: fn(&Counter),
    ) -> Option<Unfinished> {
        match called {
            Ok(Outcome::Now(replies)) => {
                up(&site.guard.record.counters.handled);
                // Most handlers return nothing.
                if !replies.is_none() {
                    self.reply(replies, site, route());
                }
                None
            }
            Ok(Outcome::Later(future)) => {
                let begun = Begun { guard: Arc::clone(site.guard), ended: false };
                Some(Unfinished::Handler(future, begun))
            }
            Err(rejection) => {
                self.note_rejected(&rejection, site, route());
                None
            }
        }
    }

    #[cold]
    fn note_rejected(&self, rejection: &Rejection, site: &CallSite<'_>, route: &str) {
        site.guard.record.counters.rejected.up();
        if !tracing::enabled!(target: "tokio_osc::dispatch", tracing::Level::DEBUG) {
            return;
        }
        if let Some(suppressed) = self.rejected.pass(route.as_bytes()) {
            let _in_channel = site.guard.record.span.enter();
            let (address, peer, channel) = site.origin();
            tracing::debug!(
                target: "tokio_osc::dispatch", %address, %peer, channel, route, %rejection, suppressed, "rejected"
            );
        }
    }

    #[cold]
    fn note_panicked(&self, site: &CallSite<'_>, route: &str) -> Option<Unfinished> {
        site.guard.record.counters.panicked.up();
        if let Some(suppressed) = self.panicked.pass(route.as_bytes()) {
            let _in_channel = site.guard.record.span.enter();
            let (address, peer, channel) = site.origin();
            tracing::error!(
                target: "tokio_osc::dispatch", %address, %peer, channel, route, suppressed, "handler panicked"
            );
        }
        None
    }

    #[cold]
    fn note_failed(&self, error: &str, site: &CallSite<'_>, route: &str) {
        site.guard.record.counters.failed.up();
        if let Some(suppressed) = self.failed.pass(route.as_bytes()) {
            let _in_channel = site.guard.record.span.enter();
            let (address, peer, channel) = site.origin();
            tracing::warn!(
                target: "tokio_osc::dispatch", %address, %peer, channel, route, error, suppressed, "handler failed"
            );
        }
    }

    /// A call for a lane, which owns what it needs.
    fn job(self: &Arc<Self>, route: Arc<str>, call: Call, site: &CallSite<'_>) -> Job {
        let mut ticket = Ticket {
            calls: Arc::clone(self),
            guard: Arc::clone(site.guard),
            used: false,
            _token: self.jobs.token(),
        };
        // A copy: a waiting call must not keep a larger buffer alive.
        let (message, meta) = (site.message.as_ref().to_owned(), site.meta.clone());
        let budget = PacketBudget::from(site.replies.budget(site.meta.peer));
        let limits = Arc::clone(site.replies.limits);
        let bytes = message.as_bytes().len();
        Job::new(bytes, async move {
            if ticket.calls.dropped.is_cancelled() {
                return;
            }
            ticket.used = true;
            let (calls, guard) = (&ticket.calls, &ticket.guard);
            let channel = guard.replies.as_ref();
            let replies = ReplyPath { channel, limits: &limits, budget: &budget };
            let site = &CallSite { message: &message, meta: &meta, guard, replies };
            let called = site.caught(|| call(&message, &meta, &site.replies));
            let unfinished = match called {
                Ok(called) => calls.settle(called, site, || &route, Counter::up),
                Err(Panicked) => calls.note_panicked(site, &route),
            };
            // Most handlers end without waiting: they do not pay for being told of the end.
            let Some(unfinished) = unfinished else { return };
            // In a box of its own: with it in here, each job would be too large for the allocator's short way.
            let finish = Box::pin(calls.finish(unfinished, site, || &route));
            tokio::select! {
                biased;
                () = finish => {}
                () = calls.dropped.cancelled() => {}
            }
        })
    }

    // Out of line: it keeps the way of calls without a reply short.
    #[inline(never)]
    fn reply(&self, replies: Replies, site: &CallSite<'_>, route: &str) {
        let (counters, peer) = (&site.guard.record.counters, site.meta.peer);
        let replies = replies.into_parts();
        if let Some(error) = replies.failed {
            self.note_failed(&error, site, route);
        }
        for packet in replies.packets {
            let error = match site.replies.send(packet, peer) {
                Ok(sent) => {
                    match sent {
                        Sent::Sent => counters.replies.up(),
                        Sent::Filtered => counters.replies_filtered.up(),
                    }
                    continue;
                }
                Err(error) => error,
            };
            match error {
                ReplyError::Rate => counters.replies_over_rate.up(),
                _ => counters.replies_dropped.up(),
            }
            if let Some(suppressed) = self.unsent.pass() {
                let _in_channel = site.guard.record.span.enter();
                let (address, peer, channel) = site.origin();
                tracing::debug!(
                    target: "tokio_osc::dispatch", %address, %peer, channel, route, %error, suppressed, "reply not sent"
                );
            }
        }
    }
}

impl CallSite<'_> {
    /// Where the message came from, for a line of the log.
    fn origin(&self) -> (Text<'_>, Peer, &str) {
        (self.message.address(), self.meta.peer, self.meta.channel())
    }

    /// Calls a user's function within the span of the channel, and catches its panic.
    #[expect(clippy::inline_always, reason = "the way of each message is one function")]
    #[inline(always)]
    fn caught<R>(&self, call: impl FnOnce() -> R) -> Result<R, Panicked> {
        let _in_channel = self.guard.record.span.enter();
        caught(call)
    }
}

/// A handler that was called and is pending. If it is dropped before its end, it is counted as abandoned, even if
/// it was never polled.
pub(super) struct Begun {
    guard: Arc<ChannelGuard>,
    ended: bool,
}

impl Begun {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.ended {
            self.guard.record.counters.abandoned.up();
        }
    }
}

/// Counts a queued call in a lane if it is dropped before it is called.
struct Ticket {
    calls: Arc<Calls>,
    guard: Arc<ChannelGuard>,
    used: bool,
    /// The last field: when the tracker is notified, the call is counted and the channel given up.
    _token: TaskTrackerToken,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let counters = &self.guard.record.counters;
        match self.used {
            true => {}
            false if self.calls.dropped.is_cancelled() => counters.abandoned.up(),
            false => counters.overflowed.up(),
        }
    }
}
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::pin::pin;
    use std::sync::{Mutex, Weak};
    use std::task::{Context, Wake};

    use futures::{FutureExt, stream};

    use super::*;
    use crate::schedule::TimeOptions;
    use crate::server::channels::ChannelSpec;

    /// Looks, when it is woken, whether anything of a call is left, and what was counted.
    struct Look(Weak<ChannelGuard>, Mutex<Vec<(bool, String)>>, Box<dyn Fn() -> String + Send + Sync>);

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            let seen = (self.0.strong_count() > 0, self.2());
            self.1.lock().unwrap().push(seen);
        }
    }

    /// What a server that waits for a call sees at its end.
    async fn seen_at_the_end(how: impl AsyncFnOnce(&Calls, Job)) -> Vec<(bool, String)> {
        let calls = Arc::new(Calls::default());
        let source =
            ChannelSpec::stream("test".into(), stream::pending()).open(&Arc::default(), &TimeOptions::new());
        let guard = source.unwrap().guard.unwrap();
        let record = Arc::clone(&guard.record);
        let counted = Box::new(move || record.stats().to_string().split_whitespace().collect());
        let look = Arc::new(Look(Arc::downgrade(&guard), Mutex::default(), counted));
        let (message, meta) = (Message::new("/n", ()).unwrap(), Meta::from_peer(Peer::LOCAL));
        let (limits, budget) = (&Arc::default(), &PacketBudget::new(8));
        let replies = ReplyPath { channel: None, limits, budget };
        let site = CallSite { message: &message, meta: &meta, guard: &guard, replies };
        let job = calls.job("/n".into(), Box::new(|_, _, _| Ok(Outcome::default())), &site);
        drop(guard);
        calls.jobs.close();
        let mut ended = pin!(calls.jobs.wait());
        let waker = Arc::clone(&look).into();
        assert!(ended.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        how(&calls, job).await;
        std::mem::take(&mut *look.1.lock().unwrap())
    }

    #[tokio::test]
    async fn a_call_in_a_lane_has_ended_when_it_is_counted_and_holds_nothing() {
        let once = |counted: &str| vec![(false, counted.to_owned())];
        assert_eq!(seen_at_the_end(async |_, job| job.run().await).await, once("1handled"));
        assert_eq!(seen_at_the_end(async |_, job| drop(job)).await, once("1overflowed"));
        let cancelled = async |calls: &Calls, job: Job| {
            calls.dropped.cancel();
            job.run().await;
        };
        assert_eq!(seen_at_the_end(cancelled).await, once("1abandoned"));
    }

    #[tokio::test]
    async fn a_handler_that_was_never_polled_is_abandoned() {
        let calls = Calls::default();
        let half =
            ChannelSpec::stream("test".into(), stream::pending()).open(&Arc::default(), &TimeOptions::new());
        let guard = half.unwrap().guard.unwrap();
        let (message, meta) = (Message::new("/n", ()).unwrap(), Meta::from_peer(Peer::LOCAL));
        let (limits, budget) = (&Arc::default(), &PacketBudget::new(8));
        let replies = ReplyPath { channel: None, limits, budget };
        let site = CallSite { message: &message, meta: &meta, guard: &guard, replies };
        let begin = || {
            let later = Outcome::Later(std::future::ready(Replies::none()).boxed());
            calls.settle(Ok(later), &site, || "/n", Counter::up_in_loop).unwrap()
        };
        drop(begin());
        calls.finish(begin(), &site, || "/n").await;
        let stats = guard.record.stats();
        assert_eq!((stats.abandoned, stats.handled), (1, 1));
    }
}
