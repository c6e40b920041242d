//! A map of bounded size that evicts the smallest recently used entry.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

pub(crate) struct Recent<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// The keys by the time of their use.
    order: BTreeMap<u64, K>,
    now: u64,
    capacity: usize,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// Creates a map with this capacity, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), now: 0, capacity: capacity.max(1) }
    }

    /// Marks a key as used, and creates its value if it has none. Returns an evicted value.
    pub(crate) fn touch(&mut self, key: &K, make: impl FnOnce() -> V) -> Option<V> {
        self.now += 1;
        if let Some((used, _)) = self.entries.get_mut(key) {
            self.order.remove(used);
            *used = self.now;
            self.order.insert(self.now, key.clone());
            return None;
        }
        let gone = if self.entries.len() < self.capacity { None } else { self.order.pop_first() };
        self.entries.insert(key.clone(), (self.now, make()));
        self.order.insert(self.now, key.clone());
        gone.and_then(|(_, key)| self.entries.remove(&key)).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (used, value) = self.entries.remove(key)?;
        self.order.remove(&used);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_least_recently_goes() {
        let mut recent = Recent::new(2);
        assert_eq!(recent.touch(&"a", || 1), None);
        assert_eq!(recent.touch(&"b", || 2), None);
        assert_eq!(recent.touch(&"a", || 9), None);
        assert_eq!(recent.touch(&"c", || 3), Some(2));
        assert_eq!(recent.get_mut(&"a"), Some(&mut 1));
        assert_eq!(recent.get_mut(&"b"), None);
        assert_eq!(recent.remove(&"a"), Some(1));
        assert_eq!(recent.touch(&"d", || 4), None);
        assert_eq!((recent.entries.len(), recent.order.len()), (2, 2));
    }
}
