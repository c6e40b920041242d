//! The parts of a pattern, between and behind the slashes.

use super::segment;

/// One part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A name, matched by itself.
    Literal(&'a [u8]),
    /// `*` alone: any one name.
    Any,
    /// Anything else that stands for one name.
    Segment(&'a [u8]),
    /// `//`: any number of names, none included.
    Descend,
}

impl<'a> Part<'a> {
    /// The part that stands for one name.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        if !text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{')) {
            return Self::Literal(text);
        }
        if text.iter().all(|&byte| byte == b'*') {
            return Self::Any;
        }
        Self::Segment(text)
    }

    /// Whether it matches this name; `//` does.
    pub(crate) fn matches(self, name: &[u8]) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Segment(text) => segment::matches(text, name),
            Self::Any | Self::Descend => true,
        }
    }

    /// Whether some name matches both. Both must be satisfiable.
    pub(crate) fn overlaps(self, other: Part<'_>) -> bool {
        match (self, other) {
            (Self::Literal(name), _) => other.matches(name),
            (_, Part::Literal(name)) => self.matches(name),
            (Self::Segment(one), Part::Segment(two)) => segment::overlaps(one, two),
            _ => true,
        }
    }

    /// Whether any name matches at all.
    pub(crate) fn is_satisfiable(self) -> bool {
        match self {
            Self::Segment(text) => segment::is_satisfiable(text),
            _ => true,
        }
    }

    /// The names it stands for, if it is a name with one list of alternatives in it: what lies
    /// before the list, the alternatives, and what lies behind.
    pub(crate) fn alternatives(self) -> Option<(&'a [u8], impl Iterator<Item = &'a [u8]>, &'a [u8])> {
        let Self::Segment(text) = self else { return None };
        segment::as_alternatives(text)
    }
}

/// The parts of a legal pattern. A `//` at the end asks for one level at least, hence reads as `//*`:
/// the last part is never [`Part::Descend`].
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    below: bool,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text.strip_prefix(b"/"), below: false }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.rest?;
        let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        let (text, behind) = rest.split_at_checked(end)?;
        self.rest = behind.split_first().map(|(_, behind)| behind);
        let below = std::mem::replace(&mut self.below, text.is_empty());
        Some(match (text, self.rest) {
            (b"", Some(_)) => Part::Descend,
            (b"", None) if below => Part::Any,
            _ => Part::new(text),
        })
    }
}
