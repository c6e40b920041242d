//! One part of a pattern against a name, or against a part of another pattern.
//!
//! Without alternatives a name is matched by the greedy walk. Else the part moves over a *track*:
//! the bytes of a name, or the states of another part. A row of bits holds every place on the track
//! that the part read so far can reach, and each token maps the row to the next one. All moves go
//! forward, so a token costs one pass over the track at most: length by length in all, with no
//! recursion and nothing to take back.
//!
//! ```text
//! a{b,bc}*d against abcd            place  0 a 1 b 2 c 3 d 4
//!   at first                               1   0   0   0   0
//!   a          one byte on                 0   1   0   0   0
//!   {b,bc}     each from the same row      0   0   1   1   0
//!   *          all to the right            0   0   1   1   1
//!   d          one byte on                 0   0   0   0   1     the last place: it matches
//! ```

use super::align::align;
use super::token::{ByteSet, Class, Token, Tokens};

/// Returns `true` if a part matches a name.
pub(super) fn matches(part: &[u8], name: &[u8]) -> bool {
    // Most names that do not match fail at the plain bytes on either end, without a look at the tokens. A last
    // byte that closes nothing and is not a wildcard stands for itself.
    let is_plain = |last: &u8| !matches!(last, b'*' | b'?' | b']' | b'}');
    if part.last().is_some_and(|last| is_plain(last) && name.last() != Some(last)) {
        return false;
    }
    let Some((part, name)) = strip_plain(part, name) else { return false };
    if part.contains(&b'{') && Tokens(part).any(|token| matches!(token, Token::Alternatives(_))) {
        return matches_with_alternatives(part, name);
    }
    let steps = Tokens(part).map(|token| match token {
        Token::One(class) => Some(class),
        Token::Run | Token::Alternatives(_) => None,
    });
    align(steps, name.iter(), |class, &byte| class.contains(byte))
}

/// Strips the plain bytes that a part begins with. `None` if the name does not begin with them.
fn strip_plain<'a>(mut part: &'a [u8], mut name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    while let Some((first, rest)) = part.split_first().filter(|(first, _)| !is_wild(**first)) {
        name = name.split_first().filter(|(other, _)| *other == first)?.1;
        part = rest;
    }
    Some((part, name))
}

fn is_wild(byte: u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[' | b'{')
}

fn matches_with_alternatives(part: &[u8], name: &[u8]) -> bool {
    let Some((before, mut list, behind)) = as_alternatives(part) else {
        return sweep(part, &Name::new(name, part.len()));
    };
    let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    middle.is_some_and(|middle| list.any(|alternative| alternative == middle))
}

/// Splits a part with a single list of alternatives: the text before it, the alternatives, and the text after
/// it.
pub(super) fn as_alternatives(part: &[u8]) -> Option<(&[u8], impl Iterator<Item = &[u8]>, &[u8])> {
    let open = part.iter().position(|&byte| is_wild(byte)).filter(|&at| part.get(at) == Some(&b'{'))?;
    let close = part.iter().position(|&byte| byte == b'}')?;
    let (before, _) = part.split_at_checked(open)?;
    let list = part.get(open..close)?.strip_prefix(b"{")?;
    let behind = part.get(close..)?.strip_prefix(b"}")?;
    (!behind.iter().any(|&byte| is_wild(byte))).then(|| (before, alternatives(list), behind))
}

/// Returns `true` if some name matches both parts.
pub(super) fn overlaps(part: &[u8], other: &[u8]) -> bool {
    sweep(part, &Program::new(other))
}

/// Returns `true` if any name matches: `[*]` requires a byte that no address contains.
pub(super) fn is_satisfiable(part: &[u8]) -> bool {
    let is_addressable = |&byte: &u8| !Class::Byte(byte).bytes().is_empty();
    Tokens(part).all(|token| match token {
        // Outside of brackets and braces a pattern holds only bytes that stand for themselves.
        Token::One(Class::Byte(_) | Class::Any) | Token::Run => true,
        Token::One(class) => !class.bytes().is_empty(),
        Token::Alternatives(list) => alternatives(list).any(|one| one.iter().all(is_addressable)),
    })
}

/// The strings of `{…}`.
pub(super) fn alternatives(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
}

/// The track of a part: places 0 to `end`, and the transitions of a row of places.
trait Track {
    fn end(&self) -> usize;
    /// Adds the places reached without reading.
    fn settle(&self, row: &mut [u64]);
    /// Reads one byte of a class.
    fn step(&self, row: &mut [u64], class: Class<'_>);
    /// Reads any run of bytes.
    fn run(&self, row: &mut [u64]);
}

fn sweep(part: &[u8], track: &impl Track) -> bool {
    match track.end() / 64 {
        0 => sweep_rows(part, track, &[0; 1]),
        more => sweep_rows(part, track, &vec![0; more.saturating_add(1)]),
    }
}

fn sweep_rows<R>(part: &[u8], track: &impl Track, empty: &R) -> bool
where
    R: Clone + AsRef<[u64]> + AsMut<[u64]>,
{
    let (mut row, mut before, mut behind) = (empty.clone(), empty.clone(), empty.clone());
    insert(row.as_mut(), 0);
    track.settle(row.as_mut());
    for token in Tokens(part) {
        match token {
            Token::One(class) => track.step(row.as_mut(), class),
            Token::Run => track.run(row.as_mut()),
            Token::Alternatives(list) => {
                // Each alternative starts where the token starts, and the resulting rows are united. Applying
                // them one after the other to the same row would read them as a sequence.
                before.clone_from(&row);
                behind.clone_from(empty);
                for alternative in alternatives(list) {
                    row.clone_from(&before);
                    for &byte in alternative {
                        track.step(row.as_mut(), Class::Byte(byte));
                        // A failed alternative costs the bytes read so far, not a pass for each byte.
                        if is_empty(row.as_ref()) {
                            break;
                        }
                    }
                    for (word, reached) in behind.as_mut().iter_mut().zip(row.as_ref()) {
                        *word |= reached;
                    }
                }
                row.clone_from(&behind);
            }
        }
        if is_empty(row.as_ref()) {
            return false;
        }
    }
    contains(row.as_ref(), track.end())
}

/// A name: place `j` lies before its byte `j`.
struct Name<'a> {
    text: &'a [u8],
    /// For a name that one word holds, where each byte lies in it; made only for a long part.
    places: Vec<u64>,
}

impl<'a> Name<'a> {
    fn new(text: &'a [u8], part_len: usize) -> Self {
        let mut places = Vec::new();
        if text.len() < 64 && part_len > 256 {
            places.resize(256, 0);
            for (place, &byte) in text.iter().enumerate() {
                insert(places.get_mut(usize::from(byte)..).unwrap_or_default(), place);
            }
        }
        Self { text, places }
    }
}

impl Track for Name<'_> {
    fn end(&self) -> usize {
        self.text.len()
    }

    fn settle(&self, _: &mut [u64]) {}

    fn step(&self, row: &mut [u64], class: Class<'_>) {
        if let (Class::Byte(byte), [word]) = (class, &mut *row) {
            if let Some(places) = self.places.get(usize::from(byte)) {
                *word = (*word & places) << 1;
                return;
            }
        }
        let mut chunks = self.text.chunks(64);
        let mut carry = 0;
        for word in row {
            let chunk = chunks.next().unwrap_or_default();
            // Only occupied places are checked, which are few in a long name.
            let mut rest = *word;
            let mut hits = 0;
            while rest != 0 {
                let bit = rest & rest.wrapping_neg();
                rest ^= bit;
                if chunk.get(bit.trailing_zeros() as usize).is_some_and(|&byte| class.contains(byte)) {
                    hits |= bit;
                }
            }
            *word = hits << 1 | carry;
            carry = hits >> 63;
        }
    }

    fn run(&self, row: &mut [u64]) {
        let mut reached = false;
        for word in row {
            // `x | -x` holds the lowest place and all above it; the words behind are full.
            *word = if reached { u64::MAX } else { *word | word.wrapping_neg() };
            reached |= *word != 0;
        }
    }
}

/// A part as a machine: place `j` is the state before its node `j`.
struct Program(Vec<PartNode>);

enum PartNode {
    /// Reads a byte of the set and goes on.
    Take(ByteSet),
    /// Reads any run of bytes and goes on.
    Run,
    /// Continues here or at the other place.
    Fork(usize),
    /// Goes on at the other place.
    Jump(usize),
}

impl Program {
    fn new(part: &[u8]) -> Self {
        let mut nodes = Vec::with_capacity(part.len());
        for token in Tokens(part) {
            match token {
                Token::One(class) => nodes.push(PartNode::Take(class.bytes())),
                Token::Run => nodes.push(PartNode::Run),
                Token::Alternatives(list) => push_alternatives(&mut nodes, list),
            }
        }
        Self(nodes)
    }

    /// Adds all places reached from the row over nodes that may be skipped. Moves only go forward, so one
    /// pass finds all.
    fn follow(&self, row: &mut [u64], may_pass: impl Fn(&PartNode) -> bool) {
        for (place, node) in self.0.iter().enumerate() {
            if !contains(row, place) {
                continue;
            }
            let goes_on = match node {
                PartNode::Take(_) | PartNode::Run => may_pass(node),
                PartNode::Fork(_) => true,
                PartNode::Jump(_) => false,
            };
            if goes_on {
                insert(row, place.saturating_add(1));
            }
            if let PartNode::Fork(other) | PartNode::Jump(other) = *node {
                insert(row, other);
            }
        }
    }
}

/// Each alternative but the last is its bytes between a fork to the next one and a jump to the end.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a list has one alternative at least, and the nodes are at most twice the bytes of a pattern"
)]
fn push_alternatives(nodes: &mut Vec<PartNode>, list: &[u8]) {
    let commas = alternatives(list).count() - 1;
    let end = nodes.len() + list.len() + commas;
    for (index, alternative) in alternatives(list).enumerate() {
        let takes = alternative.iter().map(|&byte| PartNode::Take(Class::Byte(byte).bytes()));
        if index == commas {
            nodes.extend(takes);
        } else {
            nodes.push(PartNode::Fork(nodes.len() + alternative.len() + 2));
            nodes.extend(takes);
            nodes.push(PartNode::Jump(end));
        }
    }
}

impl Track for Program {
    fn end(&self) -> usize {
        self.0.len()
    }

    fn settle(&self, row: &mut [u64]) {
        self.follow(row, |node| matches!(node, PartNode::Run));
    }

    /// Backwards, so that a place is read before it is written.
    fn step(&self, row: &mut [u64], class: Class<'_>) {
        let bytes = class.bytes();
        remove(row, self.end());
        for (place, node) in self.0.iter().enumerate().rev() {
            if !contains(row, place) {
                continue;
            }
            let stays = matches!(node, PartNode::Run) && !bytes.is_empty();
            if !stays {
                remove(row, place);
            }
            if matches!(node, PartNode::Take(set) if !set.and(bytes).is_empty()) {
                insert(row, place.saturating_add(1));
            }
        }
        self.settle(row);
    }

    fn run(&self, row: &mut [u64]) {
        self.follow(row, |node| match node {
            PartNode::Take(set) => !set.is_empty(),
            _ => true,
        });
    }
}

fn is_empty(row: &[u64]) -> bool {
    row.iter().all(|&word| word == 0)
}

fn contains(row: &[u64], place: usize) -> bool {
    row.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn insert(row: &mut [u64], place: usize) {
    if let Some(word) = row.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

fn remove(row: &mut [u64], place: usize) {
    if let Some(word) = row.get_mut(place / 64) {
        *word &= !(1 << (place % 64));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts the operations of a track. Each costs at most one pass over it.
    struct Counted<T>(T, Cell<usize>);

    impl<T: Track> Track for Counted<T> {
        fn end(&self) -> usize {
            self.0.end()
        }

        fn settle(&self, row: &mut [u64]) {
            self.0.settle(row);
        }

        fn step(&self, row: &mut [u64], class: Class<'_>) {
            self.1.set(self.1.get() + 1);
            self.0.step(row, class);
        }

        fn run(&self, row: &mut [u64]) {
            self.1.set(self.1.get() + 1);
            self.0.run(row);
        }
    }

    fn count(part: &str, track: impl Track) -> (bool, usize) {
        let track = Counted(track, Cell::new(0));
        (sweep(part.as_bytes(), &track), track.1.get())
    }

    /// THREATS 17 and 18, counted: no byte of a part is read twice.
    #[test]
    fn a_part_is_read_once() {
        let name = "a".repeat(45);
        for part in ["{a,aa}".repeat(30), "*{a,aa}".repeat(30), format!("*{{{}a}}*", "b,".repeat(20_000))] {
            let (fits, passes) = count(&part, Name::new(name.as_bytes(), part.len()));
            assert!(fits && passes <= part.len(), "{passes}");
            let (fits, passes) = count(&format!("{part}c"), Name::new(name.as_bytes(), part.len()));
            assert!(!fits && passes <= part.len() + 1, "{passes}");
            let (fits, passes) = count(&part, Program::new(b"*{a,b}a*{aa,a}"));
            assert!(fits && passes <= part.len(), "{passes}");
        }
    }

    /// Every way to hold the rows: in a word, in several, and with a table of places.
    #[test]
    fn the_rows_agree() {
        for length in [0, 1, 62, 63, 64, 65, 127, 128, 129, 200] {
            let name = format!("{}b", "a".repeat(length));
            for padding in [0, 300] {
                let hopeless = "x,".repeat(padding);
                let part = format!("*{{{hopeless}a,ab,b}}");
                assert!(matches(part.as_bytes(), name.as_bytes()), "{length} {padding}");
                let part = format!("{}{{{hopeless}b,c}}{{,a}}", "{a,b}".repeat(length));
                assert!(matches(part.as_bytes(), name.as_bytes()), "{length} {padding}");
                assert!(overlaps(part.as_bytes(), name.as_bytes()), "{length} {padding}");
                let part = format!("{}{{{hopeless}a,c}}{{,a}}", "{a,b}".repeat(length));
                assert!(!matches(part.as_bytes(), name.as_bytes()), "{length} {padding}");
                assert!(!overlaps(part.as_bytes(), name.as_bytes()), "{length} {padding}");
            }
        }
    }
}
