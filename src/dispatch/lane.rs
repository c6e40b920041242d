//! Lanes: queues of handler calls beside the one that packets are dispatched in.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::AbortHandle;

use super::RouteId;
use super::blocking::on_blocking_thread;
use super::latest::{Job, Newest};
use super::mailbox::{Mailbox, MailboxLimits, Weigh};
use crate::lock::lock;
use crate::packet::Overflow;

/// A queue of handler calls with tasks of its own. The handlers of its routes run one at a time, in
/// order, and concurrently with those of all other routes.
///
/// Several routes may share a lane (in osc4py3: a shared `lock` or `workqueue`). With more than
/// one [worker](Lane::workers) the order is lost. A task starts when a message waits and no task of the
/// lane is free. After the last clone of the lane and its last route are gone, the tasks finish the waiting calls
/// and end.
///
/// A lane is full when `capacity` messages wait, or when the waiting messages and those of running handlers have
/// 16 MiB together ([`bytes`](Lane::bytes)).
///
/// ```
/// use tokio_osc::dispatch::{Lane, on};
/// use tokio_osc::packet::Overflow;
/// use tokio_osc::{Args, Router};
///
/// let disk = Lane::new(256).overflow(Overflow::DropOldest);
/// let router = Router::new()
///     .route("/save", on(async |_: Args<String>| { /* slow */ }).on_lane(&disk))
///     .route("/load", on(async |_: Args<String>| { /* never during a save */ }).on_lane(&disk))
///     .route("/fader/*", |Args(_): Args<f32>| { /* is not delayed by either */ });
/// ```
#[derive(Clone)]
pub struct Lane {
    shared: Arc<LaneShared>,
}

struct LaneShared {
    options: LaneOptions,
    /// The calls that newer ones may replace.
    newest: Newest,
    crew: Mutex<Option<Crew>>,
}

#[derive(Clone, Copy)]
struct LaneOptions {
    limits: MailboxLimits,
    overflow: Overflow,
    workers: NonZeroUsize,
    latest: bool,
    blocking: bool,
}

/// Workers of one runtime, and the queue that they take from.
struct Crew {
    mailbox: Arc<Mailbox<Job>>,
    first: AbortHandle,
    workers: usize,
}

impl Lane {
    /// Creates a lane of one worker, where at most `capacity` messages wait (at least 1).
    pub fn new(capacity: usize) -> Self {
        Self::with(LaneOptions {
            limits: MailboxLimits::of_items(capacity),
            overflow: Overflow::default(),
            workers: NonZeroUsize::MIN,
            latest: false,
            blocking: false,
        })
    }

    /// Sets what happens when the lane is full. Default [`Overflow::Wait`]. Must be set before the lane is given to a
    /// route.
    pub fn overflow(self, overflow: Overflow) -> Self {
        Self::with(LaneOptions { overflow, ..self.shared.options })
    }

    /// Sets how many bytes the waiting messages and those of running handlers may have together. At this limit the
    /// lane is full. Default 16 MiB. Must be set before the lane is given to a route.
    pub fn bytes(self, bytes: usize) -> Self {
        let limits = MailboxLimits { bytes, ..self.shared.options.limits };
        Self::with(LaneOptions { limits, ..self.shared.options })
    }

    /// Sets how many handlers may run at the same time (at least 1). With more than one, the order is lost. Must be
    /// set before the lane is given to a route.
    pub fn workers(self, workers: usize) -> Self {
        let workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
        Self::with(LaneOptions { workers, ..self.shared.options })
    }

    /// Keeps only the newest waiting message of each route and address. A message that is replaced is
    /// counted as [`overflowed`](crate::server::Stats::overflowed). The new message takes the place of the old one in
    /// the queue, and messages of at most `capacity` addresses wait. If the new one is larger than the old one and
    /// exceeds the lane's [`bytes`](Lane::bytes), the new one is dropped. Must be set before the lane is given to a
    /// route.
    ///
    /// ```
    /// use tokio_osc::dispatch::{Lane, on};
    /// use tokio_osc::{Args, Router};
    ///
    /// let motors = Lane::new(100).latest();
    /// let router = Router::new()
    ///     .route("/fader/*", on(async |Args(level): Args<f32>| { /* slow */ }).on_lane(&motors))
    ///     .route("/pan/*", on(async |Args(angle): Args<f32>| { /* slow */ }).on_lane(&motors));
    /// ```
    pub fn latest(self) -> Self {
        Self::with(LaneOptions { latest: true, ..self.shared.options })
    }

    /// Runs the handlers on threads of Tokio's blocking pool, where they may block: see
    /// [`On::blocking`](super::On::blocking). Must be set before the lane is given to a route.
    pub fn blocking(self) -> Self {
        Self::with(LaneOptions { blocking: true, ..self.shared.options })
    }

    fn with(options: LaneOptions) -> Self {
        Self {
            shared: Arc::new(LaneShared {
                newest: Newest::new(options.limits.bytes),
                options,
                crew: Mutex::default(),
            }),
        }
    }

    /// Queues a call, or drops one, by the policy of the lane. Starts workers if needed.
    /// Returns the call if the policy is to wait and there is no room; then [push](Lane::push) it.
    pub(crate) fn try_push(&self, route: RouteId, address: &[u8], job: Job) -> Result<(), Job> {
        let job = if self.shared.options.blocking { on_blocking_thread(job) } else { job };
        let turn =
            if self.shared.options.latest { self.shared.newest.keep(route, address, job) } else { Some(job) };
        let Some(turn) = turn else { return Ok(()) };
        let mailbox = self.shared.mailbox();
        mailbox.try_push(turn)?;
        self.shared.add_worker(&mailbox);
        Ok(())
    }

    /// Waits for room and queues a call.
    pub(crate) async fn push(&self, job: Job) {
        let mailbox = self.shared.mailbox();
        mailbox.push(job).await;
        self.shared.add_worker(&mailbox);
    }
}

impl LaneShared {
    /// Returns the queue of the workers. Workers end with their runtime: in another one they are started again.
    fn mailbox(&self) -> Arc<Mailbox<Job>> {
        let mut crew = lock(&self.crew);
        crew.take_if(|crew| crew.first.is_finished());
        let crew = crew.get_or_insert_with(|| {
            let mailbox = Arc::new(Mailbox::new(self.options.limits, self.options.overflow));
            Crew { first: Worker::start(&mailbox), mailbox, workers: 1 }
        });
        Arc::clone(&crew.mailbox)
    }

    /// Starts one more worker if there are more calls than workers, and it may have more.
    fn add_worker(&self, mailbox: &Arc<Mailbox<Job>>) {
        let most = self.options.workers.get();
        if most == 1 {
            return;
        }
        let mut crew = lock(&self.crew);
        // The runtime may have ended since, and another queue have taken the place of this one.
        let Some(crew) = crew.as_mut().filter(|crew| Arc::ptr_eq(&crew.mailbox, mailbox)) else { return };
        if crew.workers < most && mailbox.unfinished() > crew.workers {
            crew.workers += 1;
            Worker::start(mailbox);
        }
    }
}

impl Drop for LaneShared {
    fn drop(&mut self) {
        let crew = self.crew.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(crew) = crew {
            crew.mailbox.close();
        }
    }
}

/// Takes calls from a queue, one after the other.
struct Worker(Arc<Mailbox<Job>>);

impl Worker {
    fn start(mailbox: &Arc<Mailbox<Job>>) -> AbortHandle {
        let worker = Self(Arc::clone(mailbox));
        let work = async move {
            let mut done = None;
            while let Some(job) = worker.0.next(done).await {
                // The bytes of a running call count: otherwise many workers would hold many messages.
                done = Some(job.bytes());
                job.run().await;
            }
        };
        tokio::spawn(work).abort_handle()
    }
}

/// When the runtime ends before the calls do, the waiting calls are dropped: they keep channels open.
impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LaneOptions { limits, overflow, workers, latest, blocking } = self.shared.options;
        f.debug_struct("Lane")
            .field("capacity", &limits.items)
            .field("bytes", &limits.bytes)
            .field("overflow", &overflow)
            .field("workers", &workers)
            .field("latest", &latest)
            .field("blocking", &blocking)
            .finish()
    }
}
