//! Addresses and address patterns: which messages are for whom.
//!
//! A route may be an address or a pattern, and so may the address of a message that arrives: the two
//! meet if they [share](Pattern::overlaps) at least one address.
//!
//! ```
//! use tokio_osc::{Address, Pattern};
//!
//! let gains = Pattern::new("/mixer/*/gain")?;
//! let address = Address::new("/mixer/7/gain").expect("a literal address");
//! assert!(gains.matches(&address));
//! assert!(gains.overlaps(&Pattern::new("/mixer/{1,2}/*")?));
//! assert!(!gains.overlaps(&Pattern::new("/mixer/7/pan")?));
//! # Ok::<(), tokio_osc::pattern::PatternError>(())
//! ```

// `syntax` says which texts are patterns; `part` and `token` read them, by slashes and by bytes; `align`,
// `segment` and `path` match. The text is validated on construction, then matched against directly:
// nothing is compiled, so that a pattern is as cheap to make, to keep and to clone as its text.

mod align;
mod error;
mod part;
mod path;
mod segment;
mod syntax;
mod token;

use std::borrow::Cow;
use std::str::FromStr;

use bytes::Bytes;

use crate::types::{Text, shared_text};
use syntax::{Alphabet, MAX_LEN, MAX_PARTS};

#[doc(inline)]
pub use crate::types::Address;
pub use error::{PatternError, PatternErrorKind};
pub(crate) use part::{Part, Parts};
pub(crate) use path::{overlap, spans};
pub(crate) use syntax::Shape;

/// An address pattern: which addresses a message is for, or a route answers.
///
/// | in a part | matches |
/// | --- | --- |
/// | `?` | any one character |
/// | `*` | any run of characters, the empty one included |
/// | `[a-z_]` | one character of the set; `[!a-z]` one that is not in it |
/// | `{low,high}` | one of the strings, which are plain text and may be empty |
///
/// and anything else itself. Nothing of it crosses a `/`, and a pattern matches whole addresses.
/// Only `//` (OSC 1.1) does: it stands for any number of parts, none included, and at the end for
/// everything below, one part at least. In a set, `-` first or last is itself.
///
/// A match takes time in proportion to pattern length times address length at most, whatever the
/// pattern: there is no backtracking and no recursion. A pattern has at most
/// [`MAX_LEN`](Self::MAX_LEN) bytes and [`MAX_PARTS`](Self::MAX_PARTS) parts. Cloning is a reference
/// count.
///
/// ```
/// use tokio_osc::{Address, Pattern};
///
/// const VOICES: Pattern = Pattern::literal("/synth/[1-4]/{freq,gain}"); // checked by the compiler
///
/// let gain = Address::new("/synth/2/gain").expect("a literal address");
/// assert!(VOICES.matches(&gain));
/// assert_eq!(VOICES.captures(&gain).expect("a match"), ["2", "gain"]);
///
/// let everywhere = Pattern::new("//gain")?;
/// assert!(everywhere.matches(&gain));
/// assert!(everywhere.overlaps(&VOICES));
/// # Ok::<(), tokio_osc::pattern::PatternError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Bytes,
    is_literal: bool,
}

impl Pattern {
    /// The longest pattern, in bytes.
    pub const MAX_LEN: usize = MAX_LEN;

    /// The most parts of a pattern.
    pub const MAX_PARTS: usize = MAX_PARTS;

    /// A pattern of this text.
    ///
    /// # Errors
    /// It breaks the grammar, or holds a character that no address may hold (space, `#`, a comma
    /// outside braces, a control character, anything but ASCII), or is over a limit.
    pub fn new(text: impl Into<Bytes>) -> Result<Self, PatternError> {
        Self::judged(text.into(), Alphabet::Names, MAX_LEN)
    }

    /// A pattern that the compiler checks when this stands in a constant; it needs no memory of
    /// its own.
    ///
    /// ```compile_fail
    /// const BROKEN: tokio_osc::Pattern = tokio_osc::Pattern::literal("/mixer/[1-");
    /// ```
    ///
    /// # Panics
    /// Outside a constant, with what [`Pattern::new`] would have returned as an error.
    #[track_caller]
    pub const fn literal(text: &'static str) -> Self {
        match syntax::parse(text.as_bytes(), Alphabet::Names, MAX_LEN) {
            Ok(shape) => Self {
                text: Bytes::from_static(text.as_bytes()),
                is_literal: matches!(shape, Shape::Literal),
            },
            #[expect(clippy::panic, reason = "the way to an error of the compiler")]
            Err(error) => panic!("{}", error.kind().text()),
        }
    }

    /// The pattern of a received message, which may hold any byte but NUL.
    pub(crate) fn from_wire(text: Bytes) -> Result<Self, PatternError> {
        Self::judged(text, Alphabet::Wire, MAX_LEN)
    }

    /// [`from_wire`](Self::from_wire) with another limit.
    #[cfg(test)]
    pub(crate) fn from_wire_within(text: Bytes, max_len: usize) -> Result<Self, PatternError> {
        Self::judged(text, Alphabet::Wire, max_len)
    }

    fn judged(text: Bytes, alphabet: Alphabet, max_len: usize) -> Result<Self, PatternError> {
        let shape = syntax::judge(&text, alphabet, max_len)?;
        Ok(Self { text, is_literal: shape == Shape::Literal })
    }

    /// Whether this address is one that the pattern stands for.
    ///
    /// The bytes of the address count as they are. The address of a received message may itself be
    /// a pattern: [`overlaps`](Self::overlaps) is the question to ask then.
    pub fn matches(&self, address: &Address) -> bool {
        self.matches_bytes(address.as_bytes())
    }

    pub(crate) fn matches_bytes(&self, address: &[u8]) -> bool {
        if self.is_literal {
            return self.text == address;
        }
        path::matches(self.parts(), address)
    }

    /// Whether some address matches both patterns.
    ///
    /// An address is here what a message can carry: any bytes but NUL and the six characters
    /// `* ? [ ] { }`, which would make it a pattern. So `/[!a]` overlaps `/[!b]`, and `/[*]` overlaps
    /// nothing.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.is_literal {
            return other.matches_bytes(&self.text);
        }
        if other.is_literal {
            return self.matches_bytes(&other.text);
        }
        self.is_satisfiable()
            && other.is_satisfiable()
            && overlap(self.parts(), &other.parts().collect::<Vec<_>>())
    }

    /// What an address has in the place of each part that is not plain text, in order: the name, or
    /// for `//` the names joined by `/`, as few as make a match, from the left; one empty name
    /// reads like none. `None` if it does not match.
    ///
    /// ```
    /// use tokio_osc::{Address, Pattern};
    ///
    /// let pattern = Pattern::new("/mixer//channel?/gain")?;
    /// let address = Address::new("/mixer/left/bus/channel4/gain").expect("a literal address");
    /// assert_eq!(pattern.captures(&address).expect("a match"), ["left/bus", "channel4"]);
    /// # Ok::<(), tokio_osc::pattern::PatternError>(())
    /// ```
    pub fn captures<'a>(&self, address: &'a Address) -> Option<Vec<Text<'a>>> {
        self.captures_of(address.as_bytes())
    }

    pub(crate) fn captures_of<'a>(&self, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
        path::captures(&self.parts(), self.text.ends_with(b"//"), address)
    }

    /// Whether the pattern is an address: it matches itself and nothing else.
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// The same with each run of stars made one, so that the extra stars do not cost time at each route.
    pub(crate) fn with_single_stars(&self) -> Cow<'_, Self> {
        if !self.text.windows(2).any(|pair| pair == b"**") {
            return Cow::Borrowed(self);
        }
        let mut text = self.text.to_vec();
        let mut inside_until = None;
        text.dedup_by(|byte, last| {
            if let Some(end) = inside_until {
                inside_until = (*byte != end).then_some(end);
                return false;
            }
            inside_until = match *byte {
                b'[' => Some(b']'),
                b'{' => Some(b'}'),
                _ => None,
            };
            *byte == b'*' && *last == b'*'
        });
        Cow::Owned(Self { text: text.into(), is_literal: false })
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts::new(&self.text)
    }

    /// Whether the pattern matches any address at all.
    pub(crate) fn is_satisfiable(&self) -> bool {
        self.is_literal || self.parts().all(Part::is_satisfiable)
    }
}

/// Whether a text may go out as the address of a message: what [`Pattern::new`] accepts. It says so
/// without allocating anything.
pub(crate) fn check(text: &[u8]) -> Result<Shape, PatternError> {
    syntax::judge(text, Alphabet::Names, MAX_LEN)
}

/// Whether the address of a received message is literal or a pattern, or no legal pattern.
pub(crate) fn shape_of_received(text: &[u8]) -> Result<Shape, PatternError> {
    syntax::judge(text, Alphabet::Wire, MAX_LEN)
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<&str> for Pattern {
    type Error = PatternError;

    fn try_from(text: &str) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::new(text)
    }
}

shared_text!(Pattern, text);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;

    use super::{Pattern, PatternErrorKind, Shape, check, shape_of_received};

    #[test]
    fn a_received_pattern_may_hold_any_byte_but_nul() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"/a b", b"/a b"),
            (b"/a?b", b"/a b"),
            (b"/[!x]", b"/\xff"),
            (b"/caf\xe9/*", b"/caf\xe9/#,"),
            (b"/{a b,c}", b"/a b"),
            (b"/[ -&]", b"/#"),
        ];
        for (text, address) in cases {
            let pattern = Pattern::from_wire(Bytes::from_static(text)).unwrap();
            assert!(pattern.matches_bytes(address), "{pattern}");
            let address = Pattern::from_wire(Bytes::from_static(address)).unwrap();
            assert!(address.is_literal() && pattern.overlaps(&address), "{pattern} {address}");
        }
        assert_eq!(shape_of_received(b"/a b"), Ok(Shape::Literal));
        assert_eq!(shape_of_received(b"/a *"), Ok(Shape::Wild));
        for nul in [&b"/a\0"[..], b"/[\0]", b"/{\0}", b"/[!-\0]"] {
            assert_eq!(shape_of_received(nul).unwrap_err().kind(), PatternErrorKind::IllegalByte);
        }
    }

    #[test]
    fn the_plain_path_and_the_grammar_agree() {
        let shape = |text: &[u8]| super::syntax::parse(text, super::Alphabet::Names, Pattern::MAX_LEN);
        let deepest = b"/a".repeat(Pattern::MAX_PARTS);
        let deeper = b"/a".repeat(Pattern::MAX_PARTS + 1);
        let texts: [&[u8]; 9] = [b"", b"/", b"a", b"/a/", b"//", b"/a//b", b"///", &deepest, &deeper];
        for text in texts {
            assert_eq!(check(text), shape(text));
        }
        for byte in 0..=255 {
            for text in [[b'/', byte, b'a'], [b'/', b'a', byte], [byte, b'/', b'a']] {
                assert_eq!(check(&text), shape(&text), "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn another_limit_holds_on_both_sides() {
        let within = |len| Pattern::from_wire_within(Bytes::from("/".to_owned() + &"?".repeat(9)), len);
        assert!(within(10).is_ok());
        assert_eq!(within(9).unwrap_err().position(), 9);
    }

    #[test]
    fn runs_of_stars_are_made_one_where_they_are_wildcards() {
        for (text, single) in
            [("/a/*", "/a/*"), ("/**/a***b", "/*/a*b"), ("/**[)-**-z]**{**,a}***", "/*[)-**-z]*{**,a}*")]
        {
            let pattern = Pattern::from_wire(Bytes::from_static(text.as_bytes())).unwrap();
            assert_eq!(pattern.with_single_stars().as_text(), single);
        }
    }
}
