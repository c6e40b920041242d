//! What is said on stderr, a line each.

use std::fmt::Display;
use std::io::{self, Write as _};

use tokio_osc::Repairs;

/// Writes a line to stderr, if somebody listens there.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says that a packet from a place has messages which are not shown.
pub(crate) fn note_passed_over(place: impl Display, repairs: &Repairs) {
    match repairs.unknown_type_tags {
        0 => {}
        1 => note(format_args!("osc: {place}: passed over a message with an unknown type tag")),
        count => note(format_args!("osc: {place}: passed over {count} messages with an unknown type tag")),
    }
}
