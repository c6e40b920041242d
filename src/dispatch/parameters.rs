//! The extractors for single properties of the message, its packet or its route.

use std::any::Any;
use std::sync::Arc;

use super::signature::Signature;
use super::{Context, FromContext, Rejection};
use crate::packet::{Bundle, Message, Meta, Peer, Rest, ScheduleId};
use crate::types::{Address, TimeTag};

/// The message.
impl<S> FromContext<S> for Message {
    fn describe(signature: &mut Signature) {
        signature.takes_any_args();
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.message().clone())
    }
}

/// The bundle of a bundle route: see [`Router::route_bundle`](crate::Router::route_bundle). A handler with
/// this parameter on another route panics when the route is added.
impl<S> FromContext<S> for Bundle {
    fn describe(signature: &mut Signature) {
        signature.bundle = true;
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        context.bundle.cloned().ok_or(Rejection::NotABundle)
    }
}

/// The address of the message, as sent. It may be a pattern.
impl<S> FromContext<S> for Address {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.message().to_address())
    }
}

/// The sender.
impl<S> FromContext<S> for Peer {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.meta().peer)
    }
}

/// The metadata of the packet: its channel and sender, when it was received, how late it runs.
impl<S> FromContext<S> for Meta {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.meta().clone())
    }
}

/// The id under which the bundle of the message waited. A message that did not wait is rejected; take an
/// `Option<ScheduleId>` to receive those too.
impl<S> FromContext<S> for ScheduleId {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        context.meta().schedule_id().ok_or(Rejection::NotScheduled)
    }
}

/// The time tag of the innermost bundle of the message. [`TimeTag::IMMEDIATELY`] for a message on its own.
impl<S> FromContext<S> for TimeTag {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.meta().time_tag.unwrap_or(Self::IMMEDIATELY))
    }
}

/// All arguments, of any types.
impl<S> FromContext<S> for Rest {
    fn describe(signature: &mut Signature) {
        signature.takes_any_args();
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(context.message().parse()?)
    }
}

macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident($type:ty) = |$context:ident| $value:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $type);

        impl<S> FromContext<S> for $name {
            fn describe(_: &mut Signature) {}

            fn from_context($context: &Context<'_, S>) -> Result<Self, Rejection> {
                Ok(Self($value))
            }
        }
    )*};
}

parameters! {
    /// The type tag string of the message, with its comma. Empty if the message has none.
    ///
    /// ```
    /// # use tokio_osc::dispatch::TypeTags;
    /// # use tokio_osc::Router;
    /// let router = Router::new().route("/any", |TypeTags(tags): TypeTags| println!("{tags}"));
    /// ```
    TypeTags(String) = |context| context.message().type_tags().to_owned();

    /// The name of the matching route: its address or pattern; for a route without one `regex …`, `text
    /// prefix …`, `where …` with the name of the predicate, or `fallback`.
    ///
    /// ```
    /// # use tokio_osc::dispatch::MatchedRoute;
    /// # use tokio_osc::Router;
    /// let router = Router::new()
    ///     .route("/synth/*", |MatchedRoute(route): MatchedRoute| println!("{route}"));
    /// ```
    MatchedRoute(Arc<str>) = |context| Arc::clone(&context.endpoint.name);
}

/// The value added to the route with [`On::extra`](crate::dispatch::On::extra).
///
/// Adding a route panics if its handler takes an `Extra` and the route has none, or one of another type. Use
/// `Option<Extra<T>>` if the handler works without.
///
/// ```
/// use tokio_osc::dispatch::{Extra, on};
/// use tokio_osc::{Args, Router};
///
/// fn fader(Extra(name): Extra<&'static str>, Args(level): Args<f32>) {
///     println!("{name}: {level}");
/// }
///
/// let router = Router::new()
///     .route("/1/fader1", on(fader).extra("bass"))
///     .route("/1/fader2", on(fader).extra("lead"));
/// ```
#[derive(Debug)]
pub struct Extra<T>(pub Arc<T>);

impl<S, T: Any + Send + Sync> FromContext<S> for Extra<T> {
    fn describe(signature: &mut Signature) {
        signature.needs_extra::<T>();
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let extra = context.endpoint.extra.clone().ok_or(Rejection::Extra)?;
        extra.downcast().map(Self).map_err(|_| Rejection::Extra)
    }
}
