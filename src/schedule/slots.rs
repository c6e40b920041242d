//! Storage for what waits: a vector with a free list. A value is named by its slot and the number
//! of values the slot held before, so that a name is never given twice. There are never more slots
//! than values were held at one time: the limits bound them, far below 2^32.

/// The name of a value. As a number it is the generation above the index.
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
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is asked for")]
    fn from(number: u64) -> Self {
        Self { generation: (number >> 32) as u32, index: number as u32 }
    }
}

#[derive(Debug)]
pub(crate) struct Slots<T> {
    storage: Vec<Slot<T>>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { storage: Vec::new(), free: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The name that the next value will have.
    pub(crate) fn next_id(&self) -> SlotId {
        let fresh = u32::try_from(self.storage.len()).unwrap_or(u32::MAX);
        let index = self.free.last().copied().unwrap_or(fresh);
        let generation = self.storage.get(index as usize).map_or(0, |slot| slot.generation);
        SlotId { generation, index }
    }

    /// Stores a value under the name that [`next_id`](Self::next_id) gives.
    pub(crate) fn insert(&mut self, value: T) {
        self.len += 1;
        match self.free.pop().and_then(|index| self.storage.get_mut(index as usize)) {
            Some(slot) => slot.value = Some(value),
            None => self.storage.push(Slot { generation: 0, value: Some(value) }),
        }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&T> {
        let slot = self.storage.get(id.index as usize)?;
        slot.value.as_ref().filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let slot = self.storage.get_mut(id.index as usize)?;
        slot.value.as_mut().filter(|_| slot.generation == id.generation)
    }

    /// Takes a value out. A slot that has run out of names is not used again.
    pub(crate) fn remove(&mut self, id: SlotId) -> Option<T> {
        let slot = self.storage.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        self.len -= 1;
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(id.index);
        }
        Some(value)
    }

    /// All values and their names, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &T)> {
        (0..).zip(&self.storage).filter_map(|(index, slot)| {
            Some((SlotId { generation: slot.generation, index }, slot.value.as_ref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slots: &mut Slots<char>, value: char) -> SlotId {
        let id = slots.next_id();
        slots.insert(value);
        id
    }

    #[test]
    fn a_name_is_never_given_twice() {
        let mut slots = Slots::new();
        let first = put(&mut slots, 'a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = put(&mut slots, 'b');
        assert_ne!(first, second);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.get(first), None);
        assert_eq!((slots.get(second), slots.len()), (Some(&'b'), 1));
    }

    #[test]
    fn a_slot_without_names_left_is_retired() {
        let mut slots = Slots::new();
        put(&mut slots, 'a');
        slots.storage[0].generation = u32::MAX;
        let last = SlotId { generation: u32::MAX, index: 0 };
        assert_eq!(slots.remove(last), Some('a'));
        assert_eq!(put(&mut slots, 'b'), SlotId { generation: 0, index: 1 });
        assert_eq!(slots.get(last), None);
    }

    #[test]
    fn a_name_survives_as_a_number() {
        let name = SlotId { generation: 7, index: u32::MAX };
        assert_eq!(u64::from(name), 0x0000_0007_ffff_ffff);
        assert_eq!(SlotId::from(u64::from(name)), name);
    }

    #[test]
    fn slots_are_used_again() {
        let mut slots = Slots::new();
        for _ in 0..1_000 {
            let (a, b) = (put(&mut slots, 'a'), put(&mut slots, 'b'));
            assert_eq!((slots.remove(a), slots.remove(b)), (Some('a'), Some('b')));
        }
        assert_eq!((slots.storage.len(), slots.len(), slots.iter().count()), (2, 0, 0));
    }
}
