//! The stack of open bundles, which replaces recursion.

/// Nesting that is followed without an allocation.
const INLINE_DEPTH: usize = 8;

/// A bundle whose elements are being read.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    pub(super) end: usize,
    pub(super) elements: usize,
}

/// The bundles around the present one: inline to a usual depth, on the heap beyond it.
pub(super) struct Levels {
    len: usize,
    inline: [Level; INLINE_DEPTH],
    spilled: Vec<Level>,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { len: 0, inline: [Level::default(); INLINE_DEPTH], spilled: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, level: Level) {
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = level,
            None => self.spilled.push(level),
        }
        self.len = self.len.saturating_add(1);
    }

    pub(super) fn pop(&mut self) -> Option<Level> {
        self.len = self.len.checked_sub(1)?;
        self.inline.get(self.len).copied().or_else(|| self.spilled.pop())
    }
}
