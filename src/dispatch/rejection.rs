//! Rejections of messages by extractors.

use std::borrow::Cow;
use std::fmt;

use crate::packet::ArgsError;
use crate::types::{Text, TextBuf};

/// The reason why a parameter of a handler could not be extracted.
///
/// The handler is not called. The rejection is counted and traced, and passed to the hook
/// [`on_reject`](crate::Router::on_reject). Other handlers still run.
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
///
/// Your own extractors reject with a text:
///
/// ```
/// use tokio_osc::dispatch::{Context, FromContext, Rejection};
/// use tokio_osc::Router;
///
/// struct FromStudio;
///
/// impl<S> FromContext<S> for FromStudio {
///     fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
///         match context.meta().channel() {
///             "studio" => Ok(Self),
///             other => Err(Rejection::other(format!("expected the studio, found {other:?}"))),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let router = Router::new().route("/record", |_: FromStudio| {});
/// let report = router.call(("/record", ())).report().await;
/// assert_eq!(report.rejected[0].1.to_string(), r#"expected the studio, found """#);
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The arguments have other types, or their number differs.
    Args(ArgsError),
    /// A captured part of the address does not have the type that the handler expects.
    Captures(CaptureError),
    /// The address of the message gives no values for the captures. Either it is itself a pattern that overlaps
    /// the route without being one of its names, or it has no slash, which only a
    /// [`fallback`](crate::Router::fallback) receives.
    NoCaptures,
    /// The route has no extra value, or one of another type.
    Extra,
    /// The message came from a stream that cannot reply.
    CannotReply,
    /// The message did not wait in the schedule.
    NotScheduled,
    /// The route is not a bundle route: see [`Router::route_bundle`](crate::Router::route_bundle).
    NotABundle,
    /// The text of your own extractor: see [`other`](Rejection::other).
    Other(Cow<'static, str>),
}

impl Rejection {
    /// Creates a rejection with a text.
    pub fn other(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Other(reason.into())
    }
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
                "there is nothing to capture: the address of the message is a pattern that is not a name of this \
                 route, or has no slash; use `on(handler).instances(…)` to run once for each name",
            ),
            Self::Extra => f.write_str("the route has no extra value of the requested type"),
            Self::CannotReply => f.write_str("the message came from a stream that cannot reply"),
            Self::NotScheduled => f.write_str("the message did not wait for a time"),
            Self::NotABundle => {
                f.write_str("the handler takes a `Bundle`, and the route is not one of `route_bundle`")
            }
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

readable! {
    enum Rejection {
        Args(error), Captures(error), NoCaptures, Extra, CannotReply, NotScheduled, NotABundle, Other(reason),
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Args(error) => error.source(),
            Self::Captures(error) => error.source(),
            _ => None,
        }
    }
}

/// The error of a capture: missing, surplus, or not of the expected type.
///
/// ```
/// use tokio_osc::dispatch::FromCaptures;
/// use tokio_osc::packet::Text;
///
/// let captures = [Text::new(b"seven")];
/// let error = u32::from_captures(&captures).unwrap_err();
/// assert_eq!(error.index(), 0);
/// assert_eq!(error.to_string(), "capture 0: expected u32, the sender wrote `seven`");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CaptureError {
    index: usize,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    Missing { expected: &'static str },
    Surplus { captures: usize },
    Other { expected: &'static str, found: TextBuf },
}

impl CaptureError {
    /// The handler expects more captures.
    pub(super) const fn missing(index: usize, expected: &'static str) -> Self {
        Self { index, fault: Fault::Missing { expected } }
    }

    /// The handler expects fewer captures.
    pub(super) const fn surplus(index: usize, captures: usize) -> Self {
        Self { index, fault: Fault::Surplus { captures } }
    }

    /// The capture does not have the expected type.
    pub(super) fn other(index: usize, expected: &'static str, found: Text<'_>) -> Self {
        let found = TextBuf::new(found.as_bytes().to_vec());
        Self { index, fault: Fault::Other { expected, found } }
    }

    /// Returns the index of the capture, from 0.
    pub const fn index(&self) -> usize {
        self.index
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index;
        match &self.fault {
            Fault::Missing { expected } => {
                write!(f, "capture {index}: expected {expected}, the route has only {index} captures")
            }
            Fault::Surplus { captures } => {
                write!(f, "the handler takes {index} captures, the route has {captures}")
            }
            Fault::Other { expected, found } => {
                write!(f, "capture {index}: expected {expected}, the sender wrote `{found}`")?;
                if found.as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{')) {
                    f.write_str(
                        ", which is a pattern; use `on(handler).instances(…)` to run once for each name",
                    )?;
                }
                Ok(())
            }
        }
    }
}

readable! { struct CaptureError { index, fault } }

impl std::error::Error for CaptureError {}
