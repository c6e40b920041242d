//! Why a command ends early.

use std::fmt::Display;
use std::io;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error, with its place.
    Error(String),
    /// The output of `--help` or `--version`.
    Help(clap::Error),
    /// The reader of stdout has gone.
    OutputClosed,
}

impl Failure {
    /// Creates an error at a place: a file, a URL or an argument.
    pub(crate) fn at(place: impl Display, what: impl Display) -> Self {
        Self::Error(format!("{place}: {what}"))
    }

    /// Writing to stdout failed.
    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::at("stdout", error),
        }
    }
}

/// Adds the place at which an operation failed.
pub(crate) trait At<T> {
    fn at(self, place: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> At<T> for Result<T, E> {
    fn at(self, place: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::at(place, error))
    }
}

/// The first paragraph of clap's error, in one line.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        if !error.use_stderr() {
            return Self::Help(error);
        }
        let text = error.render().to_string();
        let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let line = paragraph.join(" ");
        Self::Error(line.strip_prefix("error: ").unwrap_or(&line).to_owned())
    }
}
