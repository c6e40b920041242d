//! What every handler call stands on, inline or in a lane: the counters, the ways back, and the
//! knowledge of whether the server still runs.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stats::Counters;
use super::throttle::Throttle;
use super::times::{Times, with_offset};
use crate::channel::Outlet;
use crate::codec::{FrameError, FrameErrorKind};
use crate::dispatch::{Call, Job, Outcome, Rejection, Replies, ReplyBudget, SendBack, WayBack};
use crate::packet::{Message, Meta, Packet, Peer};

pub(super) struct Ground {
    pub(super) counters: Counters,
    pub(super) faults: Faults,
    outlets: Vec<Option<Outlet>>,
    /// The same, with the tags of bundles on the clocks of the peers.
    ways_back: Vec<WayBack>,
    /// The calls that wait or run in lanes.
    pub(super) jobs: TaskTracker,
    /// Cancelled when the server is dropped: calls in lanes end at once.
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
        let way_back = |(source, outlet): (usize, &Option<Outlet>)| {
            let back = outlet.clone().map(|outlet| Arc::new(outlet) as Arc<dyn SendBack>);
            with_offset(back, times.offset(source))
        };
        Self {
            ways_back: outlets.iter().enumerate().map(way_back).collect(),
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

    pub(super) fn way_back(&self, source: usize) -> &WayBack {
        self.ways_back.get(source).unwrap_or(&None)
    }

    /// A call for a lane, which owns what it needs.
    pub(super) fn job(self: &Arc<Self>, call: Call, message: &Message, meta: &Meta, source: usize) -> Job {
        let ground = Arc::clone(self);
        let token = self.jobs.token();
        // What waits is copied: it must not keep a larger buffer alive.
        let (message, meta) = (message.as_ref().to_owned(), meta.clone());
        let run = async move {
            let _token = token;
            let budget = ReplyBudget::default();
            let call = || call(&message, &meta, ground.way_back(source));
            let finish = ground.finish(call, &message, &meta, source, &budget);
            tokio::select! {
                biased;
                () = ground.dropped.cancelled() => {}
                () = finish => {}
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
        source: usize,
        budget: &ReplyBudget,
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
                self.reply(replies, meta, source, budget).await;
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

    async fn reply(&self, replies: Replies, meta: &Meta, source: usize, budget: &ReplyBudget) {
        if let Some(error) = replies.failed {
            self.counters.failed.up();
            if let Some(suppressed) = self.faults.failed.pass() {
                tracing::debug!(target: "tokio_osc::dispatch", peer = %meta.peer, error, suppressed, "handler failed");
            }
        }
        for packet in replies.packets {
            let sent = match self.way_back(source) {
                Some(back) if budget.take(packet.as_bytes().len()) => back.send(packet, meta.peer).await,
                _ => {
                    self.counters.replies_dropped.up();
                    continue;
                }
            };
            match sent {
                Ok(()) => self.counters.replies.up(),
                Err(error) => {
                    self.counters.replies_dropped.up();
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

/// A channel is the way back of the messages it received.
impl SendBack for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<()>> {
        let into_io = |error: FrameError| match error.into_kind() {
            FrameErrorKind::Io(error) => error,
            other => io::Error::other(FrameError::from(other)),
        };
        async move { self.reply(&packet, peer).await.map_err(into_io) }.boxed()
    }
}
