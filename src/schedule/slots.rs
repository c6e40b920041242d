//! Storage for what waits: a vector, of which the first free slot is taken, so that what is put in
//! together lies together. A value is named by its slot and the number
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
    free: FreeSlots,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { storage: Vec::new(), free: FreeSlots::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Stores a value, and gives its name.
    pub(crate) fn insert(&mut self, value: T) -> SlotId {
        self.len += 1;
        let fresh = u32::try_from(self.storage.len()).unwrap_or(u32::MAX);
        let index = self.free.take_first().unwrap_or(fresh);
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
            self.free.insert(id.index);
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

/// A set of numbers that gives the smallest: bits, and above each 64 of them one that says whether
/// there are any.
#[derive(Debug)]
struct FreeSlots {
    levels: [Vec<u64>; LEVELS],
}

/// 64 to this power is more than 2^32.
const LEVELS: usize = 6;

impl FreeSlots {
    const fn new() -> Self {
        Self { levels: [const { Vec::new() }; LEVELS] }
    }

    fn insert(&mut self, mut number: u32) {
        for level in &mut self.levels {
            let (word, bit) = ((number / 64) as usize, number % 64);
            if level.len() <= word {
                level.resize(word + 1, 0);
            }
            let Some(word) = level.get_mut(word) else { return };
            let known_above = *word != 0;
            *word |= 1 << bit;
            if known_above {
                return;
            }
            number /= 64;
        }
    }

    fn first(&self) -> Option<u32> {
        // A level of one word needs none above it.
        let top = self.levels.iter().position(|level| level.len() <= 1)?;
        let mut number = 0;
        for level in self.levels.get(..=top)?.iter().rev() {
            let word = level.get(number as usize).copied().filter(|word| *word != 0)?;
            number = number * 64 + word.trailing_zeros();
        }
        Some(number)
    }

    fn take_first(&mut self) -> Option<u32> {
        let first = self.first()?;
        let mut number = first;
        for level in &mut self.levels {
            let word = level.get_mut((number / 64) as usize)?;
            *word &= word.wrapping_sub(1);
            if *word != 0 {
                break;
            }
            number /= 64;
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_free_slots_give_the_smallest_number_as_a_sorted_set_does() {
        let (mut free, mut model) = (FreeSlots::new(), BTreeSet::new());
        let mut state = 1_u32;
        for round in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if round % 3 == 0 {
                assert_eq!(free.take_first(), model.pop_first());
            } else {
                let number = (state >> 8) % [1, 64, 65, 5_000, 300_000][round % 5];
                free.insert(number);
                model.insert(number);
            }
            assert_eq!(free.first(), model.first().copied());
        }
        while let Some(number) = free.take_first() {
            assert_eq!(Some(number), model.pop_first());
        }
        assert!(model.is_empty());
    }

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
        slots.storage[0].generation = u32::MAX;
        let last = SlotId { generation: u32::MAX, index: 0 };
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
    fn slots_are_used_again() {
        let mut slots = Slots::new();
        for _ in 0..1_000 {
            let (a, b) = (slots.insert('a'), slots.insert('b'));
            assert_eq!((slots.remove(a), slots.remove(b)), (Some('a'), Some('b')));
        }
        assert_eq!((slots.storage.len(), slots.len(), slots.iter().count()), (2, 0, 0));
    }
}
