//! Names and their targets.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::Channel;
use crate::node::{ALL, Destination, LOCAL, NodeError, Targets};
use crate::server::{ChannelError, ChannelErrorKind};

/// The target of a name.
#[derive(Clone)]
pub(super) enum Named {
    Channel(Arc<dyn Destination>),
    /// A channel that receives only.
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "it is one of datagrams"))]
    Receiver,
    /// A group of names, which are resolved when a packet is sent.
    Group(Arc<[Arc<str>]>),
}

impl Named {
    /// The target of the name of a server's channel.
    pub(super) fn of(channel: &Channel) -> Self {
        #[cfg(feature = "net")]
        if channel.monitor().is_some() {
            return Self::Receiver;
        }
        Self::Channel(Arc::new(channel.outlet()))
    }
}

#[derive(Default)]
pub(super) struct NameTable {
    /// The names added by the user.
    pub(super) entries: BTreeMap<Arc<str>, Named>,
    /// The local router.
    pub(super) local: Option<Arc<dyn Destination>>,
}

/// The resolved targets of a packet.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) channels: Vec<(Arc<str>, Arc<dyn Destination>)>,
    pub(super) unknown: Vec<Arc<str>>,
}

impl NameTable {
    /// Resolves groups to channels, each once. Names in `passed` are skipped, so a group that contains itself
    /// adds nothing the second time.
    pub(super) fn resolve(
        &self,
        targets: &(impl Targets + ?Sized),
        passed: &[&str],
    ) -> Result<Resolved, NodeError> {
        let mut seen: HashSet<Arc<str>> = passed.iter().map(|&name| name.into()).collect();
        let mut resolved = Resolved::default();
        let mut open = Vec::new();
        targets.each_name(&mut |name| open.push(Arc::from(name)));
        open.reverse();
        while let Some(name) = open.pop() {
            if !seen.insert(Arc::clone(&name)) {
                continue;
            }
            match self.entries.get(&name) {
                Some(Named::Channel(channel)) => resolved.channels.push((name, Arc::clone(channel))),
                Some(Named::Group(names)) => open.extend(names.iter().rev().cloned()),
                Some(Named::Receiver) => return Err(NodeError::ReceivesOnly { name }),
                None if *name == *LOCAL => {
                    let local = self.local.clone().ok_or_else(|| self.unknown(Arc::clone(&name)))?;
                    resolved.channels.push((name, local));
                }
                None if *name == *ALL => open.extend(self.all().rev().cloned()),
                None if check(&name).is_err() => return Err(self.unknown(name)),
                None => resolved.unknown.push(name),
            }
        }
        Ok(resolved)
    }

    pub(super) fn unknown(&self, name: Arc<str>) -> NodeError {
        NodeError::UnknownName { name, known: self.entries.keys().cloned().collect() }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> {
        let channels = self.entries.iter().filter(|(_, entry)| matches!(entry, Named::Channel(_)));
        channels.map(|(name, _)| name)
    }
}

/// Checks that a channel or group can have this name.
pub(super) fn check(name: &Arc<str>) -> Result<(), ChannelError> {
    match &**name {
        LOCAL | ALL => Err(ChannelError::new(ChannelErrorKind::Reserved, Arc::clone(name))),
        _ => ChannelError::check_name(name),
    }
}
