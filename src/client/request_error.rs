//! The errors of requests.

use std::fmt;
use std::time::Duration;

use super::stats::ClientFaults;
use crate::channel::Disconnect;
use crate::packet::SendError;

/// The error of a [`Request`](crate::client::Request). It names the request, the peer and the time.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::client::{RequestError, RequestErrorKind};
///
/// let error = RequestError::timed_out(Duration::from_millis(500));
/// assert_eq!(error.kind(), RequestErrorKind::Timeout);
/// assert_eq!(error.to_string(), "no reply within 500 ms");
/// ```
pub struct RequestError {
    fault: RequestFault,
    /// `/ping matching /pong from 127.0.0.1:9000`
    request: Option<Box<str>>,
    /// Whether the host of the peer reported that the port is closed.
    refused: bool,
    /// `; 1 packet from 127.0.0.1:9000 could not be read: …`
    not_read: String,
}

/// The kinds of [`RequestError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// The request could not be sent. See [`RequestError::send_error`].
    Send,
    /// No reply arrived in time.
    Timeout,
    /// The connection ended before a reply arrived. See [`RequestError::disconnect`].
    Closed,
}

#[derive(Debug)]
pub(super) enum RequestFault {
    Send(SendError),
    /// With the number of attempts.
    Timeout(Duration, u32),
    Closed(Disconnect),
}

impl RequestError {
    pub(super) fn new(fault: RequestFault, request: String, refused: bool, missed: ClientFaults) -> Self {
        Self { fault, request: Some(request.into()), refused, not_read: missed.to_string() }
    }

    /// Creates the error of a request without a reply, for your own kinds of requests.
    pub const fn timed_out(after: Duration) -> Self {
        Self {
            fault: RequestFault::Timeout(after, 1),
            request: None,
            refused: false,
            not_read: String::new(),
        }
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> RequestErrorKind {
        match self.fault {
            RequestFault::Send(_) => RequestErrorKind::Send,
            RequestFault::Timeout(..) => RequestErrorKind::Timeout,
            RequestFault::Closed(_) => RequestErrorKind::Closed,
        }
    }

    /// Returns the error of sending, if that is the reason.
    pub const fn send_error(&self) -> Option<&SendError> {
        match &self.fault {
            RequestFault::Send(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the reason why the connection ended, if that is the reason.
    pub const fn disconnect(&self) -> Option<&Disconnect> {
        match &self.fault {
            RequestFault::Closed(reason) => Some(reason),
            _ => None,
        }
    }
}

impl From<SendError> for RequestFault {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<SendError> for RequestError {
    fn from(error: SendError) -> Self {
        Self { fault: error.into(), request: None, refused: false, not_read: String::new() }
    }
}

impl From<Disconnect> for RequestError {
    fn from(reason: Disconnect) -> Self {
        Self { fault: RequestFault::Closed(reason), request: None, refused: false, not_read: String::new() }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.request.as_ref().map_or_else(String::new, |request| format!(" to {request}"));
        match &self.fault {
            RequestFault::Send(error) => {
                return write!(f, "no reply{to}: the request was not sent: {error}");
            }
            RequestFault::Closed(reason) => write!(f, "no reply{to}, the connection was lost: {reason}")?,
            RequestFault::Timeout(timeout, times) => {
                write!(f, "no reply{to} within {}", spaced(*timeout))?;
                if *times > 1 {
                    write!(f, ", sent {times} times")?;
                }
                if self.refused {
                    f.write_str(": connection refused: is the other side listening?")?;
                }
            }
        }
        f.write_str(&self.not_read)
    }
}

/// `100 ms`
fn spaced(time: Duration) -> String {
    let text = format!("{time:?}");
    let unit = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    format!("{number} {unit}")
}

readable! { struct RequestError { fault, request, refused, not_read } }

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            RequestFault::Send(error) => error.source(),
            RequestFault::Closed(Disconnect::Failed(error)) => error.source(),
            RequestFault::Timeout(..) | RequestFault::Closed(_) => None,
        }
    }
}
