//! The handle of a node with a running server.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::local::Local;
use super::names::Named;
use crate::server::{ChannelError, ChannelStats, ServerStats, Stats};
use crate::{Channel, Node, ServerHandle, Shutdown};

/// How long the server may take, on shutdown, to read the packets sent to [`LOCAL`](crate::node::LOCAL).
const LAST_READ: Duration = Duration::from_secs(1);

/// A [`Node`] whose server runs in its own task. Created by
/// [`NodeBuilder::spawn`](crate::node::NodeBuilder::spawn). Dropping it stops the server at once; use
/// [`shutdown`](NodeHandle::shutdown) to let handlers finish.
///
/// It derefs to the node. It is not `Clone`, unlike the node, because a handler with the handle in its state
/// would keep its own server alive forever.
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

    /// Returns the node, which can be cloned.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Returns the handle of the server: its statistics, subscriptions, schedule, and the addresses of its
    /// channels.
    pub const fn server(&self) -> &ServerHandle {
        &self.server
    }

    /// Adds a channel to the running server, like [`NodeBuilder::listen`](crate::node::NodeBuilder::listen).
    ///
    /// # Errors
    /// Returns an error if the name is refused or the server has ended. The channel is then closed.
    pub fn listen(&self, name: impl Into<Arc<str>>, channel: Channel) -> Result<(), ChannelError> {
        let name = name.into();
        self.node.insert(Arc::clone(&name), Named::of(&channel))?;
        self.server.listen(Arc::clone(&name), channel).inspect_err(|_| {
            self.node.remove(&name);
        })
    }

    /// Removes a channel from the running server, like [`ServerHandle::remove`], and its name, even if
    /// something else has that name now.
    ///
    /// # Errors
    /// Same as [`ServerHandle::remove`]. The name then stays.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the channel is still removed. The name then stays.
    pub async fn close(&self, name: &str) -> Result<ChannelStats, ChannelError> {
        let closed = self.server.remove(name).await?;
        self.node.remove(name);
        Ok(closed)
    }

    /// Stops the server, like [`ServerHandle::shutdown`]. New packets to [`LOCAL`](crate::node::LOCAL) fail as closed.
    /// Earlier ones are handled first; those that the server does not read within 1 s are dropped. Destinations stay
    /// open while a clone of the node exists.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the server stops at once.
    pub async fn shutdown(self) -> Stats {
        self.read_last().await;
        self.server.shutdown().await
    }

    /// Same as [`shutdown`](NodeHandle::shutdown), with options, like [`ServerHandle::shutdown_with`].
    ///
    /// # Cancel safety
    /// Same as [`shutdown`](NodeHandle::shutdown).
    pub async fn shutdown_with(self, how: Shutdown) -> ServerStats {
        self.read_last().await;
        self.server.shutdown_with(how).await
    }

    async fn read_last(&self) {
        // After this time the remaining packets cannot be read, because a handler does not end.
        let _ = timeout(LAST_READ, self.local.close()).await;
    }
}

impl Deref for NodeHandle {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}
