//! What a handler's parameters are made from.

use std::fmt;
use std::sync::Arc;

use super::route::Endpoint;
use super::{CaptureError, WayBack};
use crate::packet::{ArgsError, Message, Meta};
use crate::pattern::Pattern;

/// A message on its way to one handler: what [`FromContext`] reads from.
///
/// ```
/// use tokio_osc::{Context, FromContext, Rejection, Router};
///
/// /// The address and the route that it matched.
/// struct Way(String);
///
/// impl<S> FromContext<S> for Way {
///     fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
///         Ok(Self(format!("{} by {}", context.message().address(), context.route())))
///     }
/// }
///
/// let router = Router::new().route("/synth/*/freq", |Way(way): Way| println!("{way}"));
/// ```
pub struct Context<'a, S> {
    pub(super) message: &'a Message,
    pub(super) meta: &'a Meta,
    pub(super) endpoint: &'a Endpoint<S>,
    pub(super) state: &'a Arc<S>,
    pub(super) back: &'a WayBack<'a>,
}

impl<'a, S> Context<'a, S> {
    /// The message.
    pub const fn message(&self) -> &'a Message {
        self.message
    }

    /// Where it came from and when.
    pub const fn meta(&self) -> &'a Meta {
        self.meta
    }

    /// The address or pattern of the route that it matched.
    pub const fn route(&self) -> &'a Pattern {
        &self.endpoint.pattern
    }

    /// The router's state.
    pub const fn state(&self) -> &'a Arc<S> {
        self.state
    }
}

impl<S> fmt::Debug for Context<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("message", self.message)
            .field("meta", self.meta)
            .field("route", self.route())
            .finish_non_exhaustive()
    }
}

/// A type that can be a parameter of a handler.
///
/// Extraction is synchronous and order-free: any parameters in any order. A parameter that cannot
/// be had rejects the message for this handler; other handlers still run. To handle a refusal in
/// the handler, ask for `Result<Parameter, Rejection>` or `Option<Parameter>`.
///
/// ```
/// use tokio_osc::{Context, FromContext, Rejection, Router};
///
/// /// The number of arguments.
/// struct Count(usize);
///
/// impl<S> FromContext<S> for Count {
///     fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
///         Ok(Self(context.message().args().count()))
///     }
/// }
///
/// let router = Router::new().route("/any", |Count(n): Count| ("/count", n as i32));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an OSC extractor",
    label = "this parameter of the handler is not an extractor",
    note = "a handler's parameters are extractors: `Args<T>`, `State<S>`, `Captures<T>`, `Message`, `Address`, `Peer`, `Meta`, …, or a type of your own that implements `FromContext`",
    note = "`State<S>` is exactly the type given to `Router::with_state`"
)]
pub trait FromContext<S>: Sized {
    /// Makes the parameter.
    ///
    /// # Errors
    /// The message does not have what is asked for.
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection>;
}

impl<S, T: FromContext<S>> FromContext<S> for Option<T> {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(T::from_context(context).ok())
    }
}

impl<S, T: FromContext<S>> FromContext<S> for Result<T, Rejection> {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(T::from_context(context))
    }
}

/// Why a handler did not get the parameters it asks for: the message does not fit the route.
///
/// It is counted and traced, and the hook [`on_reject`](crate::Router::on_reject) is told; the
/// handler is not called, and nothing else is stopped.
///
/// ```
/// use tokio_osc::{Args, Rejection, Router};
///
/// let router = Router::new().route("/gain", |gain: Result<Args<f32>, Rejection>| match gain {
///     Ok(Args(gain)) => println!("{gain}"),
///     Err(Rejection::Args(error)) => println!("argument {}: {error}", error.index()),
///     Err(rejection) => println!("{rejection}"),
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The arguments are of other types or of another number.
    Args(ArgsError),
    /// A captured part of the address is not what the handler asks for.
    Captures(CaptureError),
    /// The message's address has nothing in the place of the route's captures: it is a pattern
    /// itself, which shares addresses with the route's, but is no name of it; or it has no slash, as
    /// only a [`fallback`](crate::Router::fallback) gets it.
    NoCaptures,
    /// The route was given no extra value, or one of another type.
    Extra,
    /// What the message came by has no way back to its sender.
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

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Args(error) => error.source(),
            Self::Captures(error) => error.source(),
            Self::NoCaptures | Self::Extra | Self::NoWayBack | Self::NotScheduled => None,
        }
    }
}
