//! Which texts are patterns: one pass from left to right, without an allocation, `const`.

use super::{PatternError, PatternErrorKind as Kind};
use crate::types::is_name_byte;

/// The longest pattern, in bytes, unless a caller sets another limit.
pub(super) const MAX_LEN: usize = 4096;

/// The most parts of a pattern.
pub(super) const MAX_PARTS: usize = 128;

/// Which bytes may stand for themselves.
#[derive(Clone, Copy)]
pub(super) enum Alphabet {
    /// What the specification allows in an address.
    Names,
    /// What a peer may send: any byte but NUL.
    Wire,
}

/// What a legal pattern asks of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// To be equal: the pattern is an address.
    Literal,
    /// More than that: there is a wildcard, a set, alternatives or `//` in it.
    Wild,
}

/// Judges a text: by the plain path that nearly all take, else by [`parse`].
pub(super) fn judge(text: &[u8], alphabet: Alphabet, max_len: usize) -> Result<Shape, PatternError> {
    if text.len() <= max_len && is_plain(text) {
        return Ok(Shape::Literal);
    }
    parse(text, alphabet, max_len)
}

/// Whether this is a literal address within the part limit: one table look-up per byte and no
/// branch on what it gives.
fn is_plain(text: &[u8]) -> bool {
    let (mut seen, mut doubled, mut parts, mut last) = (0, 0, 0, 0);
    for &byte in text {
        let class = CLASSES[usize::from(byte)];
        seen |= class;
        doubled |= class & last;
        parts += usize::from(class & SLASH);
        last = class;
    }
    text.first() == Some(&b'/') && seen == SLASH && doubled == 0 && parts <= MAX_PARTS
}

const SLASH: u8 = 1;
const OTHER: u8 = 2;

/// 0 for what a name is made of.
const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        if is_name_byte(byte) {
            classes[byte as usize] = 0;
        }
        byte += 1;
    }
    classes[b'/' as usize] = SLASH;
    classes
};

/// The whole grammar. A position is what has been read: `text.len() - rest.len()`.
pub(super) const fn parse(text: &[u8], alphabet: Alphabet, max_len: usize) -> Result<Shape, PatternError> {
    let [b'/', rest @ ..] = text else {
        return fail(Kind::NoLeadingSlash, 0);
    };
    if text.len() > max_len {
        return fail(Kind::TooLong, max_len);
    }
    let mut rest = rest;
    let mut shape = Shape::Literal;
    let mut parts = 1;
    let mut slashes_in_a_row = 1;
    while let [byte, tail @ ..] = rest {
        let position = text.len() - rest.len();
        rest = tail;
        if *byte == b'/' {
            parts += 1;
            slashes_in_a_row += 1;
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
                rest = match behind_set(text, rest, alphabet) {
                    Ok(behind) => behind,
                    Err(error) => return Err(error),
                };
            }
            b'{' => {
                shape = Shape::Wild;
                rest = match behind_alternatives(text, rest, alphabet) {
                    Ok(behind) => behind,
                    Err(error) => return Err(error),
                };
            }
            b']' => return fail(Kind::LoneBracket, position),
            b'}' => return fail(Kind::LoneBrace, position),
            other if is_allowed(other, alphabet) => {}
            _ => return fail(Kind::IllegalByte, position),
        }
    }
    Ok(shape)
}

const fn fail<T: Copy>(kind: Kind, position: usize) -> Result<T, PatternError> {
    Err(PatternError::new(kind, position))
}

/// What follows the `]` of the set whose `[` lies just before `rest`.
const fn behind_set<'a>(
    text: &'a [u8],
    rest: &'a [u8],
    alphabet: Alphabet,
) -> Result<&'a [u8], PatternError> {
    let open = text.len() - rest.len() - 1;
    let mut rest = match rest {
        [b'!', tail @ ..] => tail,
        _ => rest,
    };
    if let [b']', ..] = rest {
        return fail(Kind::EmptySet, open);
    }
    loop {
        let position = text.len() - rest.len();
        rest = match rest {
            [b']', tail @ ..] => return Ok(tail),
            [] | [b'/', ..] | [_, b'-', b'/', ..] => {
                return fail(Kind::UnclosedSet, open);
            }
            [low, b'-', high, tail @ ..] if *high != b']' => {
                if !is_quotable(*high, alphabet) {
                    return fail(Kind::IllegalByte, position + 2);
                }
                if *low > *high {
                    return fail(Kind::ReversedRange, position);
                }
                if !is_quotable(*low, alphabet) {
                    return fail(Kind::IllegalByte, position);
                }
                tail
            }
            [byte, tail @ ..] => {
                if !is_quotable(*byte, alphabet) {
                    return fail(Kind::IllegalByte, position);
                }
                tail
            }
        };
    }
}

/// What follows the `}` of the alternatives whose `{` lies just before `rest`.
const fn behind_alternatives<'a>(
    text: &'a [u8],
    rest: &'a [u8],
    alphabet: Alphabet,
) -> Result<&'a [u8], PatternError> {
    let open = text.len() - rest.len() - 1;
    let mut rest = rest;
    loop {
        let position = text.len() - rest.len();
        rest = match rest {
            [] | [b'/', ..] => {
                return fail(Kind::UnclosedAlternatives, open);
            }
            [b'{', ..] => return fail(Kind::NestedBraces, position),
            [b'}', tail @ ..] => return Ok(tail),
            [b',', tail @ ..] => tail,
            [byte, tail @ ..] => {
                if !is_quotable(*byte, alphabet) {
                    return fail(Kind::IllegalByte, position);
                }
                tail
            }
        };
    }
}

const fn is_allowed(byte: u8, alphabet: Alphabet) -> bool {
    match alphabet {
        Alphabet::Names => is_name_byte(byte),
        Alphabet::Wire => byte != 0,
    }
}

/// Inside brackets and braces the pattern characters stand for themselves.
const fn is_quotable(byte: u8, alphabet: Alphabet) -> bool {
    is_allowed(byte, alphabet) || matches!(byte, b'*' | b'?' | b'[' | b']' | b'{' | b'}')
}
