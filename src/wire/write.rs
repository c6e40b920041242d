//! Writes arguments by running one description of the values twice. The first run measures and checks, the
//! second fills the exact bytes. So nothing is moved, and a failure writes nothing.

use super::scan::padded;
use crate::types::{Char, Color, Midi, TimeTag};

macro_rules! writes {
    ($($(#[$doc:meta])* fn $name:ident($($value:ident: $type:ty)?) = $put:ident($($arg:expr),*);)*) => {$(
        $(#[$doc])*
        #[inline]
        fn $name(&mut self $(, $value: $type)?) {
            self.$put($($arg),*);
        }
    )*};
}

/// Receives the values of an argument list. Passed to [`IntoArgs`](crate::IntoArgs).
///
/// ```
/// use tokio_osc::packet::ArgsWriter;
/// use tokio_osc::{IntoArgs, Message};
///
/// struct Note { pitch: i32, velocity: f32 }
///
/// impl IntoArgs for Note {
///     fn write_args<W: ArgsWriter>(&self, out: &mut W) {
///         out.int32(self.pitch);
///         out.float32(self.velocity);
///     }
/// }
///
/// let message = Message::new("/note", Note { pitch: 60, velocity: 0.5 })?;
/// assert_eq!(message.to_string(), "/note ,if 60 0.5");
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
pub trait ArgsWriter: Sink {
    writes! {
        /// Writes an `i`.
        fn int32(value: i32) = put(b'i', value.to_be_bytes());
        /// Writes an `f`.
        fn float32(value: f32) = put(b'f', value.to_be_bytes());
        /// Writes an `s`. Text with a NUL in it cannot be encoded.
        fn string(text: impl AsRef<[u8]>) = put_text(b's', text.as_ref());
        /// Writes a `b`.
        fn blob(bytes: impl AsRef<[u8]>) = put_blob(bytes.as_ref());
        /// Writes an `h`.
        fn int64(value: i64) = put(b'h', value.to_be_bytes());
        /// Writes a `t`.
        fn time_tag(tag: TimeTag) = put(b't', tag.to_bits().to_be_bytes());
        /// Writes a `d`. Many receivers take only `f`.
        fn float64(value: f64) = put(b'd', value.to_be_bytes());
        /// Writes an `S`. Text with a NUL in it cannot be encoded.
        fn symbol(text: impl AsRef<[u8]>) = put_text(b'S', text.as_ref());
        /// Writes a `c`, as a big-endian number.
        fn char(character: impl Into<Char>) = put(b'c', character.into().to_bits().to_be_bytes());
        /// Writes an `r`.
        fn color(color: Color) = put(b'r', color.into());
        /// Writes an `m`.
        fn midi(midi: Midi) = put(b'm', midi.into());
        /// Writes a `T` or an `F`.
        fn bool(value: bool) = put(if value { b'T' } else { b'F' }, []);
        /// Writes an `N`.
        fn nil() = put(b'N', []);
        /// Writes an `I`.
        fn impulse() = put(b'I', []);
    }

    /// Refuses the list, at the next argument: the message fails with
    /// [`EncodeErrorKind::ArgumentRefused`](crate::packet::EncodeErrorKind::ArgumentRefused). The text is the
    /// reason, in lower case and without a full stop.
    ///
    /// ```
    /// use tokio_osc::packet::ArgsWriter;
    /// use tokio_osc::{IntoArgs, Message};
    ///
    /// struct Note(i32);
    ///
    /// impl IntoArgs for Note {
    ///     fn write_args<W: ArgsWriter>(&self, out: &mut W) {
    ///         match self.0 {
    ///             0..=127 => out.int32(self.0),
    ///             _ => out.refuse("a note is 0 to 127"),
    ///         }
    ///     }
    /// }
    ///
    /// let error = Message::new("/note", ("piano", Note(128))).unwrap_err();
    /// assert_eq!(error.to_string(), "argument 1: a note is 0 to 127");
    /// ```
    #[inline]
    fn refuse(&mut self, why: &'static str) {
        self.fault(Fault::Refused(why));
    }

    /// Writes an array: what `elements` writes, between `[` and `]`. Arrays nest at most 255 deep.
    #[inline]
    fn array(&mut self, elements: impl FnOnce(&mut Self))
    where
        Self: Sized,
    {
        self.begin_array();
        elements(self);
        self.end_array();
    }
}

impl<S: Sink> ArgsWriter for S {}

pub(crate) use sealed::Sink;

mod sealed {
    /// The few things that differ between measuring and writing.
    pub trait Sink {
        fn put<const N: usize>(&mut self, tag: u8, data: [u8; N]);
        /// Numbers of one type, in one pass.
        fn put_run<const N: usize>(&mut self, tag: u8, data: impl ExactSizeIterator<Item = [u8; N]>);
        fn put_text(&mut self, tag: u8, text: &[u8]);
        fn put_blob(&mut self, bytes: &[u8]);
        /// The sink itself, to be put back: in between, its state can stay in registers.
        fn take(&mut self) -> Self
        where
            Self: Sized;
        fn begin_array(&mut self);
        fn end_array(&mut self);
        fn fault(&mut self, fault: super::Fault);
    }
}

/// Why an argument list cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Text with a NUL in it.
    Nul,
    /// Arrays nest deeper than 255.
    TooDeep,
    /// The list refuses.
    Refused(&'static str),
}

/// What an argument list will take, and whether it can be encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Type tags, brackets included, the comma excluded.
    pub(crate) tags: usize,
    /// Bytes of data.
    pub(crate) data: usize,
    /// The first fault, and the index of its type tag.
    pub(crate) fault: Option<(Fault, usize)>,
    depth: u8,
}

#[expect(clippy::arithmetic_side_effects, reason = "memory ends before the tags of a list fill a `usize`")]
impl Sink for Measure {
    #[inline]
    fn put<const N: usize>(&mut self, _tag: u8, _data: [u8; N]) {
        self.tags += 1;
        self.data = self.data.saturating_add(N);
    }

    #[inline]
    fn put_run<const N: usize>(&mut self, _tag: u8, data: impl ExactSizeIterator<Item = [u8; N]>) {
        self.tags += data.len();
        self.data = self.data.saturating_add(data.len().saturating_mul(N));
    }

    #[inline]
    fn put_text(&mut self, _tag: u8, text: &[u8]) {
        if text.contains(&0) {
            self.fault(Fault::Nul);
        }
        self.tags += 1;
        self.data = self.data.saturating_add(padded(text.len()));
    }

    #[inline]
    fn put_blob(&mut self, bytes: &[u8]) {
        self.tags += 1;
        self.data = self.data.saturating_add(4 + bytes.len().next_multiple_of(4));
    }

    #[inline]
    fn take(&mut self) -> Self {
        *self
    }

    fn begin_array(&mut self) {
        match self.depth.checked_add(1) {
            Some(depth) => self.depth = depth,
            None => self.fault(Fault::TooDeep),
        }
        self.tags += 1;
    }

    fn end_array(&mut self) {
        self.tags += 1;
        self.depth = self.depth.saturating_sub(1);
    }

    #[cold]
    fn fault(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some((fault, self.tags)));
    }
}

/// The bytes measured before, being filled. They were zeros, so padding needs no write.
pub(crate) struct WriteInto<'a> {
    tags: &'a mut [u8],
    data: &'a mut [u8],
    /// Set when a list wrote more than it had measured.
    overrun: bool,
}

impl<'a> WriteInto<'a> {
    pub(crate) fn new(tags: &'a mut [u8], data: &'a mut [u8]) -> Self {
        Self { tags, data, overrun: false }
    }

    /// Whether exactly the measured bytes were written.
    pub(crate) fn is_exact(&self) -> bool {
        !self.overrun && self.tags.is_empty() && self.data.is_empty()
    }

    #[inline]
    fn tag(&mut self, tag: u8) {
        match std::mem::take(&mut self.tags).split_first_mut() {
            Some((slot, rest)) => {
                *slot = tag;
                self.tags = rest;
            }
            None => self.overrun = true,
        }
    }

    /// The next `size` bytes; empty, and an overrun, if there are fewer.
    #[inline]
    fn room(&mut self, size: usize) -> &'a mut [u8] {
        let Some((room, rest)) = std::mem::take(&mut self.data).split_at_mut_checked(size) else {
            self.overrun = true;
            return &mut [];
        };
        self.data = rest;
        room
    }
}

impl Sink for WriteInto<'_> {
    #[inline]
    fn put<const N: usize>(&mut self, tag: u8, data: [u8; N]) {
        self.tag(tag);
        if let Some(room) = self.room(N).first_chunk_mut() {
            *room = data;
        }
    }

    #[inline]
    fn put_run<const N: usize>(&mut self, tag: u8, data: impl ExactSizeIterator<Item = [u8; N]>) {
        let Some((tags, rest)) = std::mem::take(&mut self.tags).split_at_mut_checked(data.len()) else {
            self.overrun = true;
            return;
        };
        tags.fill(tag);
        self.tags = rest;
        // One check of the room for all, so that the compiler swaps the bytes of several numbers at once.
        let room = self.room(data.len().saturating_mul(N));
        for (room, data) in room.chunks_exact_mut(N).zip(data) {
            room.copy_from_slice(&data);
        }
    }

    #[inline]
    fn put_text(&mut self, tag: u8, text: &[u8]) {
        self.tag(tag);
        if let Some(room) = self.room(padded(text.len())).get_mut(..text.len()) {
            room.copy_from_slice(text);
        }
    }

    #[inline]
    fn put_blob(&mut self, bytes: &[u8]) {
        self.tag(b'b');
        let size = bytes.len().next_multiple_of(4).saturating_add(4);
        let Some((len, data)) = self.room(size).split_first_chunk_mut() else { return };
        #[expect(clippy::cast_possible_truncation, reason = "measured: below 2^31")]
        let prefix = (bytes.len() as u32).to_be_bytes();
        *len = prefix;
        if let Some(data) = data.get_mut(..bytes.len()) {
            data.copy_from_slice(bytes);
        }
    }

    #[inline]
    fn take(&mut self) -> Self {
        Self {
            tags: std::mem::take(&mut self.tags),
            data: std::mem::take(&mut self.data),
            overrun: self.overrun,
        }
    }

    fn begin_array(&mut self) {
        self.tag(b'[');
    }

    fn end_array(&mut self) {
        self.tag(b']');
    }

    /// The list was measured without one.
    fn fault(&mut self, _fault: Fault) {
        self.overrun = true;
    }
}
