//! The types of an argument list, known without a message.

/// Maximum number of type tags. Longer lists have a rest of unknown types.
const MAX_TAGS: usize = 256;

/// The types that an argument list is read as, known without a message: one string of type tags, or several
/// where trailing arguments are optional.
///
/// [`FromArgs::describe`](crate::FromArgs::describe) fills it in.
///
/// ```
/// use tokio_osc::packet::{ArgTypes, Rest};
///
/// let types = ArgTypes::of::<(f32, String, Option<i32>)>();
/// assert_eq!(types.alternatives().collect::<Vec<_>>(), ["fs", "fsi"]);
/// assert!(!types.has_rest());
///
/// let types = ArgTypes::of::<(String, Rest)>();
/// assert_eq!(types.tags(), "s");
/// assert!(types.has_rest());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArgTypes {
    tags: String,
    /// Lengths of `tags` after which the list may end too: before each of the trailing optional arguments.
    ends: Vec<usize>,
    rest: bool,
}

impl ArgTypes {
    /// Returns the types of the arguments of a message.
    pub(crate) fn written(type_tags: &str) -> Self {
        let mut types = Self::default();
        let tags = type_tags.trim_start_matches(',').chars();
        tags.map(|tag| if tag == 'F' { 'T' } else { tag }).for_each(|tag| types.push(tag));
        types
    }

    /// Returns the type tags of all arguments, without comma. A value that is read with conversion has the tag
    /// that is written for its type: `f` for `f32`, `T` for `bool`.
    pub fn tags(&self) -> &str {
        &self.tags
    }

    /// Returns the strings of type tags that fit, from the shortest. More than one if trailing arguments are
    /// optional.
    pub fn alternatives(&self) -> impl Iterator<Item = &str> {
        let ends = self.ends.iter().copied().chain([self.tags.len()]);
        ends.filter_map(|end| self.tags.get(..end))
    }

    /// Returns `true` if more arguments of unknown types and number may follow.
    pub fn has_rest(&self) -> bool {
        self.rest
    }

    /// Adds a rest of unknown types and number. Types added after it are ignored.
    pub fn add_rest(&mut self) {
        self.rest = true;
    }

    pub(super) fn push(&mut self, tag: char) {
        if self.rest || self.tags.len() >= MAX_TAGS {
            self.rest = true;
            return;
        }
        self.tags.push(tag);
        // All arguments before a required one are required.
        self.ends.clear();
    }

    /// Adds types of optional trailing arguments.
    pub(super) fn optional(&mut self, describe: fn(&mut Self)) {
        let mut ends = std::mem::take(&mut self.ends);
        ends.push(self.tags.len());
        describe(self);
        ends.append(&mut self.ends);
        self.ends = ends;
    }

    /// Adds an argument that is an array of these values. One of unknown length has no fixed type tags.
    pub(super) fn array(&mut self, describe: fn(&mut Self)) {
        let mut elements = Self::default();
        describe(&mut elements);
        if elements.rest {
            return self.add_rest();
        }
        self.push('[');
        elements.tags.chars().for_each(|tag| self.push(tag));
        self.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::ArgTypes;
    use crate::packet::{Array, OwnedArgs, Rest};
    use crate::types::Arg;

    fn alternatives<T: OwnedArgs>() -> Vec<String> {
        ArgTypes::of::<T>().alternatives().map(str::to_owned).collect()
    }

    #[test]
    fn an_optional_argument_before_a_required_one_is_required() {
        assert_eq!(alternatives::<(Option<i32>, f32)>(), ["if"]);
        assert_eq!(alternatives::<(i32, Option<(f32, Option<bool>)>)>(), ["i", "if", "ifT"]);
    }

    #[test]
    fn lists_of_fixed_length_repeat_their_type_and_others_are_a_rest() {
        assert_eq!(alternatives::<([f32; 3], [u8; 4])>(), ["fffb"]);
        assert_eq!(ArgTypes::of::<Vec<u8>>().tags(), "b");
        assert!(ArgTypes::of::<(i32, Vec<f32>)>().has_rest());
        assert!(ArgTypes::of::<[f32; 257]>().has_rest() && !ArgTypes::of::<[f32; 256]>().has_rest());
    }

    #[test]
    fn an_array_is_one_argument_in_brackets() {
        assert_eq!(alternatives::<(String, Array<(i32, f32)>)>(), ["s[if]"]);
        let open = ArgTypes::of::<(String, Array<Vec<i32>>, f32)>();
        assert_eq!((open.tags(), open.has_rest()), ("s", true));
    }

    #[test]
    fn values_after_a_rest_are_unknown() {
        let types = ArgTypes::of::<(i32, Arg, f32)>();
        assert_eq!((types.tags(), types.has_rest()), ("i", true));
        assert!(ArgTypes::of::<Rest>().has_rest());
    }
}
