//! Sets of type tags.

use std::fmt;

use super::TypeTag;

/// A set of type tags, such as those that a receiver supports.
///
/// Many receivers accept only `ifsb`. Decoding with
/// [`allowed_type_tags`](crate::packet::DecodeOptions::allowed_type_tags) refuses the other types, and
/// [`Packet::check`](crate::Packet::check) checks a packet before it is sent. The set applies to arguments only, not to
/// addresses and time tags of bundles.
///
/// ```
/// use tokio_osc::packet::{TypeTag, TypeTagSet};
///
/// let required = TypeTagSet::of("ifsb").expect("four type tags");
/// assert!(required.contains(TypeTag::Float32));
/// assert!(!required.contains(TypeTag::Float64));
/// assert_eq!(required.with(TypeTag::True).to_string(), "ifsbT");
/// assert_eq!(TypeTagSet::of("ifz"), None, "z is not a type tag");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeTagSet(u64);

impl TypeTagSet {
    /// All type tags of OSC 1.0 and 1.1.
    pub const ALL: Self = Self::NONE.with_each(&TypeTag::ALL);
    /// No type tag: messages without arguments only.
    pub const NONE: Self = Self(0);

    /// Creates the set of the type tags in a text, which may begin with a comma. `None` if one is unknown.
    pub fn of(type_tags: &str) -> Option<Self> {
        let type_tags = type_tags.strip_prefix(',').unwrap_or(type_tags);
        type_tags.bytes().try_fold(Self::NONE, |set, byte| Some(set.with(TypeTag::from_byte(byte)?)))
    }

    /// Adds a type tag.
    pub const fn with(self, tag: TypeTag) -> Self {
        Self(self.0 | bit(tag))
    }

    /// Returns `true` if the set contains the type tag.
    pub const fn contains(self, tag: TypeTag) -> bool {
        self.0 & bit(tag) != 0
    }

    const fn with_each(mut self, tags: &[TypeTag]) -> Self {
        let mut index = 0;
        while index < tags.len() {
            self = self.with(tags[index]);
            index += 1;
        }
        self
    }
}

/// All type tags lie between `@` (64) and DEL (127).
const fn bit(tag: TypeTag) -> u64 {
    1 << (tag.as_byte() & 63)
}

/// All.
impl Default for TypeTagSet {
    fn default() -> Self {
        Self::ALL
    }
}

/// The type tags one after the other, without a comma.
impl fmt::Display for TypeTagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TypeTag::ALL.iter().filter(|&&tag| self.contains(tag)).try_for_each(|tag| tag.fmt(f))
    }
}

impl fmt::Debug for TypeTagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeTagSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_has_a_bit_of_its_own() {
        for tag in TypeTag::ALL {
            let only = TypeTagSet::NONE.with(tag);
            assert_eq!(TypeTag::ALL.iter().filter(|&&other| only.contains(other)).count(), 1);
            assert!(TypeTagSet::ALL.contains(tag));
        }
    }
}
