//! What a handler's parameters are made from.

use std::fmt;
use std::sync::Arc;

use super::route::Endpoint;
use super::{Rejection, ReplyPath};
use crate::packet::{Message, Meta};
use crate::pattern::Pattern;

/// A message on its way to one handler: what [`FromContext`] reads from.
///
/// ```
/// use tokio_osc::dispatch::{Context, FromContext, Rejection};
/// use tokio_osc::Router;
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
    pub(super) replies: ReplyPath<'a>,
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
/// use tokio_osc::dispatch::{Context, FromContext, Rejection};
/// use tokio_osc::Router;
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
