//! Lanes: queues of handler calls beside the one that packets are dispatched in.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use super::mailbox::{Mailbox, Overflow};

/// A queue of handler calls with tasks of its own: the handlers of its routes run one at a time, in
/// order, beside those of all other routes.
///
/// Several routes may share a lane: the seed's shared `lock` and `workqueue`. With more
/// [`workers`](Lane::workers) the order is given up. Its tasks begin with its first message; after
/// its last clone and the last route that has it are gone, they finish what waits, and end.
///
/// ```
/// use tokio_osc::{Args, Lane, Overflow, Router};
///
/// let disk = Lane::new(256).overflow(Overflow::DropOldest);
/// let router = Router::new()
///     .route("/preset/save", async |Args(_name): Args<String>| { /* slow */ })
///     .on_lane(&disk)
///     .route("/preset/load", async |Args(_name): Args<String>| { /* never beside a save */ })
///     .on_lane(&disk)
///     .route("/fader/*", |Args(_): Args<f32>| { /* is not delayed by either */ });
/// ```
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    mailbox: Arc<Mailbox<Job>>,
    workers: NonZeroUsize,
    running: Mutex<Vec<AbortHandle>>,
}

/// A handler call that waits for its turn.
pub(crate) type Job = BoxFuture<'static, ()>;

impl Lane {
    /// A lane of one worker, where at most `capacity` messages wait (at least 1).
    pub fn new(capacity: usize) -> Self {
        Self::with(Mailbox::new(capacity, Overflow::default()), NonZeroUsize::MIN)
    }

    /// What happens when `capacity` messages wait. Default [`Overflow::Wait`]. To be set before the
    /// lane is given to a route.
    pub fn overflow(self, overflow: Overflow) -> Self {
        Self::with(Mailbox::new(self.shared.mailbox.capacity(), overflow), self.shared.workers)
    }

    /// How many handlers run at the same time (at least 1). More than one gives up the order. To be
    /// set before the lane is given to a route.
    pub fn workers(self, workers: usize) -> Self {
        let mailbox = Mailbox::new(self.shared.mailbox.capacity(), self.shared.mailbox.overflow());
        Self::with(mailbox, NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN))
    }

    fn with(mailbox: Mailbox<Job>, workers: NonZeroUsize) -> Self {
        let shared = Shared { mailbox: Arc::new(mailbox), workers, running: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Queues a call, or drops one, as the lane's policy says; starts the workers if they do not run.
    pub(crate) async fn push(&self, job: Job) {
        self.shared.start();
        self.shared.mailbox.push(job).await;
    }
}

impl Shared {
    /// Workers end with the runtime they were started in: another one starts them anew.
    fn start(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.first().is_some_and(|worker| !worker.is_finished()) {
            return;
        }
        running.clear();
        running.extend((0..self.workers.get()).map(|_| {
            let worker = Worker(Arc::clone(&self.mailbox));
            let work = async move {
                while let Some(job) = worker.0.pop().await {
                    job.await;
                }
            };
            tokio::spawn(work).abort_handle()
        }));
    }
}

/// Takes calls from the lane.
struct Worker(Arc<Mailbox<Job>>);

/// When its runtime ends before the calls do, what waits is dropped with it: it keeps channels open.
impl Drop for Worker {
    fn drop(&mut self) {
        while let Poll::Ready(Some(_)) = self.0.try_pop() {}
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("capacity", &self.shared.mailbox.capacity())
            .field("overflow", &self.shared.mailbox.overflow())
            .field("workers", &self.shared.workers)
            .finish()
    }
}
