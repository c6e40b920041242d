//! The error of opening a socket.

use std::{fmt, io};

/// The error of opening a channel or a client: what was opened, and the error of the operating system. It
/// converts into an [`io::Error`] of the same kind and text.
///
/// ```
/// use std::io::ErrorKind;
/// use tokio_osc::{Channel, Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let taken = Channel::udp("127.0.0.1:0").await?;
/// let error = Channel::udp(taken.local_addr()?).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::AddrInUse);
/// println!("{error}");    // cannot listen on udp 127.0.0.1:9000: address already in use
///
/// let error = Client::udp("stage.local").await.unwrap_err();
/// assert_eq!(error.to_string(), "`stage.local` has no port, HOST:PORT is needed");
/// # Ok(()) }
/// ```
pub struct BindError {
    /// `listen on udp 127.0.0.1:9000`
    attempt: Box<str>,
    error: io::Error,
}

impl BindError {
    /// Returns a function for `map_err`, which adds what was opened.
    pub(crate) fn cannot(attempt: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { attempt: attempt.to_string().into(), error }
    }

    /// Returns the kind of the I/O error.
    pub fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }

    /// Returns the error of the operating system, or the error of the address or of an option.
    pub const fn io_error(&self) -> &io::Error {
        &self.error
    }
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Other errors are texts of this crate, which name the address or option themselves.
        if self.error.raw_os_error().is_none() {
            return self.error.fmt(f);
        }
        write!(f, "cannot {}: {}", self.attempt, plain(&self.error))?;
        match self.kind() {
            io::ErrorKind::ConnectionRefused => f.write_str(": is the other side listening?"),
            _ => Ok(()),
        }
    }
}

/// The text of the operating system without its number, for use inside a sentence.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

readable! { struct BindError { attempt, error } }

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}
