//! The named children of a node: a list, which is faster than a hash map when short, and an index.

use std::sync::Arc;

use foldhash::HashMap;

/// The index of a node in its tree.
pub(super) type NodeId = usize;

/// Up to this many names are compared one by one, which is faster than a hash.
const FEW: usize = 8;

/// Children by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    list: Vec<(Arc<[u8]>, NodeId)>,
    /// Indices into the list. Empty while there are few names.
    index: HashMap<Arc<[u8]>, usize>,
}

impl Names {
    pub(super) fn get(&self, name: &[u8]) -> Option<NodeId> {
        let place = self.place(name)?;
        self.list.get(place).map(|&(_, child)| child)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.list.iter().map(|(name, child)| (&name[..], *child))
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn insert(&mut self, name: &[u8], child: NodeId) {
        self.list.push((Arc::from(name), child));
        if self.list.len() > FEW {
            let unindexed = self.list.iter().enumerate().skip(self.index.len());
            self.index.extend(unindexed.map(|(place, (name, _))| (name.clone(), place)));
        }
    }

    pub(super) fn remove(&mut self, name: &[u8]) {
        let Some(place) = self.place(name) else { return };
        self.list.swap_remove(place);
        self.index.remove(name);
        if self.list.len() <= FEW {
            self.index = HashMap::default();
        } else if let Some((moved, _)) = self.list.get(place) {
            self.index.insert(moved.clone(), place);
        }
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        if self.index.is_empty() {
            return self.list.iter().position(|(other, _)| **other == *name);
        }
        self.index.get(name).copied()
    }
}
