//! Prints a packet field by field: offset, bytes and meaning.

use std::fmt::{self, Display, Formatter};

use crate::types::{ArgRef, Text};
use crate::wire::{ArgCursor, ArgIter, FieldKind, Fields, WireStep, WireWalk, be_u32, hex};

/// Prints each field of a packet on its own line: its offset, its bytes in hexadecimal, and its meaning. For
/// bytes that are not a valid packet, prints the readable part, and marks the rest.
///
/// ```
/// use tokio_osc::packet::AnnotatedDump;
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
        let mut lines = AnnotatedLines { out: f, at: 0, depth: 0 };
        let mut rest = self.0;
        for step in WireWalk::new(self.0) {
            match step {
                WireStep::Bundle(time_tag) => {
                    lines.field(take(&mut rest, 8), &"bundle")?;
                    lines.field(take(&mut rest, 8), &format_args!("time tag {time_tag}"))?;
                }
                WireStep::Size(size) => {
                    lines.field(take(&mut rest, 4), &format_args!("element of {size} bytes"))?;
                    lines.depth = lines.depth.saturating_add(1);
                }
                WireStep::Message(message) => {
                    lines.message(take(&mut rest, message.len()))?;
                    lines.depth = lines.depth.saturating_sub(1);
                }
                WireStep::Rest(bytes) => lines.unreadable(take(&mut rest, bytes.len()))?,
                WireStep::End => lines.depth = lines.depth.saturating_sub(1),
            }
        }
        Ok(())
    }
}

fn take<'a>(rest: &mut &'a [u8], size: usize) -> &'a [u8] {
    let (taken, behind) = rest.split_at(size.min(rest.len()));
    *rest = behind;
    taken
}

/// Levels that have an indent of their own.
const MAX_INDENT: usize = 32;

/// The output.
struct AnnotatedLines<'f, 'b> {
    out: &'f mut Formatter<'b>,
    at: usize,
    depth: usize,
}

impl AnnotatedLines<'_, '_> {
    fn message(&mut self, message: &[u8]) -> fmt::Result {
        for field in Fields::new(message) {
            let (bytes, text) = (field.bytes, ShownText(field.text()));
            match field.kind {
                FieldKind::Number => self.field(bytes, &format_args!("address {}", be_u32(bytes, 0)))?,
                FieldKind::Address => self.field(bytes, &format_args!("address {text}"))?,
                FieldKind::TypeTags => self.field(bytes, &format_args!("type tags {text}"))?,
                FieldKind::Arg(tag) => self.arg(tag, bytes)?,
                FieldKind::Tail | FieldKind::Unreadable => self.unreadable(bytes)?,
            }
        }
        Ok(())
    }

    fn arg(&mut self, tag: u8, bytes: &[u8]) -> fmt::Result {
        let cursor = ArgCursor { tags: &[tag], data: bytes };
        let tag = char::from(tag);
        match ArgIter::new(cursor).next() {
            Some(ArgRef::Array(_)) | None => self.field(bytes, &tag),
            Some(ArgRef::Blob(blob)) => {
                let (size, data) = bytes.split_at(bytes.len().min(4));
                self.field(size, &format_args!("b of {} bytes", blob.len()))?;
                self.field(data, &"")
            }
            Some(arg) => self.field(bytes, &format_args!("{tag} {arg}")),
        }
    }

    fn unreadable(&mut self, bytes: &[u8]) -> fmt::Result {
        if bytes.is_empty() { Ok(()) } else { self.field(bytes, &"not readable") }
    }

    /// Eight bytes per line. The first line has the meaning.
    fn field(&mut self, bytes: &[u8], meaning: &dyn Display) -> fmt::Result {
        let indent = self.depth.min(MAX_INDENT).saturating_mul(2);
        write!(self.out, "{:6}  ", self.at)?;
        hex(self.out, bytes.chunks(8).next().unwrap_or_default(), 17)?;
        writeln!(self.out, "  {:indent$}{meaning}", "")?;
        for (line, bytes) in bytes.chunks(8).enumerate().skip(1) {
            write!(self.out, "{:6}  ", self.at.saturating_add(line.saturating_mul(8)))?;
            hex(self.out, bytes, 0)?;
            writeln!(self.out)?;
        }
        self.at = self.at.saturating_add(bytes.len());
        Ok(())
    }
}

struct ShownText<'a>(&'a [u8]);

/// Text without characters that a terminal interprets.
impl Display for ShownText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match Text::new(self.0).to_str() {
            Ok(text) => text.escape_debug().fmt(f),
            Err(_) => self.0.escape_ascii().fmt(f),
        }
    }
}
