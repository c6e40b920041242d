//! The fields of a message that may be invalid, in order, each with its padding.

use super::layout::NUMERIC_ADDRESS;
use super::scan::{padded, text_end};
use super::sizes::arg_size;

/// A field, and what it is.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) kind: FieldKind,
    pub(crate) bytes: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// A number instead of an address.
    Number,
    Address,
    TypeTags,
    /// An argument of this type; brackets and values without data have no bytes.
    Arg(u8),
    /// The bytes after the last argument, or after an address without type tags.
    Tail,
    /// The remaining bytes, because a field is cut off or has an unknown type.
    Unreadable,
}

impl<'a> Field<'a> {
    /// The bytes before the padding of a text.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.bytes.get(..text_end(self.bytes)).unwrap_or_default()
    }
}

/// An iterator over the fields of a message. Together they are all its bytes.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    /// The type tags whose arguments are still to come.
    tags: &'a [u8],
    expected: FieldKind,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message, tags: &[], expected: FieldKind::Address }
    }

    /// The kind of the next field, and its size. The size is `None` if the field is not valid.
    fn measure(&mut self) -> Option<(FieldKind, Option<usize>)> {
        if let Some((&tag, tags)) = self.tags.split_first() {
            self.tags = tags;
            return Some((FieldKind::Arg(tag), arg_size(tag, self.rest)));
        }
        let text = padded(text_end(self.rest));
        let field = match (self.expected, self.rest.first()?) {
            (FieldKind::Address, 0) => (FieldKind::Number, NUMERIC_ADDRESS),
            (FieldKind::Address, _) => (FieldKind::Address, text),
            (FieldKind::TypeTags, b',') => (FieldKind::TypeTags, text),
            _ => (FieldKind::Tail, self.rest.len()),
        };
        self.expected =
            if self.expected == FieldKind::Address { FieldKind::TypeTags } else { FieldKind::Tail };
        Some((field.0, Some(field.1)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (kind, size) = self.measure()?;
        let Some((bytes, rest)) = size.and_then(|size| self.rest.split_at_checked(size)) else {
            self.tags = &[];
            return Some(Field { kind: FieldKind::Unreadable, bytes: std::mem::take(&mut self.rest) });
        };
        self.rest = rest;
        let field = Field { kind, bytes };
        if kind == FieldKind::TypeTags {
            self.tags = field.text().get(1..).unwrap_or_default();
        }
        Some(field)
    }
}
