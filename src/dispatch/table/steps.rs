//! The budget of work for look-ups, independent of the sender.

/// The cost of visiting a part of a route, in addition to comparing its text.
const LOOK: usize = 64;

/// The remaining steps. One step is about the work of one byte of a pattern against one byte of a name.
#[derive(Debug)]
pub(super) struct Steps {
    left: usize,
    spent: bool,
}

impl Default for Steps {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl Steps {
    pub(super) fn new(left: usize) -> Self {
        Self { left, spent: false }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    pub(super) fn set_left(&mut self, left: usize) {
        self.left = left;
    }

    /// Begins a look-up with the steps that earlier look-ups have left.
    pub(super) fn start(&mut self) {
        self.spent = false;
    }

    /// Returns `true` if the steps did not suffice for this look-up.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// Spends the steps to visit a part of a route. Returns `false` if too few are left.
    pub(super) fn look(&mut self) -> bool {
        self.take(LOOK)
    }

    /// Spends the steps to compare two texts. Returns `false` if too few are left.
    pub(super) fn compare(&mut self, one: &[u8], other: &[u8]) -> bool {
        self.take(LOOK.saturating_add(one.len().saturating_mul(other.len())))
    }

    fn take(&mut self, steps: usize) -> bool {
        match self.left.checked_sub(steps) {
            Some(left) => self.left = left,
            None => self.spent = true,
        }
        !self.spent
    }
}
