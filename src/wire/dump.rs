//! Hex dumps of packets.

use std::fmt::{self, Write as _};

/// Prints bytes like osc4py3's `dumphex_buffer`: the offset, four groups of four bytes in hexadecimal, and the same
/// groups as text, with `.` for bytes that are not printable ASCII.
///
/// ```
/// use tokio_osc::packet::HexDump;
///
/// let dump = HexDump(b"/freq\0\0\0,f\0\0\x43\xdc\0\0tail").to_string();
/// assert_eq!(
///     dump,
///     "000:2f667265 71000000 2c660000 43dc0000     /fre q... ,f.. C...\n\
///      016:7461696c                                tail\n"
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HexDump<'a>(pub &'a [u8]);

impl fmt::Display for HexDump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, bytes) in self.0.chunks(16).enumerate() {
            write!(f, "{:03}:", line.saturating_mul(16))?;
            hex(f, bytes, 40)?;
            for (index, group) in bytes.chunks(4).enumerate() {
                let separator = if index > 0 { " " } else { "" };
                f.write_str(separator)?;
                group.iter().try_for_each(|&byte| f.write_char(shown(byte)))?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

/// Groups of four bytes, filled up with spaces to a width.
pub(crate) fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8], width: usize) -> fmt::Result {
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index > 0 && index % 4 == 0 { " " } else { "" };
        write!(f, "{separator}{byte:02x}")?;
    }
    let spaces = bytes.len().saturating_sub(1) / 4;
    let written = bytes.len().saturating_mul(2).saturating_add(spaces);
    write!(f, "{:1$}", "", width.saturating_sub(written))
}

fn shown(byte: u8) -> char {
    if (32..127).contains(&byte) { char::from(byte) } else { '.' }
}
