//! How much work look-ups may be: a bound that no sender can move.

/// What it costs to look at a part of a route, besides comparing its text.
const LOOK: usize = 64;

/// Steps that are left. One is about the work of one byte of a pattern against one of a name.
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

    /// Whether there were too few for this look-up.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// Whether there is enough left to look at a part of a route.
    pub(super) fn look(&mut self) -> bool {
        self.take(LOOK)
    }

    /// Whether there is enough left to compare two texts.
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
