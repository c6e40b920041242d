//! A node with a server, before it runs.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::local::local;
use super::names::Named;
use crate::node::{Destination, LOCAL, NodeHandle, Targets, UnknownNames};
use crate::server::ChannelError;
use crate::{Channel, Node, Router, Server};

/// Packets that wait for one's own router by default.
const LOCAL_QUEUE: usize = 1_024;

/// A node with a server, for a whole application: what [`Node::builder`] returns.
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
/// A name that is refused is an error of [`spawn`](NodeBuilder::spawn).
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
    /// A node with a server: one for a whole application.
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
    /// The node that this becomes, for the state of handlers.
    pub fn node(&self) -> Node {
        self.node.clone()
    }

    /// The router of all channels and of [`LOCAL`]. Without one, all messages are counted as
    /// unmatched.
    pub fn router<S: Send + Sync + 'static>(mut self, router: Router<S>) -> Self {
        self.router = Some(Server::new(router));
        self
    }

    /// Adds a channel to the server: [`Server::listen`]. A channel of connections can also be sent to
    /// by this name, which reaches all that are open; a datagram channel only receives.
    pub fn listen(mut self, name: impl Into<Arc<str>>, channel: Channel) -> Self {
        let name = name.into();
        let named = self.node.insert(Arc::clone(&name), Named::of(&channel));
        self.note(named);
        self.channels.push((name, channel));
        self
    }

    /// Gives a channel to send to a name: [`Node::add`].
    pub fn add(mut self, name: impl Into<Arc<str>>, channel: impl Destination) -> Self {
        let named = self.node.add(name, channel);
        self.note(named);
        self
    }

    /// Gives several channels and groups one name together: [`Node::group`].
    pub fn group(mut self, name: impl Into<Arc<str>>, members: impl Targets) -> Self {
        let named = self.node.group(name, members);
        self.note(named);
        self
    }

    /// What becomes of packets for unknown names: [`Node::unknown_names`].
    pub fn unknown_names(self, policy: UnknownNames) -> Self {
        self.node.unknown_names(policy);
        self
    }

    /// Sets options of the server: its clock, its limits, its time options, how it ends, whether its
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

    /// How many packets may wait on their way to [`LOCAL`]; beyond, a send to it fails with
    /// [`SendErrorKind::Full`](crate::packet::SendErrorKind::Full): it never waits, because a handler that
    /// waited for its own server would wait for ever. Default 1,024; at least 1, at most
    /// [`Semaphore::MAX_PERMITS`].
    pub fn local_queue(mut self, packets: usize) -> Self {
        self.local_queue = packets;
        self
    }

    /// Starts the server, in a task of its own.
    ///
    /// # Errors
    /// The first name that was refused.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled.
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
