//! The pattern of a route, as the program has it.

use crate::pattern::{Pattern, PatternError};

/// The pattern of a route. A `Pattern` is taken as it is; in a text, the spellings of web frameworks are
/// a mistake, since they would match themselves alone.
///
/// # Panics
/// It is not a legal pattern, or has such a spelling.
#[track_caller]
pub(super) fn route_pattern<P>(pattern: P) -> Pattern
where
    P: TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    // What converts without fail was a `Pattern` before: its error cannot exist, and has no size.
    let is_text = size_of::<P::Error>() > 0;
    let pattern = legal(pattern);
    if is_text {
        check_spelling(&pattern.to_string());
    }
    pattern
}

/// The same, whatever its spelling.
#[track_caller]
pub(super) fn legal<P>(pattern: P) -> Pattern
where
    P: TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    legal_or_panic(pattern.try_into().map_err(Into::into))
}

#[track_caller]
pub(super) fn legal_or_panic(pattern: Result<Pattern, PatternError>) -> Pattern {
    match pattern {
        Ok(pattern) => pattern,
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        Err(error) => panic!("not a legal route: {error}"),
    }
}

/// # Panics
/// A part is written as web frameworks write one that captures.
#[track_caller]
pub(super) fn check_spelling(route: &str) {
    let Some(part) = route.split('/').find(|part| is_web_capture(part)) else { return };
    let name = part.trim_matches(['{', '}']);
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    {
        panic!(
            "route {route:?}: `{part}` matches only the text `{name}`; write `*` for a part that captures, or give a \
             `Pattern` instead of a text if this is meant"
        );
    }
}

/// Whether it is `{n}`, which is a list of one alternative, or `:n` or `<n>`, which are plain text.
fn is_web_capture(part: &str) -> bool {
    let inside = |open, close| part.strip_prefix(open).and_then(|part| part.strip_suffix(close));
    inside('{', '}').is_some_and(|name| !name.contains([',', '{', '}']))
        || inside('<', '>').is_some_and(|name| !name.is_empty())
        || part.strip_prefix(':').is_some_and(|name| !name.is_empty())
}
