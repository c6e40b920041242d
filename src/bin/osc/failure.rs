//! Why a command ends early.

use std::fmt::Display;
use std::io;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What is wrong, and where.
    Error(String),
    /// Help or the version was asked for.
    Help(clap::Error),
    /// The reader of stdout has gone.
    OutputClosed,
}

impl Failure {
    /// Something is wrong at a place: a file, a URL, an argument.
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

/// Says at which place an operation has failed.
pub(crate) trait At<T> {
    fn at(self, place: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> At<T> for Result<T, E> {
    fn at(self, place: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::at(place, error))
    }
}

/// The first paragraph of what clap has to say, in one line.
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
