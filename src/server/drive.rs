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

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::Shutdown;
use super::inlet::Source;
use super::intake::Intake;
use super::orders::Order;
use super::share::Share;
use super::unit::Shared;
use super::wake::Flag;
use crate::schedule::{Precision, Timer};

/// Packets taken in before one of them runs.
const SIP: usize = 16;

/// What the loop needs besides what it shares with the handle.
pub(super) struct Start {
    pub(super) sources: Vec<Source>,
    pub(super) inbox: usize,
    pub(super) precision: Precision,
    /// Whether channels may be added while it runs.
    pub(super) growing: bool,
    /// When this is ready, the server ends as said.
    pub(super) signal: Option<BoxFuture<'static, ()>>,
    pub(super) shutdown: Shutdown,
    pub(super) report_every: Option<Duration>,
    /// The last field: dropped after the sources, also where the loop never began.
    pub(super) end: End,
}

/// However the loop ends, nobody waits for it afterwards, and calls in lanes end with it.
pub(super) struct End {
    pub(super) shared: Arc<Shared>,
    pub(super) ended: CancellationToken,
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.ground.dropped.cancel();
        self.shared.orders.close();
        self.shared.discard_all();
        self.shared.roster.close();
        self.ended.cancel();
    }
}

/// Runs until it is told to end, or until every source has ended and nothing waits any more.
///
/// When it is to end, nothing more is read; what was read before runs to its end, also in lanes, and
/// connections are closed when the answers have left.
pub(super) async fn drive(shared: Arc<Shared>, start: Start) {
    // Dropped last.
    let Start { end: _end, sources, inbox, precision, growing, mut signal, shutdown, report_every } = start;
    let mut intake = Intake::new(&shared, sources, inbox, growing);
    let mut timer = Timer::new(precision);
    let mut reports = report_every.and_then(ticks);
    let mut ending: Option<Ending> = None;
    let jobs = &shared.ground.jobs;
    let mut jobs_done = pin!(jobs.wait());

    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let run = |arrival| shared.run(arrival);
    let mut running = pin!(none_of(&run));

    poll_fn(|cx| {
        flag.register(cx.waker());
        shared.orders.task.register(cx.waker());
        if signal.as_mut().is_some_and(|signal| signal.as_mut().poll(cx).is_ready()) {
            signal = None;
            shared.orders.give(Order::End(shutdown));
        }
        for order in shared.orders.take() {
            match order {
                Order::Open(source) if ending.is_none() => intake.open(source),
                // It came too late, and is closed.
                Order::Open(_) => {}
                Order::Close(record) => intake.close(&record),
                Order::End(how) => {
                    shared.roster.end();
                    intake.close_all(how);
                    ending = Some(Ending::new(how));
                }
            }
        }
        if ending.as_mut().is_some_and(|ending| ending.poll_deadline(cx).is_ready()) {
            shared.ground.dropped.cancel();
            shared.discard_all();
            running.set(None);
            intake.cut_off();
            return Poll::Ready(());
        }
        while reports.as_mut().is_some_and(|ticks| ticks.poll_tick(cx).is_ready()) {
            shared.trace_stats();
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
            if let Some(arrival) = idle.then(|| intake.next()).flatten() {
                share.runs_one();
                flag.set();
                running.set(Some(run(arrival)));
                continue;
            }
            let taken = intake.take_in(cx, SIP.min(share.intakes));
            share.intakes -= taken;
            let wake = shared.schedule().next_wake();
            let due = timer.poll_due(cx, &*shared.clock, wake).is_ready();
            if taken > 0 || (idle && due) {
                continue;
            }
            if !idle || wake.is_some() {
                return Poll::Pending;
            }
            let over = match ending {
                Some(_) => intake.is_empty(),
                None => intake.is_exhausted() && shared.orders.are_over(),
            };
            if !over {
                return Poll::Pending;
            }
            jobs.close();
            while jobs_done.as_mut().poll(cx).is_ready() {
                if jobs.is_empty() {
                    return Poll::Ready(());
                }
                // One has begun since the last ended.
                jobs_done.set(jobs.wait());
            }
            return Poll::Pending;
        }
    })
    .await;
    drop(intake);
    jobs.close();
    jobs.wait().await;
}

/// A server that is to end.
struct Ending {
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Ending {
    fn new(how: Shutdown) -> Self {
        Self { deadline: how.deadline.map(|deadline| Box::pin(sleep(deadline))) }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.deadline.as_mut().map_or(Poll::Pending, |deadline| deadline.as_mut().poll(cx))
    }
}

/// Ticks from the first interval on; none if that ends after all time.
fn ticks(every: Duration) -> Option<Interval> {
    let every = every.max(Duration::from_millis(1));
    let mut ticks = interval_at(Instant::now().checked_add(every)?, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(ticks)
}

/// No future, of the type that `_run` returns: a way to name it.
fn none_of<A, F>(_run: &impl Fn(A) -> F) -> Option<F> {
    None
}
