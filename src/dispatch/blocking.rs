//! Handler calls on the threads of Tokio's blocking pool.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::latest::Job;
use super::mailbox::Weigh;

/// A call that runs on a thread of its own, where it may block: it delays no task of the runtime.
pub(super) fn on_blocking_thread(job: Job) -> Job {
    Job::new(job.bytes(), async move {
        let runtime = Handle::current();
        // A call catches the panics of its handler. What fails here is the pool of a runtime that ends: the
        // call is dropped then, and counts itself as not made.
        let _ = spawn_blocking(move || runtime.block_on(job.run())).await;
    })
}
