//! The children of a node whose part is a pattern of one name.

use std::sync::Arc;

use foldhash::HashMap;

use super::names::NodeId;

/// Up to this many are tried one by one, which is faster than a hash.
const FEW: usize = 8;

/// Children by a part of a pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments {
    list: Vec<(Arc<[u8]>, NodeId)>,
    /// Indices into the list by the plain text with which a part begins. Empty while there are few.
    index: HashMap<Arc<[u8]>, Vec<usize>>,
    /// The lengths of those plain texts, each once.
    lengths: Vec<usize>,
}

impl Segments {
    pub(super) fn get(&self, text: &[u8]) -> Option<NodeId> {
        self.beginning_like(text).find(|(other, _)| *other == text).map(|(_, child)| child)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.list.iter().map(|(text, child)| (&text[..], *child))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn insert(&mut self, text: &[u8], child: NodeId) {
        self.list.push((Arc::from(text), child));
        match self.list.len() {
            ..=FEW => {}
            len if self.index.is_empty() => (0..len).for_each(|place| self.index_place(place)),
            len => self.index_place(len - 1),
        }
    }

    pub(super) fn remove(&mut self, text: &[u8]) {
        self.list.retain(|(other, _)| **other != *text);
        self.index = HashMap::default();
        self.lengths = Vec::new();
        if self.list.len() > FEW {
            (0..self.list.len()).for_each(|place| self.index_place(place));
        }
    }

    /// Returns the children whose part begins with the same plain text, and possibly others: all that can
    /// match a name.
    pub(super) fn beginning_like(&self, text: &[u8]) -> impl Iterator<Item = (&[u8], NodeId)> {
        let unindexed = if self.index.is_empty() { &self.list[..] } else { &[] };
        let prefixes = self.lengths.iter().filter_map(|&length| text.get(..length));
        let indexed = prefixes.filter_map(|prefix| self.index.get(prefix)).flatten();
        let children = unindexed.iter().chain(indexed.filter_map(|&place| self.list.get(place)));
        children.map(|(text, child)| (&text[..], *child))
    }

    fn index_place(&mut self, place: usize) {
        let Some((text, _)) = self.list.get(place) else { return };
        let is_wild = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'{');
        let prefix = text.split(is_wild).next().unwrap_or_default();
        if !self.lengths.contains(&prefix.len()) {
            self.lengths.push(prefix.len());
        }
        match self.index.get_mut(prefix) {
            Some(places) => places.push(place),
            None => {
                self.index.insert(Arc::from(prefix), vec![place]);
            }
        }
    }
}
