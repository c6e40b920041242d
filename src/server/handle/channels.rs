//! Adding and removing channels while a server runs.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::Stream;

use super::ServerHandle;
use crate::channel::Channel;
use crate::packet::{Meta, Packet};
use crate::schedule::TimeOptions;
use crate::server::channels::ChannelSpec;
use crate::server::commands::Command;
use crate::server::{ChannelError, ChannelErrorKind, ChannelStats};
use crate::wire::DecodeError;

/// Adding and removing channels while the server runs.
///
/// A spawned server ends when its last channel has ended by itself, as a byte stream does. Before its first
/// channel is added, and after the last one was removed, it waits for another.
///
/// ```
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// let server = Server::new(router).spawn();
///
/// server.listen("guests", Channel::udp("127.0.0.1:0").await?)?;
/// let client = Client::udp(server.local_addr("guests").expect("it was added")).await?;
/// assert_eq!(client.request(("/ping", 7), "/pong").await?.parse::<i32>()?, 7);
///
/// let numbers = server.remove("guests").await?;
/// assert_eq!((numbers.received, numbers.handled), (1, 1));
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
impl ServerHandle {
    /// Adds a channel: see [`Server::listen`](crate::Server::listen). Its time options are those of
    /// [`Server::time`](crate::Server::time); to set others, use [`listen_with`](ServerHandle::listen_with).
    ///
    /// # Errors
    /// Returns an error if the name is not valid or taken, or the server is shutting down or has ended. The
    /// channel is then closed.
    pub fn listen(&self, name: impl Into<Arc<str>>, channel: Channel) -> Result<(), ChannelError> {
        self.open(ChannelSpec::channel(name.into(), channel))
    }

    /// Adds a channel with its own time options, from its first packet on: see
    /// [`Server::time_on`](crate::Server::time_on).
    ///
    /// ```
    /// use tokio_osc::schedule::TimeOptions;
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new()).spawn();
    /// let at_once = TimeOptions::new().honor_time_tags(false);
    /// server.listen_with("sensors", Channel::udp("127.0.0.1:0").await?, at_once)?;
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Same as [`listen`](ServerHandle::listen).
    pub fn listen_with(
        &self,
        name: impl Into<Arc<str>>,
        channel: Channel,
        time: TimeOptions,
    ) -> Result<(), ChannelError> {
        let mut spec = ChannelSpec::channel(name.into(), channel);
        spec.time = Some(time);
        self.open(spec)
    }

    /// Adds any stream of packets: see [`Server::feed`](crate::Server::feed).
    ///
    /// # Errors
    /// Same as [`listen`](ServerHandle::listen).
    pub fn feed<P>(&self, name: impl Into<Arc<str>>, packets: P) -> Result<(), ChannelError>
    where
        P: Stream<Item = (Result<Packet, DecodeError>, Meta)> + Send + 'static,
    {
        self.open(ChannelSpec::stream(name.into(), packets))
    }

    /// Removes a channel. It is no longer read, received packets run to their end, and their replies are sent. Then
    /// the channel is closed, its port is free, and its final statistics are returned. Its bundles that wait for
    /// their time are dropped and counted ([`discarded`](ChannelStats::discarded)).
    ///
    /// A handler must not await this for the channel of its own message: it would wait for its own end.
    ///
    /// # Errors
    /// Returns an error if there is no such channel, or the server is shutting down or has ended.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the channel is still removed.
    pub async fn remove(&self, name: &str) -> Result<ChannelStats, ChannelError> {
        let core = self.core();
        let ended = || ChannelError::new(ChannelErrorKind::Ended, name);
        if core.channels.is_ending() {
            return Err(ended());
        }
        let record = core.channels.find(name)?;
        if !core.commands.give(Command::Close(Arc::clone(&record))) {
            return Err(ended());
        }
        record.gone.cancelled().await;
        Ok(record.stats())
    }

    /// Returns the names of the open channels, in the order in which they were added.
    pub fn channels(&self) -> Vec<Arc<str>> {
        self.core().channels.all().iter().map(|record| Arc::clone(&record.name)).collect()
    }

    /// Returns the address of a channel. `None` for a Unix socket or a byte stream.
    pub fn local_addr(&self, channel: &str) -> Option<SocketAddr> {
        self.core().channels.find(channel).ok()?.local
    }

    fn open(&self, spec: ChannelSpec) -> Result<(), ChannelError> {
        ChannelError::check_name(&spec.name)?;
        let core = self.core();
        let name = Arc::clone(&spec.name);
        let refused = |kind| ChannelError::new(kind, Arc::clone(&name));
        if core.channels.is_ending() || self.is_finished() {
            return Err(refused(ChannelErrorKind::Ended));
        }
        // Listed before the loop has it, so that the name is taken at once; the loop may refuse it below, and the
        // drop of the half takes it off the list again.
        let Some(half) = spec.open(&core.channels, &core.time) else {
            return Err(refused(ChannelErrorKind::Duplicate));
        };
        if !core.commands.give(Command::Open(half)) {
            return Err(refused(ChannelErrorKind::Ended));
        }
        Ok(())
    }
}
