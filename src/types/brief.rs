//! Text of bounded length for `Debug`, so that a log line does not grow with the input of a peer.

use std::fmt::{self, Display, Formatter, Write};

/// Maximum bytes of a packet in `Debug`.
const LIMIT: usize = 1_024;

/// Writes `NAME(VALUE)`: lines joined by `; `, cut with `…` after 1,024 bytes.
pub(crate) fn brief(f: &mut Formatter<'_>, name: &str, value: &dyn Display) -> fmt::Result {
    write!(f, "{name}(")?;
    let mut brief = Brief { out: f, left: LIMIT };
    match write!(brief, "{value}") {
        Err(_) if brief.left == 0 => f.write_str("…)"),
        written => written.and(f.write_char(')')),
    }
}

struct Brief<'a, 'b> {
    out: &'a mut Formatter<'b>,
    left: usize,
}

impl Write for Brief<'_, '_> {
    /// Returns an error at the limit, so that formatting stops.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.out.write_str("; ")?;
            }
            let fits = (0..=line.len().min(self.left)).rev().find(|&at| line.is_char_boundary(at));
            let fits = fits.unwrap_or_default();
            self.out.write_str(&line[..fits])?;
            if fits < line.len() {
                self.left = 0;
                return Err(fmt::Error);
            }
            self.left -= fits;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Debugged<'a>(&'a str);

    impl fmt::Debug for Debugged<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            brief(f, "Text", &self.0)
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(format!("{:?}", Debugged("a\nb")), "Text(a; b)");
        let limit = "x".repeat(LIMIT);
        assert_eq!(format!("{:?}", Debugged(&limit)), format!("Text({limit})"));
        let beyond = "x".repeat(LIMIT - 1) + "é";
        assert_eq!(format!("{:?}", Debugged(&beyond)), format!("Text({}…)", "x".repeat(LIMIT - 1)));
    }
}
