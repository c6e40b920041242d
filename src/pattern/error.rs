//! What can be wrong with an address pattern, and where.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

/// Why a text is no legal address pattern, and at which byte.
///
/// ```
/// use tokio_osc::{Pattern, PatternErrorKind};
///
/// let error = Pattern::new("/mixer/[1-").unwrap_err();
/// assert_eq!(error.kind(), PatternErrorKind::UnclosedSet);
/// assert_eq!(error.position(), 7);
/// assert_eq!(error.to_string(), "`[` without `]` in its part, at byte 7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatternError {
    kind: PatternErrorKind,
    position: usize,
}

/// What is wrong with a pattern. Each kind says which byte [`PatternError::position`] points to.
///
/// ```
/// use tokio_osc::{Pattern, PatternErrorKind};
///
/// assert_eq!(Pattern::new("/mixer/[]").unwrap_err().kind(), PatternErrorKind::EmptySet);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// It does not begin with `/`: byte 0.
    NoLeadingSlash,
    /// It is longer than the limit: the first byte beyond it.
    TooLong,
    /// It has more parts than [`Pattern::MAX_PARTS`](crate::Pattern::MAX_PARTS): the slash before
    /// the first part beyond.
    TooManyParts,
    /// A byte that no address may hold (space, `#`, a comma outside braces, a control character,
    /// anything but ASCII): that byte.
    IllegalByte,
    /// Three slashes in a row: the third.
    TripleSlash,
    /// `[` without `]` in the same part: the `[`.
    UnclosedSet,
    /// `[]` or `[!]`: the `[`.
    EmptySet,
    /// A range such as `[z-a]`: its first character.
    ReversedRange,
    /// `{` without `}` in the same part: the `{`.
    UnclosedAlternatives,
    /// `{` inside braces: the inner one.
    NestedBraces,
    /// `]` without `[`: the `]`.
    LoneBracket,
    /// `}` without `{`: the `}`.
    LoneBrace,
}

impl PatternError {
    pub(super) const fn new(kind: PatternErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// What is wrong.
    pub const fn kind(self) -> PatternErrorKind {
        self.kind
    }

    /// The byte offset, counted from 0.
    pub const fn position(self) -> usize {
        self.position
    }
}

impl PatternErrorKind {
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::NoLeadingSlash => "a pattern begins with `/`",
            Self::TooLong => "the pattern is too long",
            Self::TooManyParts => "the pattern has too many parts",
            Self::IllegalByte => "a character that no address may hold",
            Self::TripleSlash => "three slashes in a row",
            Self::UnclosedSet => "`[` without `]` in its part",
            Self::EmptySet => "an empty set matches nothing",
            Self::ReversedRange => "a range runs backwards",
            Self::UnclosedAlternatives => "an opening brace without its closing one in its part",
            Self::NestedBraces => "braces do not nest",
            Self::LoneBracket => "`]` without `[`",
            Self::LoneBrace => "a closing brace without its opening one",
        }
    }
}

impl fmt::Display for PatternErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.kind, self.position)
    }
}

impl Error for PatternError {}

/// For what is a pattern already.
impl From<Infallible> for PatternError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
