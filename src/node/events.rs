//! Events of the names of a node, and of the clients behind them.

use std::sync::Arc;

use futures::stream::{BoxStream, Fuse, SelectAll, StreamExt, unfold};
use tokio::sync::broadcast;

use crate::channel::Events;
use crate::client::ClientState;

/// Maximum number of events that wait for a slow reader. The oldest are dropped.
const EVENTS: usize = 256;

/// An event of a name of a [`Node`](crate::Node). Item of [`Node::events`](crate::Node::events).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeEvent {
    /// The name. Empty for [`Missed`](NodeEventKind::Missed).
    pub name: Arc<str>,
    /// The event.
    pub kind: NodeEventKind,
}

/// The kinds of events of a name.
///
/// ```
/// use tokio_osc::client::ClientState;
/// use tokio_osc::node::NodeEventKind;
///
/// fn lamp(event: &NodeEventKind) -> Option<bool> {
///     match event {
///         NodeEventKind::Client(ClientState::Connected) => Some(true),
///         NodeEventKind::Client(_) | NodeEventKind::Removed => Some(false),
///         _ => None,
///     }
/// }
/// assert_eq!(lamp(&NodeEventKind::Removed), Some(false));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NodeEventKind {
    /// The name was added for a channel or group.
    Added,
    /// The name now belongs to another channel.
    Replaced,
    /// The name was removed. If its client still exists, its states are still reported.
    Removed,
    /// The state of the reconnecting client of this name: its current one first, then each change.
    Client(ClientState),
    /// This many events were dropped, because the reader was too slow.
    Missed(u64),
}

/// The sender of the events of a node.
pub(super) struct NodeEventSender(broadcast::Sender<NodeEvent>);

impl Default for NodeEventSender {
    fn default() -> Self {
        Self(broadcast::Sender::new(EVENTS))
    }
}

impl NodeEventSender {
    pub(super) fn tell(&self, name: Arc<str>, kind: NodeEventKind) {
        // Without a reader there is none that misses it.
        let _ = self.0.send(NodeEvent { name, kind });
    }

    /// The changes of names from now on, to the end of the node.
    pub(super) fn changes(&self) -> NodeChanges {
        let told = unfold(self.0.subscribe(), async |mut changes| match changes.recv().await {
            Ok(event) => Some((event, changes)),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                Some((NodeEvent { name: Arc::default(), kind: NodeEventKind::Missed(missed) }, changes))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        });
        told.boxed().fuse()
    }
}

pub(super) type NodeChanges = Fuse<BoxStream<'static, NodeEvent>>;

/// Changes of names, with the states of the clients that have these names or are given one.
pub(super) fn with_states<F>(changes: NodeChanges, names: &[Arc<str>], states_of: F) -> Events<NodeEvent>
where
    F: Fn(&str) -> Option<Events<ClientState>> + Send + 'static,
{
    let mut clients = FollowedClients { states_of, states: SelectAll::new() };
    for name in names {
        clients.follow(name);
    }
    Events::new(unfold((changes, clients), async |(mut changes, mut clients)| {
        let event = tokio::select! {
            // A name is reported before the states of its client.
            biased;
            Some(change) = changes.next() => {
                if matches!(change.kind, NodeEventKind::Added | NodeEventKind::Replaced) {
                    clients.follow(&change.name);
                }
                change
            }
            Some(state) = clients.states.next() => state,
            else => return None,
        };
        Some((event, (changes, clients)))
    }))
}

/// The states of clients, to which more clients come.
struct FollowedClients<F> {
    states_of: F,
    states: SelectAll<BoxStream<'static, NodeEvent>>,
}

impl<F: Fn(&str) -> Option<Events<ClientState>>> FollowedClients<F> {
    /// Adds the states of the client that has this name now.
    fn follow(&mut self, name: &Arc<str>) {
        let Some(states) = (self.states_of)(name) else { return };
        let name = Arc::clone(name);
        let told = move |state| NodeEvent { name: Arc::clone(&name), kind: NodeEventKind::Client(state) };
        self.states.push(states.map(told).boxed());
    }
}
