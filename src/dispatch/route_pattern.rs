//! The patterns of routes, from the source of the program.

use crate::pattern::{Pattern, PatternError, PatternErrorKind};
use crate::types::TextBuf;

/// Converts to the pattern of a route. A `Pattern` is used unchanged. In a text, the spellings of web
/// frameworks are refused, because such a route would match only itself.
///
/// # Panics
/// Panics if it is not a valid pattern, or has such a spelling.
#[track_caller]
pub(super) fn route_pattern<P>(pattern: P) -> Pattern
where
    P: AsRef<[u8]> + TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    let text = TextBuf::new(pattern.as_ref().to_vec());
    let pattern = legal_or_panic(&text.to_string(), pattern.try_into().map_err(Into::into));
    if is_text::<P>() {
        check_spelling(&pattern.to_string());
    }
    pattern
}

/// The same for a pattern that may be wrong.
pub(super) fn try_route_pattern<P>(pattern: P) -> Result<Pattern, PatternError>
where
    P: TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    let pattern: Pattern = pattern.try_into().map_err(Into::into)?;
    let text = pattern.to_string();
    match web_capture(&text).filter(|_| is_text::<P>()) {
        Some((at, _)) => Err(PatternError::new(PatternErrorKind::WebCapture, at)),
        None => Ok(pattern),
    }
}

/// A type that converts without an error was a `Pattern`: the error type is uninhabited and has size 0.
fn is_text<P: TryInto<Pattern>>() -> bool {
    size_of::<P::Error>() > 0
}

#[track_caller]
pub(super) fn legal_or_panic(text: &str, pattern: Result<Pattern, PatternError>) -> Pattern {
    match pattern {
        Ok(pattern) => pattern,
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        Err(error) => panic!("{text:?} is not a legal route: {error}"),
    }
}

/// # Panics
/// Panics if a part is written like a capture of a web framework.
#[track_caller]
pub(super) fn check_spelling(route: &str) {
    let Some((_, part)) = web_capture(route) else { return };
    let name = part.trim_matches(['{', '}']);
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    {
        panic!(
            "route {route:?}: `{part}` matches only the text `{name}`; write `*` for a part that captures, or give a \
             `Pattern` instead of a text if this is meant"
        );
    }
}

/// The first part of this kind, and the byte at which it begins.
fn web_capture(route: &str) -> Option<(usize, &str)> {
    let mut begin = 0;
    route.split('/').find_map(|part| {
        let at = begin;
        begin += part.len() + 1;
        is_web_capture(part).then_some((at, part))
    })
}

/// Returns `true` for `{n}`, a list of one alternative, and for `:n` and `<n>`, which are plain text.
fn is_web_capture(part: &str) -> bool {
    let inside = |open, close| part.strip_prefix(open).and_then(|part| part.strip_suffix(close));
    inside('{', '}').is_some_and(|name| !name.contains([',', '{', '}']))
        || inside('<', '>').is_some_and(|name| !name.is_empty())
        || part.strip_prefix(':').is_some_and(|name| !name.is_empty())
}
