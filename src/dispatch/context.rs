//! The context from which a handler's parameters are extracted.

use std::fmt;
use std::sync::Arc;

use super::route::Endpoint;
use super::signature::Signature;
use super::{Rejection, ReplyPath};
use crate::packet::{Bundle, Message, Meta};

/// A message for one handler, from which [`FromContext`] extracts parameters.
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
    /// The bundle of a bundle route. The message is its first one.
    pub(super) bundle: Option<&'a Bundle>,
    pub(super) meta: &'a Meta,
    pub(super) endpoint: &'a Endpoint<S>,
    pub(super) state: &'a Arc<S>,
    pub(super) replies: &'a ReplyPath<'a>,
}

impl<'a, S> Context<'a, S> {
    /// Returns the message.
    pub const fn message(&self) -> &'a Message {
        self.message
    }

    /// Returns the metadata: the sender, the channel, the time.
    pub const fn meta(&self) -> &'a Meta {
        self.meta
    }

    /// Returns the name of the matching route: its address or pattern; for a route without one `regex …`,
    /// `text prefix …`, `where …` with the name of the predicate, or `fallback`.
    pub fn route(&self) -> &'a str {
        &self.endpoint.name
    }

    /// Returns the state of the router.
    pub const fn state(&self) -> &'a Arc<S> {
        self.state
    }
}

impl<S> fmt::Debug for Context<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("message", self.message)
            .field("meta", self.meta)
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}

/// A type that can be a parameter of a handler: an extractor.
///
/// Extraction is synchronous, and parameters can be in any order. If a parameter cannot be extracted, the
/// message is rejected for this handler; other handlers still run. To handle the rejection in the handler,
/// use `Result<Parameter, Rejection>` or `Option<Parameter>`.
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
    note = "a handler's parameters are extractors: `Args<T>`, `State<S>`, `Captures<T>`, `Message`, `Address`, `Peer`, `Meta`, …, or a type of your own that implements `FromContext`"
)]
pub trait FromContext<S>: Sized {
    /// Describes what the parameter needs, for checks when a route is added. The default needs nothing. An
    /// extractor that uses other extractors passes their needs on.
    ///
    /// ```
    /// use tokio_osc::dispatch::{Context, Extra, FromContext, Rejection, Signature, on};
    /// use tokio_osc::Router;
    ///
    /// struct Channel(u8);
    ///
    /// impl<S> FromContext<S> for Channel {
    ///     fn describe(signature: &mut Signature) {
    ///         <Extra<u8> as FromContext<S>>::describe(signature);
    ///     }
    ///
    ///     fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
    ///         Ok(Self(*Extra::<u8>::from_context(context)?.0))
    ///     }
    /// }
    ///
    /// let router = Router::new().route("/1", on(|Channel(n): Channel| println!("{n}")).extra(1_u8));
    /// ```
    fn describe(signature: &mut Signature) {
        // It has not said that it uses none.
        signature.takes_extra = true;
    }

    /// Extracts the parameter.
    ///
    /// # Errors
    /// Returns an error if the message does not have the parameter.
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection>;
}

impl<S, T: FromContext<S>> FromContext<S> for Option<T> {
    fn describe(signature: &mut Signature) {
        signature.optional(T::describe);
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(T::from_context(context).ok())
    }
}

impl<S, T: FromContext<S>> FromContext<S> for Result<T, Rejection> {
    fn describe(signature: &mut Signature) {
        signature.optional(T::describe);
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(T::from_context(context))
    }
}
