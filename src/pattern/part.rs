//! The parts of a pattern, separated by slashes.

use super::segment;

/// One part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A name.
    Literal(&'a [u8]),
    /// `*` alone: any one name.
    Any,
    /// Any other pattern of one name.
    Segment(&'a [u8]),
    /// `//`: any number of names, none included.
    Descend,
}

impl<'a> Part<'a> {
    /// Creates a part of one name.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        if !text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{')) {
            return Self::Literal(text);
        }
        if text.iter().all(|&byte| byte == b'*') {
            return Self::Any;
        }
        Self::Segment(text)
    }

    /// Returns `true` if it matches this name. `//` does.
    pub(crate) fn matches(self, name: &[u8]) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Segment(text) => segment::matches(text, name),
            Self::Any | Self::Descend => true,
        }
    }

    /// Returns `true` if some name matches both. Both must be satisfiable.
    pub(crate) fn overlaps(self, other: Part<'_>) -> bool {
        match (self, other) {
            (Self::Literal(name), _) => other.matches(name),
            (_, Part::Literal(name)) => self.matches(name),
            (Self::Segment(one), Part::Segment(two)) => segment::overlaps(one, two),
            _ => true,
        }
    }

    /// Returns `true` if any name matches.
    pub(crate) fn is_satisfiable(self) -> bool {
        match self {
            Self::Segment(text) => segment::is_satisfiable(text),
            _ => true,
        }
    }

    /// Splits a part with a single list of alternatives: the text before it, the alternatives, and the text
    /// after it.
    pub(crate) fn alternatives(self) -> Option<(&'a [u8], impl Iterator<Item = &'a [u8]>, &'a [u8])> {
        let Self::Segment(text) = self else { return None };
        segment::as_alternatives(text)
    }
}

/// The parts of a valid pattern. A trailing `//` requires at least one level, so it is parsed as `//*`: the
/// last part is never [`Part::Descend`].
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
