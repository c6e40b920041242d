//! A packet as hexadecimal digits and text, for people who look at bytes.

use std::fmt;

/// Prints bytes as the seed's `dumphex_buffer` does: the offset, four groups of four bytes in
/// hexadecimal, and the same groups as text, `.` for what is not printable ASCII.
///
/// ```
/// use tokio_osc::HexDump;
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
            let groups = || bytes.chunks(4);
            let hex: Vec<String> = groups().map(hex_of).collect();
            let text: Vec<String> = groups().map(text_of).collect();
            writeln!(f, "{:03}:{:<40}{}", line * 16, hex.join(" "), text.join(" "))?;
        }
        Ok(())
    }
}

fn hex_of(group: &[u8]) -> String {
    group.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text_of(group: &[u8]) -> String {
    group.iter().map(|&byte| if (32..127).contains(&byte) { char::from(byte) } else { '.' }).collect()
}
