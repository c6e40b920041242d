//! Writing to stdout: whole pieces at a time, so that a reader on a pipe sees each at once.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Writes to stdout and flushes it.
pub(crate) fn write(data: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(data.as_ref()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_stdout(&error))
}
