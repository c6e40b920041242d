//! A node whose server runs.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::local::Local;
use super::names::Named;
use crate::server::{ChannelError, ChannelStats, ServerStats, Stats};
use crate::{Channel, Node, ServerHandle, Shutdown};

/// How long the own server may take to read what was sent to it, when it is shut down.
const LAST_READ: Duration = Duration::from_secs(1);

/// A [`Node`] whose server runs in a task of its own: what
/// [`NodeBuilder::spawn`](crate::node::NodeBuilder::spawn) returns. Dropping it stops the server at once;
/// to let handlers finish, [`shutdown`](NodeHandle::shutdown).
///
/// It is a node as far as sending goes. It is not `Clone`, as the node that it is, because a handler
/// whose state it was would keep its own server alive for ever.
///
/// ```
/// use tokio_osc::node::LOCAL;
/// use tokio_osc::{Channel, Node, Router};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::builder()
///     .router(Router::new().route("/cue", || println!("cue")))
///     .listen("desk", Channel::udp("127.0.0.1:0").await?)
///     .spawn()?;
/// node.send(LOCAL, ("/cue", ())).await?;
/// println!("{}", node.shutdown().await);
/// # Ok(()) }
/// ```
#[must_use = "dropping the handle stops the server"]
#[derive(Debug)]
pub struct NodeHandle {
    node: Node,
    local: Local,
    server: ServerHandle,
}

impl NodeHandle {
    pub(super) const fn new(node: Node, local: Local, server: ServerHandle) -> Self {
        Self { node, local, server }
    }

    /// The node, to be cloned.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// The server: its numbers, its subscriptions, its schedule, the addresses of its channels.
    pub const fn server(&self) -> &ServerHandle {
        &self.server
    }

    /// Adds a channel to the server while it runs: [`NodeBuilder::listen`](crate::node::NodeBuilder::listen).
    ///
    /// # Errors
    /// The name cannot be given, or the server has ended. The channel is closed then.
    pub fn listen(&self, name: impl Into<Arc<str>>, channel: Channel) -> Result<(), ChannelError> {
        let name = name.into();
        self.node.insert(Arc::clone(&name), Named::of(&channel))?;
        self.server.listen(Arc::clone(&name), channel).inspect_err(|_| {
            self.node.remove(&name);
        })
    }

    /// Removes a channel from the server while it runs, and its name, whatever has that now:
    /// [`ServerHandle::remove`].
    ///
    /// # Errors
    /// As [`ServerHandle::remove`]; then the name stays.
    ///
    /// # Cancel safety
    /// Once polled, the channel is removed, also if the future is dropped; then its name stays.
    pub async fn close(&self, name: &str) -> Result<ChannelStats, ChannelError> {
        let closed = self.server.remove(name).await?;
        self.node.remove(name);
        Ok(closed)
    }

    /// Stops the server: what is sent to [`LOCAL`](crate::node::LOCAL) fails as closed, what was sent before
    /// is handled (what the server does not take in within 1 s is dropped), then
    /// [`ServerHandle::shutdown`]. The channels to send to stay open while there is a clone of the
    /// node.
    ///
    /// # Cancel safety
    /// Once polled, the server stops, also if the future is dropped; then at once.
    pub async fn shutdown(self) -> Stats {
        self.read_last().await;
        self.server.shutdown().await
    }

    /// As [`shutdown`](NodeHandle::shutdown), in a way of one's own:
    /// [`ServerHandle::shutdown_with`].
    ///
    /// # Cancel safety
    /// As [`shutdown`](NodeHandle::shutdown).
    pub async fn shutdown_with(self, how: Shutdown) -> ServerStats {
        self.read_last().await;
        self.server.shutdown_with(how).await
    }

    async fn read_last(&self) {
        // What was not read by then, a handler that does not end keeps from being read.
        let _ = timeout(LAST_READ, self.local.close()).await;
    }
}

impl Deref for NodeHandle {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}
