//! The errors of address patterns.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use crate::types::texts;

/// The error of a text that is not a valid address pattern, with its position.
///
/// ```
/// use tokio_osc::pattern::PatternErrorKind;
/// use tokio_osc::Pattern;
///
/// let error = Pattern::new("/mixer/[1-").unwrap_err();
/// assert_eq!(error.kind(), PatternErrorKind::UnclosedSet);
/// assert_eq!(error.position(), 7);
/// assert_eq!(error.to_string(), "`[` without `]` in its part, at byte 7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PatternError {
    kind: PatternErrorKind,
    position: usize,
}

texts! {
    /// The kinds of [`PatternError`]. Each one documents the byte of [`PatternError::position`].
    ///
    /// ```
    /// use tokio_osc::pattern::PatternErrorKind;
    /// use tokio_osc::Pattern;
    ///
    /// assert_eq!(Pattern::new("/mixer/[]").unwrap_err().kind(), PatternErrorKind::EmptySet);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum PatternErrorKind {
        /// It does not begin with `/`: byte 0.
        NoLeadingSlash => "a pattern begins with `/`",
        /// It is longer than the limit: the first byte beyond it.
        TooLong => "the pattern is too long",
        /// It has more parts than [`Pattern::MAX_PARTS`](crate::Pattern::MAX_PARTS): the slash before
        /// the first part beyond.
        TooManyParts => "the pattern has too many parts",
        /// A NUL, which ends an address: that byte.
        IllegalByte => "a NUL, which no address may hold",
        /// Three slashes in a row: the third.
        TripleSlash => "three slashes in a row",
        /// `[` without `]` in the same part: the `[`.
        UnclosedSet => "`[` without `]` in its part",
        /// `[]` or `[!]`: the `[`.
        EmptySet => "an empty set matches nothing",
        /// A range such as `[z-a]`: its first character.
        ReversedRange => "a range runs backwards",
        /// `{` without `}` in the same part: the `{`.
        UnclosedAlternatives => "an opening brace without its closing one in its part",
        /// `{` inside braces: the inner one.
        NestedBraces => "braces do not nest",
        /// `]` without `[`: the `]`.
        LoneBracket => "`]` without `[`",
        /// `}` without `{`: the `}`.
        LoneBrace => "a closing brace without its opening one",
        /// An [exact](crate::Pattern::exact) address of no bytes: byte 0.
        Empty => "an address has at least one byte",
        /// A [number](crate::Pattern::number) of 2<sup>24</sup> or more: byte 0.
        NumberTooLarge => "a number in place of an address must be below 2^24",
        /// An exact address behind a prefix with wildcards, or one without a slash behind a prefix: the
        /// end of the prefix.
        ExactBehindPattern => "an exact address needs a prefix without wildcards, and begins with `/`",
        /// A part of a route in the syntax of a web framework, `{n}`, `:n` or `<n>`: its first byte.
        WebCapture => "write `*` for a part that is captured; to use the text unchanged, pass a `Pattern`",
    }
}

impl PatternError {
    pub(crate) const fn new(kind: PatternErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// Returns the kind of the error.
    pub const fn kind(self) -> PatternErrorKind {
        self.kind
    }

    /// Returns `true` if a limit is exceeded. Then the text is not a name either.
    pub(crate) const fn is_limit(self) -> bool {
        matches!(self.kind, PatternErrorKind::TooLong | PatternErrorKind::TooManyParts)
    }

    /// Returns the byte offset, from 0.
    pub const fn position(self) -> usize {
        self.position
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.kind, self.position)
    }
}

readable! { struct PatternError { kind, position } }

impl Error for PatternError {}

/// For conversions that cannot fail.
impl From<Infallible> for PatternError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
