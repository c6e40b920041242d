//! The syntax of patterns: one pass from left to right, without an allocation, `const`.

use super::{PatternError, PatternErrorKind as Kind};

/// Default maximum length of a pattern, in bytes.
pub(super) const MAX_LEN: usize = 4096;

/// The most parts of a pattern.
pub(super) const MAX_PARTS: usize = 128;

/// The kinds of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A literal address.
    Literal,
    /// A pattern with a wildcard, a set, alternatives or `//`.
    Wild,
}

/// Checks a text: by the fast path of literal addresses, otherwise with [`parse`].
pub(super) fn judge(text: &[u8], max_len: usize) -> Result<Shape, PatternError> {
    if text.len() <= max_len && is_plain(text) {
        return Ok(Shape::Literal);
    }
    parse(text, max_len)
}

/// Returns `true` for a literal address within the part limit, with one table look-up per byte and no branch
/// on the result.
fn is_plain(text: &[u8]) -> bool {
    let (mut seen, mut doubled, mut last) = (0, 0, 0);
    for &byte in text {
        let class = CLASSES.get(usize::from(byte)).copied().unwrap_or(OTHER);
        seen |= class;
        doubled |= class & last;
        last = class;
    }
    text.first() == Some(&b'/') && seen == SLASH && doubled == 0 && has_few_parts(text)
}

/// Counts the parts of a long text only: there are no more of them than bytes.
fn has_few_parts(text: &[u8]) -> bool {
    text.len() <= MAX_PARTS || text.iter().filter(|&&byte| byte == b'/').nth(MAX_PARTS).is_none()
}

const SLASH: u8 = 1;
const OTHER: u8 = 2;

/// 0 for plain characters.
#[expect(clippy::indexing_slicing, reason = "run by the compiler")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let others = b"\0*?[]{}";
    let mut index = 0;
    while index < others.len() {
        classes[others[index] as usize] = OTHER;
        index += 1;
    }
    classes[b'/' as usize] = SLASH;
    classes
};

/// The whole grammar.
pub(super) const fn parse(text: &[u8], max_len: usize) -> Result<Shape, PatternError> {
    let [b'/', rest @ ..] = text else {
        return fail(Kind::NoLeadingSlash, 0);
    };
    if text.len() > max_len {
        return fail(Kind::TooLong, max_len);
    }
    let mut rest = rest;
    let mut shape = Shape::Literal;
    let mut parts = 1_usize;
    let mut slashes_in_a_row = 1_u8;
    while let [byte, tail @ ..] = rest {
        let position = position(text, rest);
        rest = tail;
        if *byte == b'/' {
            parts = parts.saturating_add(1);
            slashes_in_a_row = slashes_in_a_row.saturating_add(1);
            if slashes_in_a_row == 3 {
                return fail(Kind::TripleSlash, position);
            }
            if parts > MAX_PARTS {
                return fail(Kind::TooManyParts, position);
            }
            if slashes_in_a_row == 2 {
                shape = Shape::Wild;
            }
            continue;
        }
        slashes_in_a_row = 0;
        match *byte {
            b'*' | b'?' => shape = Shape::Wild,
            b'[' => {
                shape = Shape::Wild;
                rest = match behind_set(text, rest) {
                    Ok(behind) => behind,
                    Err(error) => return Err(error),
                };
            }
            b'{' => {
                shape = Shape::Wild;
                rest = match behind_alternatives(text, rest) {
                    Ok(behind) => behind,
                    Err(error) => return Err(error),
                };
            }
            b']' => return fail(Kind::LoneBracket, position),
            b'}' => return fail(Kind::LoneBrace, position),
            0 => return fail(Kind::IllegalByte, position),
            _ => {}
        }
    }
    Ok(shape)
}

/// Where the rest of a text begins.
const fn position(text: &[u8], rest: &[u8]) -> usize {
    text.len().saturating_sub(rest.len())
}

const fn fail<T: Copy>(kind: Kind, position: usize) -> Result<T, PatternError> {
    Err(PatternError::new(kind, position))
}

/// Returns the text after the set whose `[` precedes `rest`.
const fn behind_set<'a>(text: &'a [u8], rest: &'a [u8]) -> Result<&'a [u8], PatternError> {
    let open = position(text, rest).saturating_sub(1);
    let mut rest = match rest {
        [b'!', tail @ ..] => tail,
        _ => rest,
    };
    if let [b']', ..] = rest {
        return fail(Kind::EmptySet, open);
    }
    loop {
        let position = position(text, rest);
        rest = match rest {
            [b']', tail @ ..] => return Ok(tail),
            [] | [b'/', ..] | [_, b'-', b'/', ..] => {
                return fail(Kind::UnclosedSet, open);
            }
            [0, ..] => return fail(Kind::IllegalByte, position),
            [_, b'-', 0, ..] => return fail(Kind::IllegalByte, position.saturating_add(2)),
            [low, b'-', high, tail @ ..] if *high != b']' => {
                if *low > *high {
                    return fail(Kind::ReversedRange, position);
                }
                tail
            }
            [_, tail @ ..] => tail,
        };
    }
}

/// Returns the text after the alternatives whose `{` precedes `rest`.
const fn behind_alternatives<'a>(text: &'a [u8], rest: &'a [u8]) -> Result<&'a [u8], PatternError> {
    let open = position(text, rest).saturating_sub(1);
    let mut rest = rest;
    loop {
        let position = position(text, rest);
        rest = match rest {
            [] | [b'/', ..] => {
                return fail(Kind::UnclosedAlternatives, open);
            }
            [b'{', ..] => return fail(Kind::NestedBraces, position),
            [b'}', tail @ ..] => return Ok(tail),
            [0, ..] => return fail(Kind::IllegalByte, position),
            [_, tail @ ..] => tail,
        };
    }
}

/// Returns `true` if these bytes can be the address of a message: not empty, and without NUL.
pub(super) const fn check_exact(text: &[u8]) -> Result<(), PatternError> {
    if text.is_empty() {
        return fail(Kind::Empty, 0);
    }
    if text.len() > MAX_LEN {
        return fail(Kind::TooLong, MAX_LEN);
    }
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        if *byte == 0 {
            return fail(Kind::IllegalByte, position(text, rest));
        }
        rest = tail;
    }
    Ok(())
}
