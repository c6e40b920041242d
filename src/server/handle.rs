//! The handle of a running server.

mod channels;
mod pending;

use std::fmt;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::pending::PendingBundle;
use super::commands::Command;
use super::core::Core;
use super::{ChannelEvents, ServerStats, Shutdown, Stats};
use crate::dispatch::Subscription;
use crate::pattern::{Pattern, PatternError};

/// A server that runs in its own task. Dropping the handle stops the server at once; use
/// [`shutdown`](ServerHandle::shutdown) to let handlers finish.
///
/// Dropping it never blocks and never panics, inside or outside of a runtime: the task of the server is
/// aborted, pending handlers are dropped with it, and the ports are free when the runtime has dropped the
/// task.
///
/// ```
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
/// println!("listening at {:?}", server.local_addr("udp"));
/// let stats = server.shutdown().await;
/// assert_eq!(stats.received, 0);
/// # Ok(()) }
/// ```
#[must_use = "dropping the handle stops the server"]
pub struct ServerHandle {
    task: JoinHandle<()>,
    ended: CancellationToken,
    core: Arc<Core>,
    shutdown: Shutdown,
}

impl ServerHandle {
    pub(super) fn new(
        task: JoinHandle<()>,
        ended: CancellationToken,
        core: Arc<Core>,
        shutdown: Shutdown,
    ) -> Self {
        Self { task, ended, core, shutdown }
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    /// Stops reading, runs the received packets, and returns the final statistics after the last handler has
    /// returned. The ports are free then. Bundles that wait for their time are dropped and counted, unless
    /// [`Server::on_shutdown`](crate::Server::on_shutdown) is set to drain them.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the server stops at once.
    pub async fn shutdown(self) -> Stats {
        let how = self.shutdown;
        self.end(how).await.stats()
    }

    /// Same as [`shutdown`](ServerHandle::shutdown), with options. Returns the final statistics, including those of
    /// each channel.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the server stops at once.
    pub async fn shutdown_with(self, how: Shutdown) -> ServerStats {
        self.end(how).await.report()
    }

    async fn end(mut self, how: Shutdown) -> Self {
        self.core.commands.give(Command::End(how));
        // The task neither panics nor is aborted while this waits for it.
        let _ = (&mut self.task).await;
        self
    }

    /// Waits until the server has ended: every channel has ended by itself, or the shutdown of
    /// [`with_graceful_shutdown`](crate::Server::with_graceful_shutdown) is complete. It does not stop the server.
    ///
    /// ```
    /// use futures::stream;
    /// use tokio_osc::{Message, Meta, Peer, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let packets = vec![(Ok(Message::new("/n", 7)?.into()), Meta::from_peer(Peer::LOCAL))];
    /// let server = Server::new(Router::new()).feed("replay", stream::iter(packets)).spawn();
    /// server.wait().await;
    /// assert_eq!(server.stats().received, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing changes.
    pub async fn wait(&self) {
        self.ended.cancelled().await;
    }

    /// Returns `true` if the server has ended: see [`wait`](ServerHandle::wait).
    pub fn is_finished(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Returns the statistics so far. Cheap: about a hundred numbers are read.
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// Returns all statistics, including those of each channel. On Linux this takes about 0.2 ms for each
    /// datagram socket, because the kernel is asked for its drops.
    ///
    /// ```
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let server = Server::new(Router::new()).listen("udp", channel).spawn();
    /// let report = server.report();
    /// let udp = report.channel("udp").and_then(|channel| channel.udp).expect("a datagram socket");
    /// println!("{report}");
    /// assert_eq!(udp.kernel_drops.unwrap_or_default(), 0);
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn report(&self) -> ServerStats {
        ServerStats { server: self.stats(), channels: self.core.channels.channel_stats() }
    }

    /// Returns the events of the channels from now on: see [`Server::events`](crate::Server::events).
    pub fn events(&self) -> ChannelEvents {
        self.core.channels.events.subscribe()
    }

    /// Subscribes to the messages of a pattern. The stream holds at most `capacity` messages: see
    /// [`Server::subscribe`](crate::Server::subscribe).
    ///
    /// # Errors
    /// Returns an error if `pattern` is not a valid OSC address pattern.
    pub fn subscribe<P>(&self, pattern: P, capacity: usize) -> Result<Subscription, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = pattern.try_into().map_err(Into::into)?;
        Ok(Subscription::new(&self.core.dispatcher.router, pattern, capacity))
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("channels", &self.channels()).finish_non_exhaustive()
    }
}
