//! A packet field by field: where, which bytes, and what they mean.

use std::fmt::{self, Display, Formatter};

use crate::types::{ArgRef, Text, TimeTag};
use crate::wire::{
    ArgCursor, ArgIter, BUNDLE_HEADER, BUNDLE_NAME, NUMERIC_ADDRESS, be_u32, be_u64, blob_size, hex, scan,
};

/// Prints each field of a packet on a line of its own: its offset, its bytes in hexadecimal, and
/// what it means. Of bytes that are no packet it prints what can be read, and the rest as such.
///
/// ```
/// use tokio_osc::AnnotatedDump;
///
/// let dump = AnnotatedDump(b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x0c/f\0\0,f\0\0\x43\xdc\0\0").to_string();
/// assert_eq!(
///     dump,
///     "     0  2362756e 646c6500  bundle\n     \
///           8  00000000 00000001  time tag 0x0000000000000001\n    \
///          16  0000000c           element of 12 bytes\n    \
///          20  2f660000             address /f\n    \
///          24  2c660000             type tags ,f\n    \
///          28  43dc0000             f 440\n"
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedDump<'a>(pub &'a [u8]);

impl Display for AnnotatedDump<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut fields = Fields { out: f, rest: self.0, at: 0, ends: vec![self.0.len()] };
        while let Some(&end) = fields.ends.last() {
            if fields.at >= end {
                fields.ends.pop();
                continue;
            }
            fields.packet()?;
        }
        Ok(())
    }
}

/// Levels that are told apart by their indent.
const MAX_INDENT: usize = 32;

/// The fields still to be printed.
struct Fields<'a, 'f, 'b> {
    out: &'f mut Formatter<'b>,
    rest: &'a [u8],
    at: usize,
    /// Where the open packets end, the innermost last.
    ends: Vec<usize>,
}

impl Fields<'_, '_, '_> {
    /// The packet or the element that begins here. What is read of it is taken away; of a bundle
    /// only the head.
    fn packet(&mut self) -> fmt::Result {
        let Some(end) = self.element()? else { return Ok(()) };
        let left = end - self.at;
        if self.rest.starts_with(BUNDLE_NAME) && left >= BUNDLE_HEADER {
            let time_tag = TimeTag::from_bits(be_u64(self.rest, BUNDLE_NAME.len()));
            self.field(BUNDLE_NAME.len(), &"bundle")?;
            return self.field(BUNDLE_HEADER - BUNDLE_NAME.len(), &format_args!("time tag {time_tag}"));
        }
        self.message(end)?;
        self.unreadable(end)
    }

    /// The end of the packet that begins here. In a bundle its size stands before it.
    fn element(&mut self) -> Result<Option<usize>, fmt::Error> {
        let [.., end] = self.ends[..] else { return Ok(None) };
        if self.at == 0 {
            return Ok(Some(end));
        }
        let size = be_u32(self.rest, 0) as usize;
        let left = end - self.at;
        if left < 4 || size == 0 || size > left - 4 {
            self.unreadable(end)?;
            return Ok(None);
        }
        self.field(4, &format_args!("element of {size} bytes"))?;
        self.ends.push(self.at + size);
        Ok(Some(self.at + size))
    }

    fn message(&mut self, end: usize) -> fmt::Result {
        let frame = &self.rest[..end - self.at];
        if frame[0] == 0 && frame.len() >= NUMERIC_ADDRESS {
            self.field(NUMERIC_ADDRESS, &format_args!("address {}", be_u32(frame, 0)))?;
        } else {
            let Some(address) = scan(frame) else { return Ok(()) };
            self.field(address.next, &format_args!("address {}", Shown(&frame[..address.len])))?;
        }
        let frame = &self.rest[..end - self.at];
        let Some(tags) = scan(frame).filter(|_| frame.starts_with(b",")) else { return Ok(()) };
        self.field(tags.next, &format_args!("type tags {}", Shown(&frame[..tags.len])))?;
        for tag in &frame[1..tags.len] {
            let data = &self.rest[..end - self.at];
            let Some(size) = arg_size(*tag, data) else { return Ok(()) };
            let cursor = ArgCursor { tags: std::slice::from_ref(tag), data };
            let tag = char::from(*tag);
            match ArgIter::new(cursor).next() {
                Some(ArgRef::Array(_)) | None => self.field(0, &tag)?,
                Some(ArgRef::Blob(blob)) => {
                    self.field(4, &format_args!("b of {} bytes", blob.len()))?;
                    self.field(size - 4, &"")?;
                }
                Some(arg) => self.field(size, &format_args!("{tag} {arg}"))?,
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, end: usize) -> fmt::Result {
        match end - self.at {
            0 => Ok(()),
            left => self.field(left, &"not readable"),
        }
    }

    /// Eight bytes a line; the meaning stands on the first.
    fn field(&mut self, size: usize, meaning: &dyn Display) -> fmt::Result {
        let (bytes, rest) = self.rest.split_at(size);
        let indent = 2 * (self.ends.len() - 1).min(MAX_INDENT);
        write!(self.out, "{:6}  ", self.at)?;
        hex(self.out, &bytes[..size.min(8)], 17)?;
        writeln!(self.out, "  {:indent$}{meaning}", "")?;
        for (line, bytes) in bytes.chunks(8).enumerate().skip(1) {
            write!(self.out, "{:6}  ", self.at + 8 * line)?;
            hex(self.out, bytes, 0)?;
            writeln!(self.out)?;
        }
        self.at += size;
        self.rest = rest;
        Ok(())
    }
}

/// The bytes of an argument, if they are there.
fn arg_size(tag: u8, data: &[u8]) -> Option<usize> {
    let size = match tag {
        b'i' | b'f' | b'c' | b'r' | b'm' => 4,
        b'h' | b't' | b'd' => 8,
        b's' | b'S' => scan(data)?.next,
        b'b' => blob_size(data),
        b'T' | b'F' | b'N' | b'I' | b'[' | b']' => 0,
        _ => return None,
    };
    (size <= data.len() && (tag != b'b' || data.len() >= 4)).then_some(size)
}

struct Shown<'a>(&'a [u8]);

/// Text that a terminal only shows.
impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match Text::new(self.0).to_str() {
            Ok(text) => text.escape_debug().fmt(f),
            Err(_) => self.0.escape_ascii().fmt(f),
        }
    }
}
