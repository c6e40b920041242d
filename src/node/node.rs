//! The node.

use std::sync::{Arc, Mutex, MutexGuard};
use std::{fmt, mem};

use futures::future::join_all;

use super::events::{NodeEvent, NodeEventKind, NodeEventSender, with_states};
use super::held::HeldPackets;
use super::names::{NameTable, Named, Resolved, check};
use crate::Packet;
use crate::channel::Events;
use crate::lock::lock;
use crate::node::{Destination, HoldStats, NodeError, NodeReport, SendOutcome, Targets, UnknownNames};
use crate::packet::IntoPacket;
use crate::server::{ChannelError, ChannelErrorKind};

/// Named destinations, and groups of them. Cloning it increments a reference count, so it can be the state of
/// handlers.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client, Node, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lights = Channel::udp("127.0.0.1:0").await?;
/// let mut sound = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
///
/// let node = Node::new();
/// node.group("stage", ["lights", "sound"])?;          // the order of creation is free
/// node.add("lights", Client::udp(lights.local_addr()?).await?)?;
/// node.add("sound", Client::tcp(sound.local_addr()?, Slip::new()).await?)?;
///
/// let report = node.send("stage", ("/scene", 3)).await?;
/// assert!(report.is_complete(), "{report}");
/// # assert!(lights.next().await.is_some() && sound.next().await.is_some());
///
/// let error = node.send("vidoe", ("/scene", 3)).await.unwrap_err();
/// assert_eq!(error.to_string(), r#"there is no channel "vidoe"; there are: lights, sound, stage"#);
/// # Ok(()) }
/// ```
///
/// A name is resolved when a packet is sent. A [`Client`](crate::Client), a
/// [`FanOut`](crate::client::FanOut), an [`Outlet`](crate::channel::Outlet), any [`Destination`] or a list of
/// names can have a name. A node has no task, and no queue except that of [`UnknownNames::Hold`]. For a node
/// with a server, see [`Node::builder`].
#[derive(Clone, Default)]
pub struct Node {
    shared: Arc<NodeShared>,
}

#[derive(Default)]
struct NodeShared {
    state: Mutex<NodeState>,
    events: NodeEventSender,
    /// Locked while a name is added, which accesses the state more than once.
    naming: Mutex<()>,
}

impl NodeShared {
    /// What has a name.
    fn named(&self, name: &str) -> Option<Named> {
        lock(&self.state).names.entries.get(name).cloned()
    }
}

#[derive(Default)]
struct NodeState {
    names: NameTable,
    unknown_names: UnknownNames,
    held: HeldPackets,
}

impl Node {
    /// Creates a node without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a named destination. Packets held for the name are sent at once.
    ///
    /// # Errors
    /// Returns an error if the name is taken, reserved, or not a valid part of an address.
    pub fn add(&self, name: impl Into<Arc<str>>, channel: impl Destination) -> Result<(), ChannelError> {
        self.insert(name.into(), Named::Channel(Arc::new(channel)))
    }

    /// Adds a named destination, and replaces the one that had the name. Packets that are being sent to the old one
    /// still go there.
    ///
    /// # Errors
    /// Returns an error if the name is reserved, or not a valid part of an address.
    pub fn replace(&self, name: impl Into<Arc<str>>, channel: impl Destination) -> Result<(), ChannelError> {
        let (name, entry) = (name.into(), Named::Channel(Arc::new(channel)));
        check(&name)?;
        let naming = lock(&self.shared.naming);
        let mut state = self.state();
        let Some(known) = state.names.entries.get_mut(&name) else {
            drop(state);
            self.give(name, entry);
            return Ok(());
        };
        let replaced = mem::replace(known, entry);
        // Both locks are released first, because a destination may use the node in its drop.
        drop((state, naming));
        drop(replaced);
        self.shared.events.tell(name, NodeEventKind::Replaced);
        Ok(())
    }

    /// Adds a named group of destinations and groups. Its members need not exist yet, and the group may be a
    /// member of others. A group may contain itself: each destination is sent to once.
    ///
    /// # Errors
    /// Returns an error if the name is taken, reserved, or not a valid part of an address.
    pub fn group(&self, name: impl Into<Arc<str>>, members: impl Targets) -> Result<(), ChannelError> {
        let mut names = Vec::new();
        members.each_name(&mut |name| names.push(Arc::from(name)));
        self.insert(name.into(), Named::Group(names.into()))
    }

    /// Removes a name. Returns `false` if it did not exist. Groups keep it as a member. The destination is
    /// closed when its last clone is dropped: packets that are being sent still go there.
    pub fn remove(&self, name: &str) -> bool {
        // The lock is released at the end of this line: a destination may use the node while it is dropped.
        let removed = self.state().names.entries.remove(name);
        let was_known = removed.is_some();
        drop(removed);
        if was_known {
            self.shared.events.tell(name.into(), NodeEventKind::Removed);
        }
        was_known
    }

    /// Returns the names of destinations and groups, in alphabetical order.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.state().names.entries.keys().cloned().collect()
    }

    /// Returns the members of a group. `None` if there is no group with this name.
    pub fn members(&self, group: &str) -> Option<Vec<Arc<str>>> {
        match self.state().names.entries.get(group) {
            Some(Named::Group(names)) => Some(names.to_vec()),
            _ => None,
        }
    }

    /// Sends a packet to destinations and groups by name, each destination once. It is encoded once and sent
    /// to all concurrently: a destination that fails or waits does not stop the others.
    ///
    /// It returns when all sends have completed or failed. If the peer of a connection accepts nothing, the
    /// send fails after the [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout) of its
    /// client (default 10 s), and later sends at once. [`try_send`](Node::try_send) never waits.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded, a name is unknown and [`UnknownNames`] makes this an
    /// error, or a channel only receives. Then nothing is sent. Errors of single destinations are in the
    /// report.
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet may have been sent to some or all destinations, to each whole or
    /// not at all.
    pub async fn send(
        &self,
        targets: impl Targets,
        packet: impl IntoPacket,
    ) -> Result<NodeReport, NodeError> {
        let packet = packet.into_packet()?;
        let (channels, mut outcomes) = self.ready(&targets, &[], &packet)?;
        let sending = channels.iter().map(|(_, channel)| channel.send(&packet));
        let sent = join_all(sending).await;
        outcomes.extend(channels.into_iter().map(|(name, _)| name).zip(sent));
        Ok(NodeReport::new(outcomes))
    }

    /// Sends a packet like [`send`](Node::send), but never waits: a destination that would wait fails with
    /// [`SendErrorKind::Full`](crate::packet::SendErrorKind::Full).
    ///
    /// # Errors
    /// Same as [`send`](Node::send).
    pub fn try_send(&self, targets: impl Targets, packet: impl IntoPacket) -> Result<NodeReport, NodeError> {
        self.try_send_past(&[], &targets, &packet.into_packet()?)
    }

    /// Returns the events of the names from now on, including the states of their reconnecting clients. Other clients
    /// have no states: when one ends, sending to it fails. The channels of the server have their own
    /// [events](crate::Server::events).
    ///
    /// A reader that is more than 256 events behind loses the oldest, and receives their number. Of the states of a
    /// client it receives the newest. The stream keeps neither the node nor a client alive, and ends when both are
    /// gone.
    ///
    /// ```
    /// use tokio_osc::client::ClientState;
    /// use tokio_osc::node::NodeEventKind;
    /// use tokio_osc::{Channel, Client, Node, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let console = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    /// # let address = console.local_addr()?;
    /// let node = Node::new();
    /// let mut events = node.events();
    /// node.add("desk", Client::reconnecting(address, Slip::new()).spawn()?)?;
    /// while let Some(event) = events.recv().await {
    ///     println!("{}: {:?}", event.name, event.kind);
    ///     if matches!(event.kind, NodeEventKind::Client(ClientState::Connected)) {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> Events<NodeEvent> {
        // Before the names are read: one that is added in between is reported twice rather than never.
        let changes = self.shared.events.changes();
        let node = Arc::downgrade(&self.shared);
        with_states(changes, &self.names(), move |name| match node.upgrade()?.named(name)? {
            Named::Channel(channel) => Some(channel.states()),
            _ => None,
        })
    }

    /// Sets how packets for unknown names are handled from now on.
    pub fn unknown_names(&self, policy: UnknownNames) {
        let mut state = self.state();
        if let UnknownNames::Hold(limits) = &policy {
            state.held.set_limits(limits.clone());
        }
        state.unknown_names = policy;
    }

    /// Returns the counts of packets for unknown names.
    pub fn held(&self) -> HoldStats {
        self.state().held.counts()
    }

    /// Adds a name for a channel of a server.
    pub(super) fn insert(&self, name: Arc<str>, entry: Named) -> Result<(), ChannelError> {
        check(&name)?;
        let _naming = lock(&self.shared.naming);
        if self.state().names.entries.contains_key(&name) {
            return Err(ChannelError::new(ChannelErrorKind::Duplicate, name));
        }
        self.give(name, entry);
        Ok(())
    }

    pub(super) fn insert_local(&self, local: impl Destination) {
        self.state().names.local = Some(Arc::new(local));
    }

    /// Adds a name that is not taken, under the lock for adding names.
    fn give(&self, name: Arc<str>, entry: Named) {
        // Until the last packet that was held is on its way, the name stays unknown, so that later
        // ones wait behind it. The state is not locked while they are sent: a group needs it, and a
        // destination may use the node.
        loop {
            let mut state = self.state();
            let held = state.held.take(&name);
            if held.is_empty() {
                state.names.entries.insert(Arc::clone(&name), entry);
                drop(state);
                self.shared.events.tell(name, NodeEventKind::Added);
                return;
            }
            drop(state);
            for packet in held {
                let sent = self.release(&name, &entry, &packet);
                self.state().held.note_released(sent);
            }
        }
    }

    /// Sends the packets held for a name.
    fn release(&self, name: &str, entry: &Named, packet: &Packet) -> bool {
        match entry {
            Named::Channel(channel) => channel.try_send(packet).is_sent(),
            Named::Group(names) => {
                self.try_send_past(&[name], &**names, packet).is_ok_and(|report| report.is_complete())
            }
            Named::Receiver => false,
        }
    }

    fn try_send_past(
        &self,
        passed: &[&str],
        targets: &(impl Targets + ?Sized),
        packet: &Packet,
    ) -> Result<NodeReport, NodeError> {
        let (channels, mut outcomes) = self.ready(targets, passed, packet)?;
        outcomes.extend(channels.into_iter().map(|(name, channel)| (name, channel.try_send(packet))));
        Ok(NodeReport::new(outcomes))
    }

    /// The channels to send to, and the outcome for names that are unknown.
    fn ready(
        &self,
        targets: &(impl Targets + ?Sized),
        passed: &[&str],
        packet: &Packet,
    ) -> Result<(Channels, Outcomes), NodeError> {
        let mut state = self.state();
        let NodeState { names, unknown_names, held } = &mut *state;
        let Resolved { channels, unknown } = names.resolve(targets, passed)?;
        if let (UnknownNames::Refuse, Some(name)) = (&*unknown_names, unknown.first()) {
            return Err(names.unknown(Arc::clone(name)));
        }
        let outcome = |name: Arc<str>| {
            let outcome = match unknown_names {
                UnknownNames::Hold(_) => held.hold(&name, packet),
                _ => SendOutcome::Unknown,
            };
            (name, outcome)
        };
        Ok((channels, unknown.into_iter().map(outcome).collect()))
    }

    fn state(&self) -> MutexGuard<'_, NodeState> {
        lock(&self.shared.state)
    }
}

type Channels = Vec<(Arc<str>, Arc<dyn Destination>)>;
type Outcomes = Vec<(Arc<str>, SendOutcome)>;

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Node").field(&self.names()).finish()
    }
}
