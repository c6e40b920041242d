//! How a command ends that cannot go on: with one line on stderr and exit code 2, or, where nobody
//! is left to be told, quietly.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use crate::notes::note;

/// The exit code of usage and input errors.
pub(crate) const ERROR: u8 = 2;

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

    /// Tells the user, in one line whatever stands in it; gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Error(line) => {
                note(format_args!("osc: {}", line.replace(char::is_control, "\u{fffd}")));
                ExitCode::from(ERROR)
            }
            Self::Help(help) => {
                // There is nobody to tell if this fails.
                let _ = help.print();
                ExitCode::SUCCESS
            }
            Self::OutputClosed => ExitCode::SUCCESS,
        }
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
