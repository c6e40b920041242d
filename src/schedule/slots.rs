//! Storage for waiting entries: a vector with a list of free slots.
//!
//! The id of a value consists of its slot and the number of earlier values of the slot, so ids are not
//! reused. There are never more slots than values at one time, and the limits keep them far below 2^32.

/// The id of a value. As a number, the generation is above the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId {
    generation: u32,
    index: u32,
}

impl SlotId {
    pub(crate) const MAX: Self = Self { generation: u32::MAX, index: u32::MAX };
}

impl From<SlotId> for u64 {
    fn from(id: SlotId) -> Self {
        Self::from(id.generation) << 32 | Self::from(id.index)
    }
}

impl From<u64> for SlotId {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are the fields")]
    fn from(number: u64) -> Self {
        Self { generation: (number >> 32) as u32, index: number as u32 }
    }
}

/// The generation of a slot without further ids. It is not used again.
const RETIRED: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Slots<T> {
    storage: Vec<Slot<T>>,
    /// The free slots before `fresh`.
    free: Vec<u32>,
    /// All slots from here on are free.
    fresh: u32,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { storage: Vec::new(), free: Vec::new(), fresh: 0, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Stores a value, and returns its id.
    pub(crate) fn insert(&mut self, value: T) -> SlotId {
        self.len = self.len.saturating_add(1);
        let index = self.free.pop().unwrap_or_else(|| self.next_fresh());
        if let Some(slot) = self.storage.get_mut(index as usize) {
            slot.value = Some(value);
            return SlotId { generation: slot.generation, index };
        }
        self.storage.push(Slot { generation: 0, value: Some(value) });
        SlotId { generation: 0, index }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&T> {
        let slot = self.storage.get(id.index as usize)?;
        slot.value.as_ref().filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let slot = self.storage.get_mut(id.index as usize)?;
        slot.value.as_mut().filter(|_| slot.generation == id.generation)
    }

    /// Removes a value.
    pub(crate) fn remove(&mut self, id: SlotId) -> Option<T> {
        let slot = self.storage.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.saturating_add(1);
        if slot.generation != RETIRED {
            self.free.push(id.index);
        }
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            // Starts at the front again. The free slots are listed in the order in which values were removed,
            // which would scatter new values over the memory.
            self.free.clear();
            self.fresh = 0;
        }
        Some(value)
    }

    /// Returns all values and their ids, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &T)> {
        (0..).zip(&self.storage).filter_map(|(index, slot)| {
            Some((SlotId { generation: slot.generation, index }, slot.value.as_ref()?))
        })
    }

    fn next_fresh(&mut self) -> u32 {
        let is_retired = |slot: &Slot<T>| slot.generation == RETIRED;
        while self.storage.get(self.fresh as usize).is_some_and(is_retired) {
            self.fresh = self.fresh.saturating_add(1);
        }
        let fresh = self.fresh;
        self.fresh = fresh.saturating_add(1);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_given_twice() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_ne!(first, second);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.get(first), None);
        assert_eq!((slots.get(second), slots.len()), (Some(&'b'), 1));
    }

    #[test]
    fn a_slot_without_names_left_is_retired() {
        let mut slots = Slots::new();
        slots.insert('a');
        slots.storage[0].generation = RETIRED - 1;
        let last = SlotId { generation: RETIRED - 1, index: 0 };
        assert_eq!(slots.remove(last), Some('a'));
        assert_eq!(slots.insert('b'), SlotId { generation: 0, index: 1 });
        assert_eq!(slots.get(last), None);
    }

    #[test]
    fn a_name_survives_as_a_number() {
        let name = SlotId { generation: 7, index: u32::MAX };
        assert_eq!(u64::from(name), 0x0000_0007_ffff_ffff);
        assert_eq!(SlotId::from(u64::from(name)), name);
    }

    #[test]
    fn what_is_put_in_after_all_left_lies_in_the_order_in_which_it_came() {
        let mut slots = Slots::new();
        let first: Vec<_> = (0..9).map(|value| slots.insert(value)).collect();
        for at in [3, 0, 8, 5, 1, 7, 2, 6, 4] {
            slots.remove(first[at]);
        }
        let second: Vec<_> = (0..9).map(|value| slots.insert(value)).collect();
        assert!(second.iter().map(|id| id.index).eq(0..9));
        assert!(first.iter().all(|id| slots.get(*id).is_none()));
    }

    #[test]
    fn slots_are_used_again() {
        let mut slots = Slots::new();
        for _ in 0..1_000 {
            let (a, b) = (slots.insert('a'), slots.insert('b'));
            assert_eq!((slots.remove(a), slots.remove(b)), (Some('a'), Some('b')));
        }
        assert_eq!((slots.storage.len(), slots.len(), slots.iter().count()), (2, 0, 0));
    }
}
