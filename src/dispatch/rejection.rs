//! Why a message does not fit a handler.

use std::fmt;

use crate::packet::ArgsError;

/// Why a handler did not get the parameters it asks for: the message does not fit the route.
///
/// It is counted and traced, and the hook [`on_reject`](crate::Router::on_reject) is called; the
/// handler is not called, and nothing else is stopped.
///
/// ```
/// use tokio_osc::dispatch::Rejection;
/// use tokio_osc::{Args, Router};
///
/// let router = Router::new().route("/gain", |gain: Result<Args<f32>, Rejection>| match gain {
///     Ok(Args(gain)) => println!("{gain}"),
///     Err(Rejection::Args(error)) => println!("argument {}: {error}", error.index()),
///     Err(rejection) => println!("{rejection}"),
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The arguments are of other types or of another number.
    Args(ArgsError),
    /// A captured part of the address is not what the handler asks for.
    Captures(CaptureError),
    /// The message's address has nothing in the place of the route's captures: it is a pattern
    /// itself, which shares addresses with the route's, but is not one of its names; or it has no slash, as
    /// only a [`fallback`](crate::Router::fallback) gets it.
    NoCaptures,
    /// The route was given no extra value, or one of another type.
    Extra,
    /// The message came by a stream that cannot answer.
    NoWayBack,
    /// The message did not wait for a time.
    NotScheduled,
}

impl From<ArgsError> for Rejection {
    fn from(error: ArgsError) -> Self {
        Self::Args(error)
    }
}

impl From<CaptureError> for Rejection {
    fn from(error: CaptureError) -> Self {
        Self::Captures(error)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Args(error) => error.fmt(f),
            Self::Captures(error) => error.fmt(f),
            Self::NoCaptures => f.write_str(
                "there is nothing to capture: the address of the message is itself a pattern, or has no slash",
            ),
            Self::Extra => f.write_str("the route has no extra value of the type asked for"),
            Self::NoWayBack => f.write_str("there is no way back to the sender"),
            Self::NotScheduled => f.write_str("the message did not wait for a time"),
        }
    }
}

readable! { enum Rejection { Args(error), Captures(error), NoCaptures, Extra, NoWayBack, NotScheduled } }

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Args(error) => error.source(),
            Self::Captures(error) => error.source(),
            Self::NoCaptures | Self::Extra | Self::NoWayBack | Self::NotScheduled => None,
        }
    }
}

/// A captured part of the address that is missing, one too many, or not of the type asked for.
///
/// ```
/// use tokio_osc::dispatch::FromCaptures;
/// use tokio_osc::packet::Text;
///
/// let captures = [Text::new(b"seven")];
/// let error = u32::from_captures(&captures).unwrap_err();
/// assert_eq!(error.index(), 0);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CaptureError {
    index: usize,
}

impl CaptureError {
    pub(super) const fn new(index: usize) -> Self {
        Self { index }
    }

    /// The index of the capture, from 0.
    pub const fn index(&self) -> usize {
        self.index
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capture {} of the address is not what the handler asks for", self.index)
    }
}

readable! { struct CaptureError { index } }

impl std::error::Error for CaptureError {}
