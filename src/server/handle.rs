//! A server that runs, and the means to stop it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Stats;
use super::unit::Shared;
use crate::dispatch::Subscription;
use crate::pattern::{Pattern, PatternError};

/// A server that runs in a task of its own. Dropping it stops the server at once; to let handlers
/// finish, [`shutdown`](ServerHandle::shutdown).
#[must_use = "dropping the handle stops the server"]
pub struct ServerHandle {
    task: JoinHandle<()>,
    stop: CancellationToken,
    shared: Arc<Shared>,
    addresses: Vec<(Arc<str>, SocketAddr)>,
}

impl ServerHandle {
    pub(super) fn new(
        task: JoinHandle<()>,
        stop: CancellationToken,
        shared: Arc<Shared>,
        addresses: Vec<(Arc<str>, SocketAddr)>,
    ) -> Self {
        Self { task, stop, shared, addresses }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Stops reading, runs what was read, and returns when the last handler has. The ports are free
    /// then. Bundles that wait for their time are dropped and counted. Returns the last numbers.
    ///
    /// # Cancel safety
    /// Once polled, the server stops, also if the future is dropped; then at once.
    pub async fn shutdown(mut self) -> Stats {
        self.stop.cancel();
        // The task neither panics nor is it aborted while this waits for it.
        let _ = (&mut self.task).await;
        self.stats()
    }

    /// What the server has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.ground.counters.snapshot(self.shared.schedule().counters())
    }

    /// The messages of a pattern, as a stream that holds at most `capacity` of them: see
    /// [`Server::subscribe`](crate::Server::subscribe).
    ///
    /// # Errors
    /// `pattern` is no legal OSC address pattern.
    pub fn subscribe<P>(&self, pattern: P, capacity: usize) -> Result<Subscription, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = pattern.try_into().map_err(Into::into)?;
        Ok(Subscription::new(Arc::clone(&self.shared.dispatch), pattern, capacity))
    }

    /// The address of a channel.
    pub fn local_addr(&self, channel: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(name, _)| **name == *channel).map(|&(_, address)| address)
    }

    /// Whether the server has ended: every stream that fed it has.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("channels", &self.addresses).finish_non_exhaustive()
    }
}
