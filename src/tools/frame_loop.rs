//! Runs servers, clients and timed bundles from a loop that the caller owns.
//!
//! The budget can only be checked between two polls of tasks, and Tokio does not report that no task is
//! ready. A probe task detects it. Each round wakes the probe and yields until the probe was polled:
//!
//! ```text
//! ready tasks      after wake      process yields once
//! (none)           probe           the probe had its turn at once: nothing else is ready
//! a, b             a, b, probe     a had its turn: yield (a step of the budget) until the probe had its
//! ```

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::{fmt, io};

use futures::task::AtomicWaker;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinHandle, yield_now};

use crate::dispatch::{Budget, Progress};

/// A runtime for the loop of a game, a plug-in or a user interface. It has no thread and never waits.
/// Servers, clients and timed bundles make progress only while [`process`](FrameLoop::process) is called, on
/// the thread of the caller.
///
/// ```
/// # fn main() -> Result<(), tokio_osc::Error> {
/// use std::time::Duration;
/// use tokio_osc::tools::FrameLoop;
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// let mut frames = FrameLoop::new()?;
/// let (server, client) = frames.block_on(async {
///     let router = Router::new().route("/cue", |Args(n): Args<i32>| println!("cue {n}"));
///     let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
///     let client = Client::udp(server.local_addr("udp").expect("it listens")).await?;
///     Ok::<_, tokio_osc::Error>((server, client))
/// })??;
///
/// for frame in 0..3 {
///     frames.process(Duration::from_millis(2))?;      // input, due bundles
///     client.try_send(("/cue", frame))?;
///     // … draw …
/// }
/// frames.block_on(server.shutdown())?;
/// # Ok(()) }
/// ```
///
/// Handlers share state with the caller in an `Arc`, as in other servers. Handlers that need `&mut` access to
/// state of the caller go into an [`Inbox`](crate::dispatch::Inbox), which is processed after this.
///
/// Dropping it drops its tasks. It neither blocks nor panics, inside or outside of a runtime.
pub struct FrameLoop {
    /// `Some` until it is dropped.
    runtime: Option<Runtime>,
    probe: Arc<Probe>,
}

impl FrameLoop {
    /// Creates a frame loop without tasks.
    ///
    /// # Errors
    /// Returns an error if the operating system cannot create the resources for polling sockets.
    pub fn new() -> io::Result<Self> {
        // One task per poll of the driver, so that the budget can be checked after each task.
        let runtime = Builder::new_current_thread().enable_all().event_interval(1).build()?;
        let probe = Arc::new(Probe::default());
        runtime.spawn(Arc::clone(&probe).run());
        Ok(Self { runtime: Some(runtime), probe })
    }

    /// Runs everything that can run now, and never waits: it reads sockets, runs due bundles, and polls ready
    /// tasks, until nothing is ready or the budget is spent.
    ///
    /// A step of the budget is one poll of a task. A server yields after 64 packets, or when a handler has
    /// ended after about 100 µs. A handler is not interrupted.
    ///
    /// # Errors
    /// Returns an error if the caller is inside a runtime, or holds a guard of [`Runtime::enter`].
    pub fn process(&mut self, budget: impl Into<Budget>) -> Result<Progress, InsideRuntime> {
        let runtime = self.outside()?;
        Ok(runtime.block_on(self.probe.process(budget.into(), runtime.handle())))
    }

    /// Runs a future to completion, together with all tasks, however long it takes. Use it to set up servers
    /// and clients, and to shut down.
    ///
    /// # Errors
    /// Same as [`process`](FrameLoop::process).
    pub fn block_on<F: Future>(&mut self, future: F) -> Result<F::Output, InsideRuntime> {
        Ok(self.outside()?.block_on(future))
    }

    /// Spawns a task, which runs while [`process`](FrameLoop::process) or [`block_on`](FrameLoop::block_on)
    /// is called.
    ///
    /// # Panics
    /// Never panics: the runtime exists as long as this value.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime().spawn(future)
    }

    fn outside(&self) -> Result<&Runtime, InsideRuntime> {
        if Handle::try_current().is_ok() { Err(InsideRuntime(())) } else { Ok(self.runtime()) }
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is there until this is dropped")
    }
}

impl Drop for FrameLoop {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for FrameLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameLoop").finish_non_exhaustive()
    }
}

/// A task that does nothing, to detect whether other tasks are ready. Tokio polls ready tasks in the order in
/// which they were woken, and polls the driver after each. If this task was woken last and is polled next, no
/// other task is ready.
#[derive(Default)]
struct Probe {
    waker: AtomicWaker,
    had_its_turn: AtomicBool,
}

impl Probe {
    async fn run(self: Arc<Self>) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            self.had_its_turn.store(true, Ordering::Relaxed);
            Poll::<()>::Pending
        })
        .await;
    }

    async fn process(&self, budget: Budget, handle: &Handle) -> Progress {
        let mut meter = budget.start();
        // The first round does not count as idle: the probe may still be queued from an earlier call that ran
        // out of budget, and only a poll of the driver finds new input.
        for round in 0_u64.. {
            self.wake();
            yield_now().await;
            if self.had_its_turn() {
                if handle.metrics().global_queue_depth() > 0 {
                    // Tasks woken by other threads are polled when no other is ready.
                    yield_now().await;
                    if meter.spend() {
                        break;
                    }
                } else if round > 0 {
                    return meter.progress(true);
                }
            }
            while !self.had_its_turn() {
                if meter.spend() {
                    return meter.progress(false);
                }
                yield_now().await;
            }
        }
        meter.progress(false)
    }

    fn wake(&self) {
        self.had_its_turn.store(false, Ordering::Relaxed);
        self.waker.wake();
    }

    fn had_its_turn(&self) -> bool {
        self.had_its_turn.load(Ordering::Relaxed)
    }
}

/// The error of a [`FrameLoop`] that is used inside a runtime, which it would block.
///
/// ```
/// use tokio_osc::tools::FrameLoop;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut frames = FrameLoop::new()?;
/// let error = frames.block_on(async {}).unwrap_err();
/// println!("{error}");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InsideRuntime(());

impl fmt::Display for InsideRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame loop cannot run inside a Tokio runtime: call it from a thread of its own")
    }
}

readable! { struct InsideRuntime {} }

impl std::error::Error for InsideRuntime {}
