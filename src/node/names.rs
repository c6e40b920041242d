//! What a name stands for, and which names there can be.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::node::{ALL, LOCAL};
use crate::{Destination, NodeError, Targets};

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Entry {
    Channel(Arc<dyn Destination>),
    /// A channel that receives, and has no peer to send to.
    #[cfg_attr(not(feature = "net"), expect(dead_code, reason = "it is one of datagrams"))]
    Receiver,
    /// Names, looked up when they are sent to.
    Group(Arc<[Arc<str>]>),
}

#[derive(Default)]
pub(super) struct Names {
    /// The own router is among them, by its reserved name.
    entries: BTreeMap<Arc<str>, Entry>,
}

/// What targets come down to.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) channels: Vec<(Arc<str>, Arc<dyn Destination>)>,
    pub(super) unknown: Vec<Arc<str>>,
}

impl Names {
    pub(super) fn insert(&mut self, name: Arc<str>, entry: Entry) -> Option<Entry> {
        self.entries.insert(name, entry)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Entry> {
        self.entries.remove(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The names that users have given, in alphabetical order.
    pub(super) fn given(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.entries.iter().filter(|(name, _)| !is_reserved(name))
    }

    /// Opens groups until only channels are left, each once. Names in `passed` are passed over. A
    /// group that is in itself adds nothing the second time.
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
                Some(Entry::Channel(channel)) => resolved.channels.push((name, Arc::clone(channel))),
                Some(Entry::Group(names)) => open.extend(names.iter().rev().cloned()),
                Some(Entry::Receiver) => return Err(NodeError::ReceivesOnly { name }),
                None if *name == *ALL => open.extend(self.all().rev().cloned()),
                None if check(&name).is_err() => return Err(self.unknown(name)),
                None => resolved.unknown.push(name),
            }
        }
        Ok(resolved)
    }

    pub(super) fn unknown(&self, name: Arc<str>) -> NodeError {
        NodeError::UnknownName { name, known: self.given().map(|(name, _)| Arc::clone(name)).collect() }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> {
        let channels = self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Channel(_)));
        channels.map(|(name, _)| name).filter(|name| !is_reserved(name))
    }
}

fn is_reserved(name: &str) -> bool {
    name.starts_with('_') || [LOCAL, ALL].contains(&name)
}

/// Whether a channel or group can have this name: it may stand as a part of an address.
pub(super) fn check(name: &str) -> Result<(), NameErrorKind> {
    if name.is_empty() {
        return Err(NameErrorKind::Empty);
    }
    if is_reserved(name) {
        return Err(NameErrorKind::Reserved);
    }
    let legal = |c: char| c.is_ascii_graphic() && !"#*,/?[]{}".contains(c);
    name.chars().find(|&c| !legal(c)).map_or(Ok(()), |c| Err(NameErrorKind::IllegalCharacter(c)))
}

/// Why a name cannot be given.
///
/// ```
/// use tokio_osc::{NameErrorKind, Node};
///
/// let error = Node::new().group("all", ["lights"]).unwrap_err();
/// assert_eq!((error.name(), error.kind()), ("all", NameErrorKind::Reserved));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    name: Arc<str>,
    kind: NameErrorKind,
}

/// What is wrong with a name.
///
/// ```
/// use tokio_osc::{NameErrorKind, Node};
///
/// let error = Node::new().group("stage left", ["lights"]).unwrap_err();
/// assert_eq!(error.kind(), NameErrorKind::IllegalCharacter(' '));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameErrorKind {
    /// It has no characters.
    Empty,
    /// It is [`LOCAL`] or [`ALL`], or begins with `_`, as names that a server gives itself do.
    Reserved,
    /// It could not stand as a part of an address: it holds a space, a control character, one of
    /// `# * , / ? [ ] { }`, or something that is not ASCII.
    IllegalCharacter(char),
    /// A channel or group has it already.
    Taken,
    /// The server of the node ends or has ended, and takes no channel any more.
    Ended,
}

impl NameError {
    pub(super) fn new(name: &Arc<str>, kind: NameErrorKind) -> Self {
        Self { name: Arc::clone(name), kind }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    pub const fn kind(&self) -> NameErrorKind {
        self.kind
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            NameErrorKind::Empty => f.write_str("a name has at least one character"),
            NameErrorKind::Reserved => {
                write!(f, "the name {name:?} is reserved, as {LOCAL:?}, {ALL:?} and all that begin with '_'")
            }
            NameErrorKind::IllegalCharacter(c) => {
                write!(f, "the name {name:?} holds {c:?}, which no part of an address holds")
            }
            NameErrorKind::Taken => write!(f, "a channel or group has the name {name:?} already"),
            NameErrorKind::Ended => write!(f, "the server of the channel {name:?} has ended"),
        }
    }
}

impl std::error::Error for NameError {}
