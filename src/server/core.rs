//! The loop of a server. It reads and dispatches in one future, without a spawn or a box per packet.
//!
//! Each pass of the loop does the first applicable step of this list, and starts again:
//!
//! | state                     | there is …                    | what is done                                  |
//! |---------------------------|-------------------------------|-----------------------------------------------|
//! | a packet waits            | a wake-up of its handler      | it goes on                                    |
//! | any                       | no budget left                | the runtime's other tasks get their turn      |
//! | no packet waits           | a bundle that is due          | it runs                                       |
//! | no packet waits           | a packet in the backlog       | it runs                                       |
//! | no packet waits           | something to read             | it runs where it lies, or waits for its time  |
//! | a packet waits            | something to read, and room   | it goes to the backlog, or waits for its time |
//! | a packet waits            | no room, a request by a channel | that channel is read: not the reply, dropped |
//! | a packet waits            | nothing                       | pending                                       |
//! | no packet waits           | a bundle that is not due yet  | pending, with the timer set                   |
//! | no packet, nothing left   | a channel that is open        | pending                                       |
//! | no packet, no channel     | calls in lanes                | pending until they have ended                 |
//! | no packet, no channel     | nothing                       | over                                          |
//!
//! While a packet waits for its handler, reading goes on and fills the backlog. When it is full, the channels
//! are not read, and the buffers of the operating system fill; or packets are dropped, by the overflow
//! policy.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::Shutdown;
use super::backlog::{Backlog, BacklogLimits};
use super::budget::PassBudget;
use super::channels::{ChannelMap, ReadHalf};
use super::commands::{Command, Commands};
use super::dispatch::{Dispatcher, Paused, Turn};
use super::schedule::{Admission, Arrival, SharedSchedule};
use super::sources::{ChannelSources, Read};
use super::stats::Stats;
use super::waker::HandlerWaker;
use crate::packet::Overflow;
use crate::schedule::{Precision, TimeOptions, Timer};

/// The state shared by the loop and the handle.
pub(super) struct Core {
    pub(super) dispatcher: Dispatcher,
    pub(super) schedule: Arc<SharedSchedule>,
    pub(super) channels: Arc<ChannelMap>,
    pub(super) commands: Commands,
    /// The waker of the loop, for commands and changes of the schedule.
    pub(super) task: Arc<AtomicWaker>,
    /// How time tags are handled on channels without options of their own.
    pub(super) time: TimeOptions,
    /// The number of packets in the backlog.
    pub(super) waiting: AtomicUsize,
}

/// The options of the loop, from the builder.
pub(super) struct LoopOptions {
    pub(super) inbox: BacklogLimits,
    pub(super) inbox_overflow: Overflow,
    pub(super) precision: Precision,
    /// The shutdown signal.
    pub(super) signal: Option<BoxFuture<'static, ()>>,
    pub(super) shutdown: Shutdown,
    pub(super) report_every: Option<Duration>,
}

/// The initial state of the loop.
pub(super) struct Start {
    pub(super) options: LoopOptions,
    pub(super) halves: Vec<ReadHalf>,
    /// Whether channels may be added while it runs.
    pub(super) growing: bool,
    /// The last field: dropped after the channels, even if the loop never started.
    pub(super) end: LoopEnd,
}

/// Ends the loop on drop, for any reason: the handle stops waiting, and calls in lanes end.
pub(super) struct LoopEnd {
    pub(super) core: Arc<Core>,
    pub(super) ended: CancellationToken,
}

impl Drop for LoopEnd {
    fn drop(&mut self) {
        let core = &self.core;
        core.dispatcher.calls.dropped.cancel();
        // Before the schedule, because a pending command holds a channel.
        core.commands.close();
        core.schedule.discard_all();
        core.channels.close();
        // The last: a task that waits for the end finds everything above done.
        self.ended.cancel();
    }
}

/// Runs until a shutdown is requested, or until every channel has ended and nothing is pending.
///
/// When it must end, nothing more is read. Received packets run to their end, also in lanes, and connections are
/// closed when the replies have left.
pub(super) async fn run(core: Arc<Core>, start: Start) {
    // Declared first, so dropped last.
    let Start { end: _end, halves, growing, options } = start;
    let LoopOptions { inbox, inbox_overflow, precision, mut signal, shutdown, report_every } = options;
    let mut reading = Reading {
        core: &core,
        sources: ChannelSources::new(&core.channels, &core.task, halves, growing),
        backlog: Backlog::new(inbox, inbox_overflow, &core.waiting, &core.channels),
        turn: None,
        ending: false,
        deadline: None,
    };
    let mut timer = Timer::new(precision);
    let mut reports = report_every.and_then(ticks);
    let jobs = &core.dispatcher.calls.jobs;
    let mut jobs_done = pin!(jobs.wait());

    // The packet that waits for its handler, if there is one.
    let finish = |(turn, paused)| core.dispatcher.finish(turn, paused);
    let mut running = pin!(none_of(&finish));
    let handler = HandlerWaker::new(Arc::clone(&core.task));
    let handler_waker = Waker::from(Arc::clone(&handler));

    poll_fn(|cx| {
        // Registered before any check, so that later changes wake the task.
        core.task.register(cx.waker());
        if signal.as_mut().is_some_and(|signal| signal.as_mut().poll(cx).is_ready()) {
            // A future that was ready must not be polled again.
            signal = None;
            core.commands.give(Command::End(shutdown));
        }
        // Before anything is read: a channel that was removed gives nothing more.
        reading.obey();
        if reading.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            // Calls in lanes first: one that begins from now on counts itself as abandoned.
            core.dispatcher.calls.dropped.cancel();
            core.schedule.discard_all();
            running.set(None);
            reading.backlog.cut_off();
            return Poll::Ready(());
        }
        // Until it is pending: only then does it wake the task for the next one.
        while reports.as_mut().is_some_and(|ticks| ticks.poll_tick(cx).is_ready()) {
            core.trace_stats();
        }
        reading.sources.begin_pass();
        let mut budget = PassBudget::new();
        loop {
            if let Some(future) = running.as_mut().as_pin_mut() {
                // Only when *it* was woken, not for each packet that arrives meanwhile.
                if handler.take() {
                    if let Poll::Ready(turn) = future.poll(&mut Context::from_waker(&handler_waker)) {
                        reading.turn = Some(turn);
                        running.set(None);
                    }
                }
            }
            // After the handler was polled: it goes on also while packets use up each pass.
            if budget.is_spent() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let idle = running.is_none();
            let step = if idle { reading.run_next(&mut budget) } else { reading.read_ahead(&mut budget) };
            match step {
                Step::Done => {}
                Step::Waits(paused) => {
                    let turn = reading.turn.take().unwrap_or_default();
                    running.set(Some(finish((turn, paused))));
                    // It was not polled yet, so it has no waker.
                    handler.set();
                }
                Step::Nothing => {
                    let wake = core.schedule.next_wake();
                    let due = timer.poll_due(cx, &core.schedule.clock, wake).is_ready();
                    // It has become due since it was looked for.
                    if idle && due {
                        continue;
                    }
                    if !idle || wake.is_some() || !reading.is_over() {
                        return Poll::Pending;
                    }
                    // Calls in lanes may still reply, and may add routes, but nothing more comes from channels.
                    jobs.close();
                    while jobs_done.as_mut().poll(cx).is_ready() {
                        if jobs.is_empty() {
                            return Poll::Ready(());
                        }
                        // A call started after the last one ended.
                        jobs_done.set(jobs.wait());
                    }
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
    // The channels first: calls in lanes hold what they need of the channels.
    drop(reading);
    jobs.close();
    jobs.wait().await;
}

/// The channels, and the packets that are not finished.
struct Reading<'a> {
    core: &'a Core,
    sources: ChannelSources,
    backlog: Backlog<'a>,
    /// Created by the first packet, and moved into the packet that waits.
    turn: Option<Box<Turn>>,
    /// Whether a shutdown was requested, and its deadline.
    ending: bool,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The outcome of a step.
#[expect(clippy::large_enum_variant, reason = "one for each packet, on the stack: a box would cost more")]
enum Step {
    Done,
    Waits(Paused),
    Nothing,
}

impl Reading<'_> {
    /// Executes the commands of the handle.
    fn obey(&mut self) {
        for command in self.core.commands.take() {
            match command {
                Command::Open(half) if !self.ending => self.sources.open(half),
                // Added too late, so it is closed.
                Command::Open(_) => {}
                Command::Close(record) => {
                    // Before its bundles are dropped, so that none is added afterwards.
                    record.leave();
                    self.core.schedule.discard_of(&record);
                    self.sources.close(&record);
                }
                Command::End(how) => {
                    self.core.end(how);
                    self.sources.close_all();
                    self.ending = true;
                    self.deadline = how.deadline.map(|deadline| Box::pin(sleep(deadline)));
                }
            }
        }
    }

    /// Runs a due bundle, else the oldest waiting packet, else packets of the channels, until one has to wait.
    fn run_next(&mut self, budget: &mut PassBudget) -> Step {
        let Self { core, sources, backlog, turn, .. } = self;
        let turn = turn.get_or_insert_default();
        while !budget.is_spent() {
            if let Some(arrival) = core.schedule.next_due().or_else(|| backlog.pop()) {
                budget.runs_one();
                return core.begin(turn, arrival);
            }
            let mut read = Read::Pending;
            let Some(guard) = sources.read(&mut read) else { return Step::Nothing };
            budget.takes_one();
            let Poll::Ready(Some((Ok(packet), meta))) = &mut read else { continue };
            let Admission::Runs { due, .. } = core.schedule.accept(packet, meta, guard) else { continue };
            budget.runs_one();
            // It runs where it lies, and is moved only when it waits.
            let begun = core.dispatcher.begin(turn, packet, due, meta, guard);
            let Some((message, unfinished)) = begun else { continue };
            let Poll::Ready(Some((_, meta))) = read else { continue };
            return Step::Waits(Paused { message, meta, guard: Arc::clone(guard), unfinished });
        }
        Step::Done
    }

    /// Reads a packet while another one waits for its handler.
    fn read_ahead(&mut self, budget: &mut PassBudget) -> Step {
        let mut read = Read::Pending;
        let guard = if self.backlog.has_room() {
            self.sources.read(&mut read)
        } else {
            // The handler that everything waits for may itself wait for a reply behind the packets.
            self.sources.read_awaited(&mut read)
        };
        let Some(guard) = guard else { return Step::Nothing };
        budget.takes_one();
        let Poll::Ready(Some((Ok(packet), meta))) = read else { return Step::Done };
        if let Admission::Runs { due, .. } = self.core.schedule.accept(&packet, &meta, guard) {
            self.backlog.push(Arrival { packet, meta, guard: Arc::clone(guard), due });
        }
        Step::Done
    }

    /// Returns `true` if no further packet is possible.
    fn is_over(&self) -> bool {
        if self.ending {
            return self.sources.is_empty();
        }
        self.sources.is_exhausted() && self.core.commands.are_over()
    }
}

impl Core {
    pub(super) fn new(dispatcher: Dispatcher, channels: Arc<ChannelMap>, time: TimeOptions) -> Self {
        let task = Arc::<AtomicWaker>::default();
        Self {
            schedule: Arc::clone(&dispatcher.schedule),
            dispatcher,
            channels,
            commands: Commands::new(Arc::clone(&task)),
            task,
            time,
            waiting: AtomicUsize::new(0),
        }
    }

    /// Runs a packet that has waited.
    // Out of line: it keeps the way of packets that do not wait short.
    #[inline(never)]
    fn begin(&self, turn: &mut Turn, arrival: Arrival) -> Step {
        let Arrival { packet, mut meta, guard, due } = arrival;
        match self.dispatcher.begin(turn, &packet, due, &mut meta, &guard) {
            Some((message, unfinished)) => Step::Waits(Paused { message, meta, guard, unfinished }),
            None => Step::Done,
        }
    }

    /// Starts the shutdown: channels stay listed, and, unless configured otherwise, no bundle is scheduled.
    fn end(&self, how: Shutdown) {
        self.channels.end();
        if !how.drain {
            self.channels.all().iter().for_each(|record| record.leave());
            self.schedule.discard_all();
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let schedule = self.schedule.with(|queue| queue.counters());
        let channels = self.channels.stats();
        let hooks_panicked = channels.hooks_panicked + self.schedule.clock.panics();
        Stats { inbox: self.waiting.load(Ordering::Relaxed), hooks_panicked, schedule, ..channels }
    }

    fn trace_stats(&self) {
        let stats = self.stats();
        tracing::info!(
            target: "tokio_osc::stats",
            received = stats.received,
            malformed = stats.malformed,
            ran = stats.ran,
            dropped = stats.dropped(),
            unmatched = stats.unmatched,
            handled = stats.handled,
            rejected = stats.rejected,
            panicked = stats.panicked,
            overflowed = stats.overflowed,
            replies = stats.replies,
            replies_dropped = stats.replies_dropped,
            inbox = stats.inbox,
            pending = stats.schedule.pending,
            connections = stats.connected.saturating_sub(stats.disconnected),
        );
    }
}

/// An interval whose first tick is after one period. `None` if that is beyond the range of the clock.
fn ticks(every: Duration) -> Option<Interval> {
    let every = every.max(Duration::from_millis(1));
    let mut ticks = interval_at(Instant::now().checked_add(every)?, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(ticks)
}

/// `None`, with the type of the future that `_run` returns, to name that type.
fn none_of<A, F>(_run: &impl Fn(A) -> F) -> Option<F> {
    None
}
