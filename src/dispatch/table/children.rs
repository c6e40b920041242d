//! The children of a node, by the part that leads to each.

use foldhash::HashMap;

use crate::pattern::Part;

pub(super) type NodeId = usize;

/// A part that is a pattern, and the child it leads to.
type Segment = (Box<[u8]>, NodeId);

#[derive(Clone, Debug, Default)]
pub(super) struct Children {
    pub(super) any: Option<NodeId>,
    pub(super) descend: Option<NodeId>,
    names: HashMap<Box<[u8]>, NodeId>,
    /// Parts that are patterns of one name, by the plain text that each begins with: a name is held
    /// against those alone that begin as it does.
    segments: HashMap<Box<[u8]>, Vec<Segment>>,
    /// The lengths of those plain texts, each once.
    lengths: Vec<usize>,
}

impl Children {
    pub(super) fn get(&self, part: Part<'_>) -> Option<NodeId> {
        match part {
            Part::Literal(name) => self.name(name),
            Part::Segment(text) => {
                let alike = self.segments.get(plain_prefix(text))?;
                alike.iter().find(|(other, _)| **other == *text).map(|(_, child)| *child)
            }
            Part::Any => self.any,
            Part::Descend => self.descend,
        }
    }

    /// Adds a child; there is none for this part yet.
    pub(super) fn insert(&mut self, part: Part<'_>, child: NodeId) {
        match part {
            Part::Literal(name) => drop(self.names.insert(Box::from(name), child)),
            Part::Segment(text) => {
                let prefix = plain_prefix(text);
                self.segments.entry(Box::from(prefix)).or_default().push((Box::from(text), child));
                if !self.lengths.contains(&prefix.len()) {
                    self.lengths.push(prefix.len());
                }
            }
            Part::Any => self.any = Some(child),
            Part::Descend => self.descend = Some(child),
        }
    }

    pub(super) fn remove(&mut self, part: Part<'_>) {
        match part {
            Part::Literal(name) => drop(self.names.remove(name)),
            Part::Segment(text) => {
                if let Some(alike) = self.segments.get_mut(plain_prefix(text)) {
                    alike.retain(|(other, _)| **other != *text);
                }
                self.segments.retain(|_, alike| !alike.is_empty());
                self.lengths.retain(|&length| self.segments.keys().any(|prefix| prefix.len() == length));
            }
            Part::Any => self.any = None,
            Part::Descend => self.descend = None,
        }
    }

    pub(super) fn name(&self, name: &[u8]) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.names.iter().map(|(name, child)| (&**name, *child))
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.segments.values().flatten().map(|(text, child)| (&**text, *child))
    }

    /// The segments that can match this name, and maybe others.
    pub(super) fn segments_for(&self, name: &[u8]) -> impl Iterator<Item = (&[u8], NodeId)> {
        let prefixes = self.lengths.iter().filter_map(|&length| name.get(..length));
        let alike = prefixes.filter_map(|prefix| self.segments.get(prefix)).flatten();
        alike.map(|(text, child)| (&**text, *child))
    }

    /// Whether one of them stands for one name: all but the one behind `//` do.
    pub(super) fn stand_for_a_name(&self) -> bool {
        self.any.is_some() || !self.names.is_empty() || !self.segments.is_empty()
    }
}

fn plain_prefix(segment: &[u8]) -> &[u8] {
    segment.split(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{')).next().unwrap_or_default()
}
