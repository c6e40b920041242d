//! Reading the arguments of a validated message. Nothing here fails: bytes that validation would
//! have refused end the iteration.
//!
//! ```text
//! tags   i s [ f f ] 00          data   0000003c  "loud" 00 00 00 00  3f800000  3f000000
//!          ^ the next tag               ^ read    ^ the next data
//! ```
//!
//! A cursor is the rest of both. Every step takes the tag and its data off the front together; were
//! one to move alone, all arguments behind it would be read from the wrong place.

use super::scan::{padded, text_end};
use super::sizes::arg_size;
use crate::types::{ArgRef, ArrayRef, Char, Color, Midi, Text, TimeTag};

/// The arguments of a message or of an array, in order. What [`Message::args`](crate::Message::args) returns.
///
/// An array is one item, [`ArgRef::Array`].
///
/// ```
/// use tokio_osc::packet::ArgRef;
/// use tokio_osc::Message;
///
/// let message = Message::new("/note", (60, "loud"))?;
/// let mut args = message.args();
/// assert_eq!(args.next(), Some(ArgRef::Int32(60)));
/// assert_eq!(args.count(), 1);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArgIter<'a> {
    cursor: ArgCursor<'a>,
}

impl<'a> ArgIter<'a> {
    pub(crate) fn new(cursor: ArgCursor<'a>) -> Self {
        Self { cursor }
    }

    /// The remaining arguments.
    pub(crate) fn cursor(&self) -> ArgCursor<'a> {
        self.cursor
    }

    /// The arguments without their brackets, those of arrays among the others: equal type tag
    /// strings and equal scalars are equal arguments.
    pub(crate) fn scalars(mut self) -> impl Iterator<Item = ArgRef<'a>> {
        std::iter::from_fn(move || {
            while matches!(self.cursor.peek(), b'[' | b']') {
                self.cursor.advance();
            }
            self.next()
        })
    }
}

impl<'a> Iterator for ArgIter<'a> {
    type Item = ArgRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ArgRef<'a>> {
        self.cursor.next_arg()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.cursor.tags.len()))
    }
}

impl std::iter::FusedIterator for ArgIter<'_> {}

impl<'a> ArrayRef<'a> {
    /// The elements of the array, in order.
    ///
    /// ```
    /// use tokio_osc::packet::{ArgRef, Array};
    /// use tokio_osc::Message;
    ///
    /// let message = Message::new("/chord", Array(&[60, 64, 67][..]))?;
    /// let Some(ArgRef::Array(notes)) = message.args().next() else { unreachable!() };
    /// assert_eq!(notes.iter().last(), Some(ArgRef::Int32(67)));
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub fn iter(self) -> ArgIter<'a> {
        ArgIter::new(ArgCursor { tags: self.tags, data: self.data })
    }
}

impl<'a> IntoIterator for ArrayRef<'a> {
    type Item = ArgRef<'a>;
    type IntoIter = ArgIter<'a>;

    fn into_iter(self) -> ArgIter<'a> {
        self.iter()
    }
}

impl PartialEq for ArrayRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.tags == other.tags && self.iter().scalars().eq(other.iter().scalars())
    }
}

/// A place between two arguments: the type tags and the data still to be read, both validated.
///
/// The tags may be followed by their NUL and padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArgCursor<'a> {
    pub(crate) tags: &'a [u8],
    pub(crate) data: &'a [u8],
}

impl<'a> ArgCursor<'a> {
    /// The type tag of the next argument; NUL when there is none.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.tags.first().copied().unwrap_or_default()
    }

    /// Steps over a tag whose data, if it has any, was read.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.tags = self.tags.get(1..).unwrap_or_default();
    }

    #[inline]
    pub(crate) fn take<const SIZE: usize>(&mut self) -> [u8; SIZE] {
        self.advance();
        // Validation found the bytes. Were they not there, a zero is no worse than any other value,
        // and nothing panics.
        let Some((bytes, rest)) = self.data.split_first_chunk() else { return [0; SIZE] };
        self.data = rest;
        *bytes
    }

    /// The data of the next `count` arguments, if all of them have this tag, which stands for `size`
    /// bytes.
    #[inline]
    pub(crate) fn take_run(&mut self, tag: u8, size: usize, count: usize) -> Option<&'a [u8]> {
        let (tags, tags_left) = self.tags.split_at_checked(count)?;
        let (data, data_left) = self.data.split_at_checked(size.checked_mul(count)?)?;
        // Without an early exit, so that many tags are compared in one instruction.
        if tags.iter().fold(0, |differs, &one| differs | (one ^ tag)) != 0 {
            return None;
        }
        *self = Self { tags: tags_left, data: data_left };
        Some(data)
    }

    #[inline]
    pub(crate) fn take_text(&mut self) -> &'a [u8] {
        self.advance();
        // Found again, not kept: a place for each text would make a message as large as its arguments.
        let len = text_end(self.data);
        let text = self.data.get(..len).unwrap_or_default();
        self.data = self.data.get(padded(len)..).unwrap_or_default();
        text
    }

    #[inline]
    pub(crate) fn take_blob(&mut self) -> &'a [u8] {
        let len = u32::from_be_bytes(self.take()) as usize;
        let blob = self.data.get(..len).unwrap_or_default();
        self.data = self.data.get(len.next_multiple_of(4)..).unwrap_or_default();
        blob
    }

    /// The array that begins at the present `[`.
    pub(crate) fn take_array(&mut self) -> ArrayRef<'a> {
        self.advance();
        let start = *self;
        // Tag by tag, with a count in place of a call for each bracket: depth is the sender's choice.
        let mut depth = 1_usize;
        loop {
            match self.peek() {
                b'[' => depth = depth.saturating_add(1),
                b']' => depth = depth.saturating_sub(1),
                // The end of the tags, with a bracket open: validation refuses that.
                0 => depth = 0,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.skip();
        }
        let array = ArrayRef { tags: before(start.tags, self.tags), data: before(start.data, self.data) };
        self.advance();
        array
    }

    /// The four required types here, the others behind a call: so the loop over common arguments is
    /// small enough to be inlined where it is used. One comparison after the other, since a table of
    /// jumps is mispredicted where types alternate.
    #[inline]
    fn next_arg(&mut self) -> Option<ArgRef<'a>> {
        let tag = self.peek();
        if tag == b'f' {
            return Some(ArgRef::Float32(f32::from_be_bytes(self.take())));
        }
        if tag == b'i' {
            return Some(ArgRef::Int32(i32::from_be_bytes(self.take())));
        }
        if tag == b's' {
            return Some(ArgRef::String(Text::new(self.take_text())));
        }
        if tag == b'b' {
            return Some(ArgRef::Blob(self.take_blob()));
        }
        if tag == 0 {
            return None;
        }
        self.next_rarer()
    }

    #[inline(never)]
    fn next_rarer(&mut self) -> Option<ArgRef<'a>> {
        Some(match self.peek() {
            b'h' => ArgRef::Int64(i64::from_be_bytes(self.take())),
            b't' => ArgRef::TimeTag(TimeTag::from_bits(u64::from_be_bytes(self.take()))),
            b'd' => ArgRef::Float64(f64::from_be_bytes(self.take())),
            b'S' => ArgRef::Symbol(Text::new(self.take_text())),
            b'c' => ArgRef::Char(Char::from_bits(u32::from_be_bytes(self.take()))),
            b'r' => ArgRef::Color(Color::from(self.take())),
            b'm' => ArgRef::Midi(Midi::from(self.take())),
            b'[' => ArgRef::Array(self.take_array()),
            b'T' => self.marked(ArgRef::Bool(true)),
            b'F' => self.marked(ArgRef::Bool(false)),
            b'N' => self.marked(ArgRef::Nil),
            b'I' => self.marked(ArgRef::Impulse),
            _ => return None,
        })
    }

    /// An argument that has no data.
    fn marked(&mut self, arg: ArgRef<'a>) -> ArgRef<'a> {
        self.advance();
        arg
    }

    /// Steps over one tag and its data, brackets one by one.
    fn skip(&mut self) {
        let size = arg_size(self.peek(), self.data).unwrap_or_default();
        self.advance();
        self.data = self.data.get(size..).unwrap_or_default();
    }
}

/// The bytes before the rest.
fn before<'a>(bytes: &'a [u8], rest: &[u8]) -> &'a [u8] {
    bytes.get(..bytes.len().saturating_sub(rest.len())).unwrap_or_default()
}
