//! Addresses and address patterns.
//!
//! A route may be an address or a pattern, and so may the address of a received message. A route matches if
//! the two [share](Pattern::overlaps) at least one address.
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

// No byte of a peer may reach a panic. Tests may: a panic is how they fail.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

// `syntax` checks which texts are patterns; `part` and `token` parse them, by slashes and by bytes; `align`,
// `segment` and `path` match. A text is validated on construction, then matched directly. Nothing is
// compiled, so a pattern is as cheap to create, store and clone as its text.

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
use syntax::{MAX_LEN, MAX_PARTS};

#[doc(inline)]
pub use crate::types::Address;
pub use error::{PatternError, PatternErrorKind};
pub(crate) use part::{Part, Parts};
pub(crate) use path::{overlap, spans};
pub(crate) use syntax::Shape;

/// An address pattern: the addresses of a message or a route.
///
/// | in a part | matches |
/// | --- | --- |
/// | `?` | any one byte |
/// | `*` | any run of bytes, the empty one included |
/// | `[a-z_]` | one byte of the set; `[!a-z]` one that is not in it |
/// | `{low,high}` | one of the strings, which are plain text and may be empty |
///
/// Any other byte matches itself. A name may hold any byte except NUL, as in `/surfaces/Quad 1/opacity`, `/my,thing`
/// or `/track/#1`. A `-` at the start or end of a set, and a comma in it, are literal: `[a,b]` matches `a`, `b` or `,`.
///
/// A pattern matches the whole address, and none of these matches a `/`. Only `//` (OSC 1.1) does: between parts it
/// matches any number of parts, including none; at the end it matches one part or more. `//` alone matches every
/// address, even one without a slash.
///
/// A name that contains brackets, braces or wildcards, and an address without a leading slash, is an
/// [`exact`](Self::exact) pattern.
///
/// Matching takes at most the length of the pattern times the length of the address, for any pattern, without
/// backtracking or recursion. A pattern has at most [`MAX_LEN`](Self::MAX_LEN) bytes and
/// [`MAX_PARTS`](Self::MAX_PARTS) parts. Cloning increments a reference count.
///
/// ```
/// use tokio_osc::{Address, Pattern};
///
/// const VOICES: Pattern = Pattern::literal("/synth/[1-4]/{freq,gain}");   // the compiler checks it
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
    is_exact: bool,
}

impl Pattern {
    /// Maximum length of a pattern, in bytes.
    pub const MAX_LEN: usize = MAX_LEN;

    /// Maximum number of parts of a pattern.
    pub const MAX_PARTS: usize = MAX_PARTS;

    /// Creates a pattern.
    ///
    /// # Errors
    /// Returns an error if it does not begin with `/`, has an unbalanced bracket or brace or another fault of
    /// [`PatternErrorKind`], contains a NUL, or exceeds a limit.
    pub fn new(text: impl Into<Bytes>) -> Result<Self, PatternError> {
        Self::within(text.into(), MAX_LEN)
    }

    /// Creates a pattern from a literal. In a constant, the compiler checks it. It needs no memory of its
    /// own.
    ///
    /// ```compile_fail
    /// const BROKEN: tokio_osc::Pattern = tokio_osc::Pattern::literal("/mixer/[1-");
    /// ```
    ///
    /// # Panics
    /// Outside of a constant, panics with the error of [`Pattern::new`].
    #[track_caller]
    pub const fn literal(text: &'static str) -> Self {
        match syntax::parse(text.as_bytes(), MAX_LEN) {
            Ok(shape) => Self {
                text: Bytes::from_static(text.as_bytes()),
                is_literal: matches!(shape, Shape::Literal),
                is_exact: false,
            },
            #[expect(clippy::panic, reason = "the way to an error of the compiler")]
            Err(error) => panic!("{}", error.kind().text()),
        }
    }

    /// Creates a pattern of exactly these bytes, without wildcards. The leading slash is optional.
    ///
    /// An exact route, subscription or request matches only messages with the same bytes as their address. In
    /// OSC, `/layers[12]/x` in a message is a pattern, and matches the routes `/layers1/x` and `/layers2/x`.
    /// If a router has an exact route of the same bytes, the message is a name instead: it matches this
    /// route, and routes that match the name byte for byte, such as `/*/x`. A pattern sent by a peer never
    /// matches an exact route otherwise.
    ///
    /// ```
    /// use tokio_osc::{Pattern, Router};
    ///
    /// let router = Router::new()
    ///     .route(Pattern::exact("/layers[12]/x"), || println!("the layer of this name"))
    ///     .route("/layers1/x", || println!("not for /layers[12]/x"))
    ///     .route(Pattern::exact("node"), || println!("on channels that accept bare addresses"));
    /// ```
    ///
    /// # Panics
    /// Panics with the error of [`try_exact`](Pattern::try_exact). In a constant, this is a compiler error.
    #[track_caller]
    pub const fn exact(address: &'static str) -> Self {
        match syntax::check_exact(address.as_bytes()) {
            Ok(()) => Self::exact_of(Bytes::from_static(address.as_bytes())),
            #[expect(clippy::panic, reason = "the way to an error of the compiler")]
            Err(error) => panic!("{}", error.kind().text()),
        }
    }

    /// Same as [`exact`](Pattern::exact), for an address that is known only at run time.
    ///
    /// # Errors
    /// Returns an error if it is empty, contains a NUL, or is longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn try_exact(address: impl Into<Bytes>) -> Result<Self, PatternError> {
        let text = address.into();
        syntax::check_exact(&text)?;
        Ok(Self::exact_of(text))
    }

    /// Creates the pattern of a number in place of an address, as `SuperCollider` sends commands: see
    /// [`Message::numeric_address`](crate::Message::numeric_address). It is exact.
    ///
    /// ```
    /// use tokio_osc::{Args, Pattern, Router};
    ///
    /// const SYNC: u32 = 52;
    /// let sync = Pattern::number(SYNC)?;
    /// let router = Router::new().route(sync, |Args(id): Args<i32>| ("/synced", id));
    /// # Ok::<(), tokio_osc::pattern::PatternError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the number is not below 2<sup>24</sup>.
    pub fn number(number: u32) -> Result<Self, PatternError> {
        match number.to_be_bytes() {
            bytes @ [0, ..] => Ok(Self::exact_of(Bytes::copy_from_slice(&bytes))),
            _ => Err(PatternError::new(PatternErrorKind::NumberTooLarge, 0)),
        }
    }

    /// Creates a pattern with another limit of bytes.
    pub(crate) fn within(text: Bytes, max_len: usize) -> Result<Self, PatternError> {
        let shape = syntax::judge(&text, max_len)?;
        Ok(Self { text, is_literal: shape == Shape::Literal, is_exact: false })
    }

    const fn exact_of(text: Bytes) -> Self {
        Self { text, is_literal: true, is_exact: true }
    }

    /// Prepends a prefix, which is a pattern or empty.
    pub(crate) fn behind(&self, prefix: &str) -> Result<Self, PatternError> {
        if prefix.is_empty() {
            return Ok(self.clone());
        }
        let text = [prefix.as_bytes(), &self.text].concat();
        if !self.is_exact {
            return Self::new(text);
        }
        // Exact bytes after wildcards would be a route that nothing matches.
        if !self.text.starts_with(b"/") || !Self::new(prefix.to_owned())?.is_literal {
            return Err(PatternError::new(PatternErrorKind::ExactBehindPattern, prefix.len()));
        }
        Self::try_exact(text)
    }

    /// Returns `true` if the pattern matches the address.
    ///
    /// The bytes of the address are taken literally. The address of a received message may be a pattern
    /// itself: use [`overlaps`](Self::overlaps) for it.
    pub fn matches(&self, address: &Address) -> bool {
        self.matches_bytes(address.as_bytes())
    }

    pub(crate) fn matches_bytes(&self, address: &[u8]) -> bool {
        if self.is_literal {
            return self.text == address;
        }
        if !address.starts_with(b"/") {
            return self.parts().eq([Part::Descend, Part::Any]);
        }
        path::matches(self.parts(), address)
    }

    /// Returns `true` if some address matches both patterns.
    ///
    /// Here an address consists of any bytes except NUL and the six characters `* ? [ ] { }`, which would
    /// make it a pattern. So `/[!a]` overlaps `/[!b]`, and `/[*]` overlaps nothing. An [`exact`](Self::exact)
    /// pattern overlaps only the same bytes.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.is_exact || other.is_exact {
            return self.text == other.text;
        }
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

    /// Returns, for each part that is not plain text, the corresponding part of the address, in order; for
    /// `//` the parts joined by `/`, as few as possible, from the left. One empty part cannot be
    /// distinguished from none. `None` if the address does not match, or has no slash.
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
        if self.is_exact {
            return (self.text == address).then(Vec::new);
        }
        path::captures(&self.parts(), self.text.ends_with(b"//"), address)
    }

    /// Returns `true` if the pattern is a literal address, which matches only itself.
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Returns `true` if it matches only its own bytes: see [`exact`](Self::exact).
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Merges each run of stars to one star, so that extra stars cost no time at each route.
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
        Cow::Owned(Self { text: text.into(), is_literal: false, is_exact: false })
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts::new(&self.text)
    }

    /// Returns `true` if the pattern matches any address at all.
    pub(crate) fn is_satisfiable(&self) -> bool {
        self.is_literal || self.parts().all(Part::is_satisfiable)
    }
}

/// Parses a text without allocating.
///
/// A received address that is not a valid pattern is a name, unless it exceeds a limit.
pub(crate) fn check(text: &[u8]) -> Result<Shape, PatternError> {
    syntax::judge(text, MAX_LEN)
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

impl TryFrom<&String> for Pattern {
    type Error = PatternError;

    fn try_from(text: &String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::new(text)
    }
}

impl AsRef<[u8]> for Pattern {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

shared_text!(Pattern, text);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;

    use super::{Pattern, PatternErrorKind, Shape, check};

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
            let pattern = Pattern::new(Bytes::from_static(text)).unwrap();
            assert!(pattern.matches_bytes(address), "{pattern}");
            let address = Pattern::new(Bytes::from_static(address)).unwrap();
            assert!(address.is_literal() && pattern.overlaps(&address), "{pattern} {address}");
        }
        assert_eq!(check(b"/a b"), Ok(Shape::Literal));
        assert_eq!(check(b"/a *"), Ok(Shape::Wild));
        for nul in [&b"/a\0"[..], b"/[\0]", b"/{\0}", b"/[!-\0]"] {
            assert_eq!(check(nul).unwrap_err().kind(), PatternErrorKind::IllegalByte);
        }
    }

    #[test]
    fn the_plain_path_and_the_grammar_agree() {
        let shape = |text: &[u8]| super::syntax::parse(text, Pattern::MAX_LEN);
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
        let within = |len| Pattern::within(Bytes::from("/".to_owned() + &"?".repeat(9)), len);
        assert!(within(10).is_ok());
        assert_eq!(within(9).unwrap_err().position(), 9);
    }

    #[test]
    fn runs_of_stars_are_made_one_where_they_are_wildcards() {
        for (text, single) in
            [("/a/*", "/a/*"), ("/**/a***b", "/*/a*b"), ("/**[)-**-z]**{**,a}***", "/*[)-**-z]*{**,a}*")]
        {
            let pattern = Pattern::new(Bytes::from_static(text.as_bytes())).unwrap();
            assert_eq!(pattern.with_single_stars().as_text(), single);
        }
    }
}
