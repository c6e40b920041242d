//! What a command says: data on stdout, in whole pieces, so that a reader on a pipe sees each at once;
//! everything else on stderr, a line each.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use tokio_osc::packet::Repairs;

use crate::failure::Failure;

/// The exit code of usage and input errors.
pub(crate) const ERROR: u8 = 2;

/// Writes to stdout and flushes it.
pub(crate) fn write(data: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(data.as_ref()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_stdout(&error))
}

/// Writes a line to stderr. A closed stderr is ignored.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Reports that a packet has messages that are not shown.
pub(crate) fn note_passed_over(place: impl Display, repairs: &Repairs) {
    match repairs.unknown_type_tags {
        0 => {}
        1 => note(format_args!("osc: {place}: passed over a message with an unknown type tag")),
        count => note(format_args!("osc: {place}: passed over {count} messages with an unknown type tag")),
    }
}

/// Prints why a command ended early, and returns the exit code. It prints exactly one line, or nothing if
/// the reader of stdout has gone.
pub(crate) fn report(failure: Failure) -> ExitCode {
    match failure {
        Failure::Error(line) => {
            note(format_args!("osc: {}", line.replace(char::is_control, "\u{fffd}")));
            ExitCode::from(ERROR)
        }
        Failure::Help(help) => {
            // A closed stdout has no reader to tell.
            let _ = help.print();
            ExitCode::SUCCESS
        }
        Failure::OutputClosed => ExitCode::SUCCESS,
    }
}
