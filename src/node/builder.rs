//! The configuration of a node with a server.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::local::local;
use super::names::Named;
use crate::node::{Destination, LOCAL, NodeHandle, Targets, UnknownNames};
use crate::server::ChannelError;
use crate::{Channel, Node, Router, Server};

/// Default limit of packets that wait for the local router.
const LOCAL_QUEUE: usize = 1_024;

/// Configures a node with a server, for a whole application. Created by [`Node::builder`].
///
/// ```
/// use tokio_osc::node::LOCAL;
/// use tokio_osc::{Args, Channel, Client, Node, Router, State};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let lights = Channel::udp("127.0.0.1:0").await?.local_addr()?;
/// let builder = Node::builder();
/// let router = Router::with_state(builder.node())
///     .route("/cue/*", async |State(node): State<Node>, Args(cue): Args<i32>| {
///         node.send("stage", ("/scene", cue)).await.map(drop)
///     });
/// let node = builder
///     .router(router)
///     .listen("desk", Channel::udp("127.0.0.1:0").await?)
///     .add("lights", Client::udp(lights).await?)
///     .group("stage", ["lights"])
///     .spawn()?;
///
/// let report = node.send(LOCAL, ("/cue/7", 7)).await?;       // as if it had been received
/// assert!(report.is_complete());
/// let stats = node.shutdown().await;
/// assert_eq!(stats.handled, 1);
/// # Ok(()) }
/// ```
///
/// The first refused name, an error of [`spawn`](NodeBuilder::spawn).
#[must_use = "nothing runs before `spawn`"]
pub struct NodeBuilder {
    node: Node,
    router: Option<Server>,
    channels: Vec<(Arc<str>, Channel)>,
    options: Vec<Box<dyn FnOnce(Server) -> Server + Send>>,
    local_queue: usize,
    failed: Option<ChannelError>,
}

impl Node {
    /// Creates a node with a server, for a whole application.
    pub fn builder() -> NodeBuilder {
        NodeBuilder {
            node: Self::new(),
            router: None,
            channels: Vec::new(),
            options: Vec::new(),
            local_queue: LOCAL_QUEUE,
            failed: None,
        }
    }
}

impl NodeBuilder {
    /// Returns the node that this builder creates, for the state of handlers.
    pub fn node(&self) -> Node {
        self.node.clone()
    }

    /// Sets the router of all channels and of [`LOCAL`]. Without a router, all messages count as unmatched.
    pub fn router<S: Send + Sync + 'static>(mut self, router: Router<S>) -> Self {
        self.router = Some(Server::new(router));
        self
    }

    /// Adds a channel to the server, like [`Server::listen`]. The name of a channel with connections is also
    /// a target that reaches all open connections. A datagram channel only receives.
    pub fn listen(mut self, name: impl Into<Arc<str>>, channel: Channel) -> Self {
        let name = name.into();
        let named = self.node.insert(Arc::clone(&name), Named::of(&channel));
        self.note(named);
        self.channels.push((name, channel));
        self
    }

    /// Adds a named destination, like [`Node::add`].
    pub fn add(mut self, name: impl Into<Arc<str>>, channel: impl Destination) -> Self {
        let named = self.node.add(name, channel);
        self.note(named);
        self
    }

    /// Adds a named group, like [`Node::group`].
    pub fn group(mut self, name: impl Into<Arc<str>>, members: impl Targets) -> Self {
        let named = self.node.group(name, members);
        self.note(named);
        self
    }

    /// Sets how packets for unknown names are handled, like [`Node::unknown_names`].
    pub fn unknown_names(self, policy: UnknownNames) -> Self {
        self.node.unknown_names(policy);
        self
    }

    /// Sets options of the server: its clock, limits, time options and shutdown, and whether its
    /// [events](Server::events_to_routes) go to the routes.
    ///
    /// ```
    /// use tokio_osc::schedule::TimeOptions;
    /// use tokio_osc::Node;
    ///
    /// let builder = Node::builder().server(|server| server.inbox(64).time(TimeOptions::new()));
    /// ```
    pub fn server(mut self, options: impl FnOnce(Server) -> Server + Send + 'static) -> Self {
        self.options.push(Box::new(options));
        self
    }

    /// Sets how many packets may wait for [`LOCAL`]. When the queue is full, a send to it fails with
    /// [`SendErrorKind::Full`](crate::packet::SendErrorKind::Full). It never waits, because a handler that
    /// waited for its own server would wait forever. Default 1,024; between 1 and [`Semaphore::MAX_PERMITS`].
    pub fn local_queue(mut self, packets: usize) -> Self {
        self.local_queue = packets;
        self
    }

    /// Starts the server in its own task.
    ///
    /// # Errors
    /// Returns the error of the first refused name.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub fn spawn(self) -> Result<NodeHandle, ChannelError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let (local, packets) = local(self.local_queue.clamp(1, Semaphore::MAX_PERMITS));
        self.node.insert_local(local.clone());
        let server = self.router.unwrap_or_else(|| Server::new(Router::new())).feed(LOCAL, packets);
        let listen = |server: Server, (name, channel)| server.listen(name, channel);
        let server = self.channels.into_iter().fold(server, listen);
        let server = self.options.into_iter().fold(server, |server, options| options(server));
        Ok(NodeHandle::new(self.node, local, server.spawn()))
    }

    fn note(&mut self, named: Result<(), ChannelError>) {
        if let Err(error) = named {
            self.failed.get_or_insert(error);
        }
    }
}

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeBuilder").field("node", &self.node).finish_non_exhaustive()
    }
}
