//! How far into an address a node of the tree may be.

/// A set of places in a path of up to 128 parts: before part 0, before part 1, …, and behind all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    before: u128,
    pub(super) end: bool,
}

impl Levels {
    pub(super) const START: Self = Self { before: 1, end: false };

    /// The parts that come next, as bits.
    pub(super) fn next_parts(self) -> u128 {
        self.before
    }

    /// The places behind those of the `parts` parts that were taken.
    pub(super) fn behind(taken: u128, parts: usize) -> Self {
        let last = 1 << (parts - 1);
        Self { before: (taken & !last) << 1, end: taken & last != 0 }
    }

    /// These and all later places.
    pub(super) fn and_later(self, parts: usize) -> Self {
        if self.before == 0 {
            return self;
        }
        let all = u128::MAX >> (128 - parts);
        Self { before: (self.before | self.before.wrapping_neg()) & all, end: true }
    }
}

/// The places of the bits that are set, from the lowest.
pub(super) fn bits(mut set: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = set.trailing_zeros() as usize;
        set &= set.checked_sub(1)?;
        Some(place)
    })
}
