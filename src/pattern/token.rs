//! Tokens of one part of a valid pattern.

/// One step of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// One byte of a class.
    One(Class<'a>),
    /// `*`: any run of bytes, the empty one included.
    Run,
    /// `{…}`: one of the strings between the commas. Where each is one byte, it is a class instead: a
    /// class fits the greedy walk, which is much cheaper than rows.
    Alternatives(&'a [u8]),
}

/// A class of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class<'a> {
    /// This one.
    Byte(u8),
    /// `?`: any.
    Any,
    /// `[…]`: one of the set, or none of it after `!`.
    Set(&'a [u8]),
    /// `{…}` whose alternatives are one byte each: one of them.
    OneOf(&'a [u8]),
}

impl Class<'_> {
    pub(super) fn contains(self, byte: u8) -> bool {
        match self {
            Self::Byte(one) => one == byte,
            Self::Any => true,
            Self::Set([b'!', set @ ..]) => !ranges(set).any(|(low, high)| low <= byte && byte <= high),
            Self::Set(set) => ranges(set).any(|(low, high)| low <= byte && byte <= high),
            Self::OneOf(list) => single_bytes(list).any(|one| one == byte),
        }
    }

    /// The bytes of the class that an address can contain.
    pub(super) fn bytes(self) -> ByteSet {
        let listed = |set| ranges(set).fold(ByteSet::NONE, |bytes, range| bytes.or(ByteSet::range(range)));
        let bytes = match self {
            Self::Byte(one) => ByteSet::range((one, one)),
            Self::Any => ByteSet::ADDRESSABLE,
            Self::Set([b'!', set @ ..]) => listed(set).not(),
            Self::Set(set) => listed(set),
            Self::OneOf(list) => {
                single_bytes(list).fold(ByteSet::NONE, |bytes, one| bytes.or(ByteSet::range((one, one))))
            }
        };
        bytes.and(ByteSet::ADDRESSABLE)
    }
}

/// The ranges of a set, a single character being a range of one.
fn ranges(set: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    let mut rest = set;
    std::iter::from_fn(move || match rest {
        [low, b'-', high, tail @ ..] => {
            rest = tail;
            Some((*low, *high))
        }
        [one, tail @ ..] => {
            rest = tail;
            Some((*one, *one))
        }
        [] => None,
    })
}

/// The bytes between the commas, if all alternatives are one byte each.
fn single_bytes(list: &[u8]) -> impl Iterator<Item = u8> {
    list.iter().step_by(2).copied()
}

fn are_single_bytes(list: &[u8]) -> bool {
    list.len() % 2 == 1 && list.iter().enumerate().all(|(at, &byte)| (byte == b',') == (at % 2 == 1))
}

/// The tokens of a part.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match first {
            b'*' => Token::Run,
            b'?' => Token::One(Class::Any),
            b'[' => Token::One(Class::Set(self.take_until(b']'))),
            b'{' => match self.take_until(b'}') {
                list if are_single_bytes(list) => Token::One(Class::OneOf(list)),
                list => Token::Alternatives(list),
            },
            byte => Token::One(Class::Byte(byte)),
        })
    }
}

impl<'a> Tokens<'a> {
    fn take_until(&mut self, end: u8) -> &'a [u8] {
        let mut halves = self.0.splitn(2, |&byte| byte == end);
        let inside = halves.next().unwrap_or_default();
        self.0 = halves.next().unwrap_or_default();
        inside
    }
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteSet([u128; 2]);

impl ByteSet {
    pub(super) const NONE: Self = Self([0; 2]);

    /// The bytes that are plain in the address of a message: any byte except NUL, the slash, and the six
    /// wildcard characters.
    #[expect(clippy::indexing_slicing, reason = "run by the compiler")]
    pub(super) const ADDRESSABLE: Self = {
        let mut low = u128::MAX;
        let reserved = b"\0/*?[]{}";
        let mut index = 0;
        while index < reserved.len() {
            low &= !(1 << reserved[index]);
            index += 1;
        }
        Self([low, u128::MAX])
    };

    fn range((low, high): (u8, u8)) -> Self {
        let below = low.checked_sub(1).map_or(Self::NONE, Self::up_to);
        Self::up_to(high).and(below.not())
    }

    #[expect(clippy::arithmetic_side_effects, reason = "the byte is in the range of its arm")]
    fn up_to(byte: u8) -> Self {
        match byte {
            0..128 => Self([u128::MAX >> (127 - byte), 0]),
            128.. => Self([u128::MAX, u128::MAX >> (255 - byte)]),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    fn not(self) -> Self {
        Self([!self.0[0], !self.0[1]])
    }
}
