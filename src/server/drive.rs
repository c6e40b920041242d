//! The loop of a server: intake beside dispatch, in one future, without a spawn or a box per
//! packet.
//!
//! ```text
//! channels ──► inbox ──► one packet after the other ──► handlers ──► replies
//!     └──────► schedule ──┘ (a bundle, when it is due)
//! ```
//!
//! A handler that waits does not stop the intake: it fills the inbox. When that is full, the
//! channels are not read, and the operating system's buffers fill.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use super::share::Share;
use super::unit::{Arrival, Shared};
use super::wake::Flag;
use crate::channel::Outlet;
use crate::packet::{Meta, Packet};
use crate::schedule::{Precision, Timer};
use crate::wire::DecodeError;

/// Packets taken in before one of them runs.
const SIP: usize = 16;

/// What a channel gives.
pub(super) type Item = (Result<Packet, DecodeError>, Meta);

/// A channel, or any other stream of packets, and its name.
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) index: usize,
    pub(super) packets: BoxStream<'static, Item>,
}

/// Runs until `stop` says so, or until every source has ended and nothing waits any more.
///
/// After `stop` nothing is read; what was read before runs to its end, also in lanes, and connections
/// are closed when the answers have left.
pub(super) async fn drive(
    shared: Arc<Shared>,
    sources: Vec<Source>,
    inbox: usize,
    precision: Precision,
    stop: CancellationToken,
) {
    // However this future ends, calls in lanes end with it.
    let _end_of_jobs = shared.ground.dropped.clone().drop_guard();
    let mut intake =
        Intake { shared: &shared, sources, turn: 0, inbox: VecDeque::new(), limit: inbox.max(1) };
    let mut timer = Timer::new(precision);
    let mut stopped = pin!(stop.cancelled());
    let mut stopping = false;
    let jobs = &shared.ground.jobs;
    let mut jobs_done = pin!(jobs.wait());

    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let run = |arrival| shared.run(arrival);
    let mut running = pin!(none_of(&run));

    poll_fn(|cx| {
        flag.register(cx.waker());
        shared.changed.register(cx.waker());
        if !stopping && stopped.as_mut().poll(cx).is_ready() {
            stopping = true;
            intake.stop_reading();
        }
        let mut share = Share::new();
        loop {
            if let Some(future) = running.as_mut().as_pin_mut() {
                if flag.take() && future.poll(&mut Context::from_waker(&waker)).is_ready() {
                    running.set(None);
                }
            }
            let idle = running.is_none();
            if share.is_spent() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(arrival) = idle.then(|| intake.next(stopping)).flatten() {
                share.runs_one();
                flag.set();
                running.set(Some(run(arrival)));
                continue;
            }
            if stopping {
                if intake.take_in(cx, usize::MAX) > 0 && idle {
                    continue;
                }
                jobs.close();
                if !idle || jobs_done.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                shared.ground.outlets().for_each(Outlet::close);
                return if intake.sources.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            }
            let taken = intake.take_in(cx, SIP.min(share.intakes));
            share.intakes -= taken;
            let wake = shared.schedule().next_wake();
            let due = timer.poll_due(cx, &*shared.clock, wake).is_ready();
            if taken > 0 || (idle && due) {
                continue;
            }
            let finished = idle && intake.sources.is_empty() && wake.is_none();
            return if finished { Poll::Ready(()) } else { Poll::Pending };
        }
    })
    .await;
    jobs.close();
    jobs.wait().await;
    let left = shared.schedule().drain().len();
    shared.ground.counters.discarded.add(left as u64);
}

/// No future, of the type that `_run` returns: a way to name it.
fn none_of<A, F>(_run: &impl Fn(A) -> F) -> Option<F> {
    None
}

struct Intake<'a> {
    shared: &'a Shared,
    sources: Vec<Source>,
    /// The source whose turn it is, so that a busy one does not keep out the others.
    turn: usize,
    inbox: VecDeque<Arrival>,
    limit: usize,
}

impl Intake<'_> {
    /// Reads nothing any more. Sockets are given up; connections stay until the answers have left.
    fn stop_reading(&mut self) {
        let ground = &self.shared.ground;
        ground.outlets().for_each(Outlet::stop_reading);
        self.sources.retain(|source| ground.outlet(source.index).is_some_and(Outlet::needs_polling));
        self.turn = 0;
    }

    /// What is to run next: a bundle that is due, or the oldest packet of the inbox.
    fn next(&mut self, stopping: bool) -> Option<Arrival> {
        let due = if stopping { None } else { self.shared.next_due() };
        due.or_else(|| self.inbox.pop_front())
    }

    /// Takes in what the sources have, at most `most` and as much as the inbox holds.
    fn take_in(&mut self, cx: &mut Context<'_>, most: usize) -> usize {
        let mut taken = 0;
        while taken < most && self.inbox.len() < self.limit {
            let Poll::Ready(Some((source, item))) = self.poll_sources(cx) else { break };
            self.accept(source, item);
            taken += 1;
        }
        taken
    }

    /// An item of the source whose turn it is, or of the next that has one. A source that ended is
    /// removed.
    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Item)>> {
        let mut asked = 0;
        while asked < self.sources.len() {
            self.turn = (self.turn + 1) % self.sources.len();
            let source = &mut self.sources[self.turn];
            match Pin::new(&mut source.packets).poll_next(cx) {
                Poll::Ready(Some((packet, mut meta))) => {
                    meta.channel = Arc::clone(&source.name);
                    return Poll::Ready(Some((source.index, (packet, meta))));
                }
                Poll::Ready(None) => {
                    self.sources.swap_remove(self.turn);
                    self.turn = 0;
                    asked = 0;
                }
                Poll::Pending => asked += 1,
            }
        }
        Poll::Pending
    }

    fn accept(&mut self, source: usize, (packet, meta): Item) {
        let counters = &self.shared.ground.counters;
        counters.received.up();
        let packet = match packet {
            Ok(packet) => packet,
            Err(error) => {
                counters.malformed.up();
                if let Some(suppressed) = self.shared.ground.faults.malformed.pass() {
                    tracing::debug!(
                        target: "tokio_osc::server",
                        channel = %meta.channel, peer = %meta.peer, %error, suppressed, "malformed packet"
                    );
                }
                return;
            }
        };
        if !meta.repairs.is_none() {
            counters.repaired.up();
        }
        self.inbox.extend(self.shared.receive(packet, meta, source));
    }
}
