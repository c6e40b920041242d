//! What a handler's parameters are made from.

use std::fmt;
use std::sync::Arc;

use super::route::Endpoint;
use super::signature::Signature;
use super::{Rejection, ReplyPath};
use crate::packet::{Bundle, Message, Meta};

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
    /// What a route of bundles has taken, the message being its first.
    pub(super) bundle: Option<&'a Bundle>,
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

    /// The name of the route that it matched: its address or pattern; for a route without one `regex …`,
    /// `text prefix …`, `where …` with the name of the predicate, or `fallback`.
    pub fn route(&self) -> &'a str {
        &self.endpoint.name
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
            .field("route", &self.route())
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
    note = "a handler's parameters are extractors: `Args<T>`, `State<S>`, `Captures<T>`, `Message`, `Address`, `Peer`, `Meta`, …, or a type of your own that implements `FromContext`"
)]
pub trait FromContext<S>: Sized {
    /// Says what the parameter needs, for checks when a route is made. An extractor that uses others passes on
    /// what these need. Unless it is overridden, the extractor needs nothing, and may use the extra value of the
    /// route.
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

    /// Makes the parameter.
    ///
    /// # Errors
    /// The message does not have what is asked for.
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
