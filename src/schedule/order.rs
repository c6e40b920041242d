//! Places in order: a radix heap, with a binary heap for what comes before its pivot.
//!
//! A schedule is taken out in order and put in ahead of what was taken out. So places are sorted
//! into buckets by the highest bit in which they differ from the pivot, the last one made ready.
//! When nothing is ready, the lowest bucket is: a small one is sorted as it is, and a large one is
//! spread over those below it. A place goes down at most 64 times, mostly a few, and memory is read
//! front to back. A place before the pivot is rare (what is due within the small bucket at hand, or
//! after the clock was set back) and goes into a binary heap, so that any sequence of calls is
//! right.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::slots::SlotId;

/// The place of an entry: by due time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Nanoseconds from the wall time at which the queue was made. This reaches 292 years either
    /// way; a time tag reaches 68.
    pub(crate) due: i64,
    pub(crate) arrival: u64,
    pub(crate) id: SlotId,
}

/// The most places of a small bucket, which is sorted at once, and which keeps its memory.
const SMALL: usize = 128;

#[derive(Debug)]
pub(crate) struct Order {
    pivot: i64,
    /// The places before the pivot.
    early: BinaryHeap<Reverse<Place>>,
    /// The next places up to the pivot, in order.
    ready: VecDeque<Place>,
    /// Whether `ready` was filled since it was last swept.
    filled: bool,
    /// The places after the pivot, by the highest bit of `due ^ pivot`.
    later: [Bucket; 64],
    /// Bit n is set while bucket n is not empty.
    occupied: u64,
    len: usize,
}

/// Places, among equally due ones in order of arrival, and the first of all.
#[derive(Debug, Default)]
struct Bucket {
    places: Vec<Place>,
    first: Option<Place>,
}

impl Bucket {
    fn push(&mut self, place: Place) {
        self.first = Some(self.first.map_or(place, |first| first.min(place)));
        self.places.push(place);
    }
}

impl Order {
    pub(crate) fn starting_at(pivot: i64) -> Self {
        Self {
            pivot,
            early: BinaryHeap::new(),
            ready: VecDeque::new(),
            filled: false,
            later: std::array::from_fn(|_| Bucket::default()),
            occupied: 0,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a place. Of equally due ones, the later arrival must be added later.
    pub(crate) fn push(&mut self, place: Place) {
        self.len += 1;
        if place.due < self.pivot {
            self.early.push(Reverse(place));
        } else {
            self.sort_in(place);
        }
    }

    /// Sorts in a place that is not before the pivot.
    fn sort_in(&mut self, place: Place) {
        let difference = (place.due ^ self.pivot) as u64;
        let bucket = difference.checked_ilog2().and_then(|bit| self.later.get_mut(bit as usize));
        match bucket {
            Some(bucket) => {
                bucket.push(place);
                self.occupied |= 1 << difference.ilog2();
            }
            None => self.ready.push_back(place),
        }
    }

    /// The first place.
    pub(crate) fn peek(&self) -> Option<Place> {
        let sorted = self.ready.front().copied().or_else(|| self.lowest()?.first);
        let early = self.early.peek().map(|Reverse(place)| *place);
        match (sorted, early) {
            (Some(sorted), Some(early)) => Some(sorted.min(early)),
            (sorted, early) => sorted.or(early),
        }
    }

    /// The lowest bucket that is not empty. None of its places is after any of a higher one.
    fn lowest(&self) -> Option<&Bucket> {
        self.later.get(self.occupied.trailing_zeros() as usize)
    }

    /// Takes out the first place.
    pub(crate) fn pop(&mut self) -> Option<Place> {
        let first = self.peek()?;
        self.len -= 1;
        if self.early.peek() == Some(&Reverse(first)) {
            return self.early.pop().map(|Reverse(place)| place);
        }
        if self.ready.is_empty() {
            self.turn(first.due);
        }
        self.ready.pop_front()
    }

    /// Fills `ready` from the lowest bucket, which begins with this due time. Whatever the pivot
    /// becomes within it, no higher bucket changes.
    fn turn(&mut self, first: i64) {
        let lowest = self.occupied.trailing_zeros();
        let Some(bucket) = self.later.get_mut(lowest as usize) else { return };
        self.filled = true;
        self.occupied &= !(1 << lowest);
        let mut places = std::mem::take(bucket).places;
        if places.len() <= SMALL {
            places.sort_unstable();
            self.pivot = places.last().map_or(first, |last| last.due);
            self.ready.extend(places.drain(..));
        } else {
            self.pivot = first;
            for place in places.drain(..) {
                self.sort_in(place);
            }
        }
        if places.capacity() <= SMALL {
            self.keep(lowest, places);
        }
    }

    /// Forgets the places that became ready and are not wanted any more. Looking at them all at once
    /// also has the processor fetch what they name together, and not one after the other.
    pub(crate) fn sweep(&mut self, wanted: impl Fn(SlotId) -> bool) {
        if std::mem::take(&mut self.filled) {
            let before = self.ready.len();
            self.ready.retain(|place| wanted(place.id));
            self.len -= before - self.ready.len();
        }
    }

    /// Gives an emptied bucket its memory back, so that small ones need not allocate.
    fn keep(&mut self, bucket: u32, places: Vec<Place>) {
        if let Some(bucket) = self.later.get_mut(bucket as usize) {
            bucket.places = places;
        }
    }

    /// Takes out everything, in order.
    pub(crate) fn into_sorted(self) -> Vec<Place> {
        let early = self.early.into_iter().map(|Reverse(place)| place);
        let later = self.later.into_iter().flat_map(|bucket| bucket.places);
        let mut places: Vec<_> = early.chain(self.ready).chain(later).collect();
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(i64),
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        let due = prop_oneof![
            -8..8_i64,
            -2_000..2_000_i64,
            any::<i64>(),
            prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX])
        ];
        prop_oneof![due.prop_map(Step::Push), Just(Step::Pop)]
    }

    proptest! {
        #[test]
        fn any_sequence_gives_the_order_of_a_sorted_set(pivot: i64, steps in prop::collection::vec(step(), 0..400)) {
            let mut order = Order::starting_at(pivot);
            let mut model = BTreeSet::new();
            for (arrival, step) in (0..).zip(steps) {
                match step {
                    Step::Push(due) => {
                        let place = Place { due, arrival, id: SlotId::MAX };
                        order.push(place);
                        model.insert(place);
                    }
                    Step::Pop => prop_assert_eq!(order.pop(), model.pop_first()),
                }
                prop_assert_eq!(order.peek(), model.first().copied());
                prop_assert_eq!(order.len(), model.len());
            }
            prop_assert_eq!(order.into_sorted(), model.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn equally_due_places_keep_the_order_of_arrival_across_the_pivot() {
        let mut order = Order::starting_at(0);
        let place = |due, arrival| Place { due, arrival, id: SlotId::MAX };
        order.push(place(5, 0));
        order.push(place(9, 1));
        assert_eq!(order.pop(), Some(place(5, 0)));
        order.push(place(9, 2));
        order.push(place(3, 3));
        order.push(place(5, 4));
        order.push(place(3, 5));
        let rest: Vec<_> = std::iter::from_fn(|| order.pop()).collect();
        assert_eq!(rest, [place(3, 3), place(3, 5), place(5, 4), place(9, 1), place(9, 2)]);
    }
}
