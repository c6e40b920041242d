//! A path that is looked up: an address, or a pattern without `//`.

use crate::pattern::{Part, Pattern, spans};

/// Levels of a path, as bits: the parts that come next.
pub(super) type Levels = u128;

/// Where a [`Part`] lies in its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Literal,
    Any,
    Segment,
}

pub(super) struct Subject<'a> {
    text: &'a [u8],
    parts: &'a [Span],
    /// The parts that are patterns.
    wild: Levels,
}

impl<'a> Subject<'a> {
    /// A name. `None` if it has more parts than any pattern can have.
    pub(super) fn of_address(address: &'a [u8], parts: &'a mut Vec<Span>) -> Option<Self> {
        Self::new(address, parts, |_| Kind::Literal)
    }

    /// A pattern without `//`.
    pub(super) fn of_pattern(pattern: &'a Pattern, parts: &'a mut Vec<Span>) -> Option<Self> {
        Self::new(pattern.as_bytes(), parts, |part| match Part::new(part) {
            Part::Literal(_) => Kind::Literal,
            Part::Any | Part::Descend => Kind::Any,
            Part::Segment(_) => Kind::Segment,
        })
    }

    fn new(text: &'a [u8], parts: &'a mut Vec<Span>, kind: impl Fn(&[u8]) -> Kind) -> Option<Self> {
        parts.clear();
        let mut wild = 0;
        for (level, span) in spans(text).enumerate() {
            if level == Pattern::MAX_PARTS {
                return None;
            }
            let kind = kind(text.get(span.clone())?);
            wild |= Levels::from(kind != Kind::Literal) << level;
            parts.push(Span { start: span.start, end: span.end, kind });
        }
        (!parts.is_empty()).then_some(Self { text, parts, wild })
    }

    /// What is compared when the path has reached these levels: the text of the one part, or of
    /// all.
    pub(super) fn text_of(&self, levels: Levels) -> &'a [u8] {
        match single(levels).and_then(|level| self.parts.get(level)) {
            Some(span) => self.text.get(span.start..span.end).unwrap_or_default(),
            None => self.text,
        }
    }

    pub(super) fn part(&self, level: usize) -> Part<'a> {
        let Some(&Span { start, end, kind }) = self.parts.get(level) else { return Part::Any };
        let text = self.text.get(start..end).unwrap_or_default();
        match kind {
            Kind::Literal => Part::Literal(text),
            Kind::Any => Part::Any,
            Kind::Segment => Part::Segment(text),
        }
    }

    /// All levels.
    pub(super) fn all(&self) -> Levels {
        Levels::MAX >> (Pattern::MAX_PARTS - self.parts.len())
    }

    /// The level of the last part.
    pub(super) fn last(&self) -> Levels {
        1 << (self.parts.len() - 1)
    }

    /// Whether a part of these levels is a pattern.
    pub(super) fn is_wild(&self, levels: Levels) -> bool {
        levels & self.wild != 0
    }

    /// At which of these levels a part of a route has a name in common with the subject.
    pub(super) fn sharing(&self, levels: Levels, part: Part<'_>) -> Levels {
        let shared = bits(levels).filter(|&level| self.part(level).overlaps(part));
        shared.fold(0, |set, level| set | 1 << level)
    }
}

/// The places of the bits that are set, from the lowest.
pub(super) fn bits(mut levels: Levels) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = levels.trailing_zeros() as usize;
        levels &= levels.checked_sub(1)?;
        Some(place)
    })
}

/// The level, if it is only one.
pub(super) fn single(levels: Levels) -> Option<usize> {
    levels.is_power_of_two().then(|| levels.trailing_zeros() as usize)
}
