//! What every handler call stands on, inline or in a lane: the counters, the ways back, and the
//! knowledge of whether the server still runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stats::Counters;
use super::throttle::Throttle;
use super::times::{Times, with_offset};
use crate::channel::Outlet;
use crate::dispatch::{Call, Job, Outcome, Rejection, Replies, ReplyBudget, ReplyError, SendBack, WayBack};
use crate::packet::{Message, Meta};

/// By which a channel answers, if it can.
pub(super) type Socket = Option<Arc<dyn SendBack>>;

pub(super) struct Ground {
    pub(super) counters: Counters,
    pub(super) faults: Faults,
    outlets: Vec<Option<Outlet>>,
    /// The same, with the tags of bundles on the clocks of the peers.
    sockets: Vec<Socket>,
    /// The calls that wait or run in lanes.
    pub(super) jobs: TaskTracker,
    /// Cancelled when the server has ended or was dropped: calls in lanes end at once.
    pub(super) dropped: CancellationToken,
}

/// The faults that a peer can cause, each with its line a second.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) malformed: Throttle,
    rejected: Throttle,
    failed: Throttle,
    panicked: Throttle,
    unsent: Throttle,
}

impl Ground {
    pub(super) fn new(outlets: Vec<Option<Outlet>>, times: &Times) -> Self {
        let socket = |(source, outlet): (usize, &Option<Outlet>)| {
            let back = outlet.clone().map(|outlet| Arc::new(outlet) as Arc<dyn SendBack>);
            with_offset(back, times.offset(source))
        };
        Self {
            sockets: outlets.iter().enumerate().map(socket).collect(),
            outlets,
            counters: Counters::default(),
            faults: Faults::default(),
            jobs: TaskTracker::new(),
            dropped: CancellationToken::new(),
        }
    }

    pub(super) fn outlet(&self, source: usize) -> Option<&Outlet> {
        self.outlets.get(source)?.as_ref()
    }

    pub(super) fn outlets(&self) -> impl Iterator<Item = &Outlet> {
        self.outlets.iter().flatten()
    }

    pub(super) fn socket(&self, source: usize) -> Option<&Arc<dyn SendBack>> {
        self.sockets.get(source)?.as_ref()
    }

    /// A call for a lane, which owns what it needs.
    pub(super) fn job(
        self: &Arc<Self>,
        call: Call,
        message: &Message,
        meta: &Meta,
        source: usize,
        budget: Arc<ReplyBudget>,
    ) -> Job {
        let ground = Arc::clone(self);
        let token = self.jobs.token();
        // What waits is copied: it must not keep a larger buffer alive.
        let (message, meta) = (message.as_ref().to_owned(), meta.clone());
        let run = async move {
            let _token = token;
            let back = WayBack::sharing(ground.socket(source), budget);
            let finish = ground.finish(|| call(&message, &meta, &back), &message, &meta, &back);
            // Most handlers end without waiting: they do not pay for the way to be told.
            if !ground.dropped.is_cancelled() {
                tokio::select! {
                    biased;
                    () = finish => {}
                    () = ground.dropped.cancelled() => {}
                }
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
        back: &WayBack<'_>,
    ) {
        let outcome = match std::panic::catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(Outcome::Now(replies))) => Ok(replies),
            Ok(Ok(Outcome::Later(future))) => AssertUnwindSafe(future).catch_unwind().await,
            Ok(Err(rejection)) => {
                self.counters.rejected.up();
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
                self.counters.handled.up();
                self.reply(replies, meta, back).await;
            }
            Err(_panic) => {
                self.counters.panicked.up();
                if let Some(suppressed) = self.faults.panicked.pass() {
                    tracing::error!(
                        target: "tokio_osc::dispatch",
                        address = %message.address(), peer = %meta.peer, suppressed, "handler panicked"
                    );
                }
            }
        }
    }

    async fn reply(&self, replies: Replies, meta: &Meta, back: &WayBack<'_>) {
        if let Some(error) = replies.failed {
            self.counters.failed.up();
            if let Some(suppressed) = self.faults.failed.pass() {
                tracing::debug!(target: "tokio_osc::dispatch", peer = %meta.peer, error, suppressed, "handler failed");
            }
        }
        for packet in replies.packets {
            match back.send(packet, meta.peer).await {
                Ok(()) => self.counters.replies.up(),
                Err(error) => {
                    match error {
                        ReplyError::Rate => self.counters.replies_over_rate.up(),
                        _ => self.counters.replies_dropped.up(),
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
