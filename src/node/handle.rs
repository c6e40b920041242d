//! A node whose server runs.

use std::ops::Deref;

use super::local::Local;
use crate::{Node, ServerHandle, Stats};

/// A [`Node`] whose server runs in a task of its own: what
/// [`NodeBuilder::spawn`](crate::NodeBuilder::spawn) returns. Dropping it stops the server at once;
/// to let handlers finish, [`shutdown`](NodeHandle::shutdown).
///
/// It is a node as far as sending goes. It is not `Clone`, as the node that it is, because a handler
/// whose state it was would keep its own server alive for ever.
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

    /// Stops the server: what is sent to [`LOCAL`](crate::LOCAL) fails as closed, what was sent before
    /// is handled, then [`ServerHandle::shutdown`]. The channels to send to stay open while there is a
    /// clone of the node.
    ///
    /// # Cancel safety
    /// Once polled, the server stops, also if the future is dropped; then at once.
    pub async fn shutdown(self) -> Stats {
        self.local.close().await;
        self.server.shutdown().await
    }
}

impl Deref for NodeHandle {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}
