//! A handler, and the options of its route.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use super::conditions::{Condition, Tags};
use super::handler::{Erased, Extract, Function, Returned};
use super::instances::{Instances, IntoInstances};
use super::route::{CaptureRule, ExtraValue, Route, RouteOptions};
use super::signature::Signature;
use super::table::Reach;
use super::{IntoReply, Lane};
use crate::pattern::Pattern;
use crate::types::TextBuf;

/// Maximum number of waiting addresses in the lane of [`On::latest`].
const LATEST: usize = 1_024;

/// A handler of a route: a function or closure of up to 8 extractors, or the result of [`on`].
///
/// Implemented for all functions whose parameters are extractors
/// ([`FromContext`](crate::dispatch::FromContext)) and whose result is a reply ([`IntoReply`]) or a future of
/// one. The compiler infers `M`. Your own functions that take a handler need one bound:
///
/// ```
/// use tokio_osc::dispatch::Handler;
/// use tokio_osc::{Args, Router};
///
/// fn at_all<M>(addresses: &[&str], handler: impl Handler<(), M> + Clone) -> Router {
///     addresses.iter().fold(Router::new(), |router, &at| router.route(at, handler.clone()))
/// }
///
/// let router = at_all(&["/bass", "/lead"], |Args(gain): Args<f32>| println!("{gain}"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an OSC handler",
    label = "not an OSC handler",
    note = "a handler is a `fn`, an `async fn` or a closure of up to 8 extractors that is `Send`, `Sync` and `'static`, not its result; options of its route follow `on(handler)`, as in `on(handler).tags(…)`",
    note = "what `on` returns fits a router with the state that its handler asks for",
    note = "a closure that captures and awaits is written `move |…| {{ let c = c.clone(); async move {{ … }} }}`"
)]
pub trait Handler<S, M> {
    #[doc(hidden)]
    fn into_on(self) -> On<S>;
}

impl<S, F, T, K> Handler<S, (T, K)> for F
where
    S: 'static,
    F: Function<T>,
    T: Extract<S>,
    F::Output: Returned<K>,
    <F::Output as Returned<K>>::Value: IntoReply,
    <F::Output as Returned<K>>::Pending: Send + 'static,
{
    fn into_on(self) -> On<S> {
        let handler: Erased<S> = Arc::new(move |context| {
            let parameters = T::extract(context).map_err(Box::new)?;
            Ok(self.call(parameters).outcome())
        });
        On::new::<F, T>(handler)
    }
}

/// Marks the result of `on`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Made;

#[diagnostic::do_not_recommend]
impl<S> Handler<S, Made> for On<S> {
    fn into_on(self) -> Self {
        self
    }
}

/// Wraps a handler to configure its route: see [`On`].
///
/// ```
/// use tokio_osc::dispatch::{Extra, on};
/// use tokio_osc::{Args, Router};
///
/// fn gain(Extra(channel): Extra<u8>, Args(db): Args<f32>) {
///     println!("{channel}: {db} dB");
/// }
///
/// let router = Router::new()
///     .route("/1/gain", on(gain).extra(1_u8).tags("f|d"))
///     .route("/2/gain", on(gain).extra(2_u8).on_task(64));
/// ```
pub fn on<S, M>(handler: impl Handler<S, M>) -> On<S> {
    handler.into_on()
}

/// A handler with the options of its route. Returned by [`on`], and accepted by every method of a
/// [`Router`](crate::Router) that takes a handler.
///
/// It is a value that can be kept, cloned and completed. The order of the options does not matter.
///
/// ```
/// use tokio_osc::dispatch::{Extra, on};
/// use tokio_osc::{Args, Router};
///
/// fn level(Extra(name): Extra<&'static str>, Args(level): Args<f32>) {
///     println!("{name}: {level}");
/// }
///
/// let fader = on(level).tags("f");
/// let router = ["bass", "lead", "pad"].into_iter().fold(Router::new(), |router, name| {
///     router.route(format!("/mix/{name}"), fader.clone().extra(name))
/// });
/// ```
#[must_use = "it does nothing until it is given to a route"]
pub struct On<S> {
    handler: Erased<S>,
    pub(super) options: RouteOptions,
    /// The name of the type of the handler: for a function its path.
    name: &'static str,
    signature: Arc<Signature>,
}

impl<S> On<S> {
    /// Creates it for a handler of type `F` with the parameters `T`.
    pub(super) fn new<F, T: Extract<S>>(handler: Erased<S>) -> Self {
        let mut signature = Signature::default();
        T::describe(&mut signature);
        Self {
            handler,
            options: RouteOptions::default(),
            name: type_name::<F>(),
            signature: Arc::new(signature),
        }
    }

    /// Restricts the route to messages with one of these type tag strings, written without comma and
    /// separated by `|`. For other messages, the route does not match.
    ///
    /// ```
    /// use tokio_osc::dispatch::on;
    /// use tokio_osc::{Args, Router};
    ///
    /// let router = Router::new()
    ///     .route("/gain", on(|Args(db): Args<f32>| println!("{db} dB")).tags("f|d"))
    ///     .route("/gain", on(|Args(name): Args<String>| println!("preset {name}")).tags("s"));
    /// ```
    ///
    /// # Panics
    /// Panics if a type tag is not one that OSC defines.
    #[track_caller]
    pub fn tags(mut self, selector: &str) -> Self {
        match Tags::new(selector) {
            Ok(tags) => self.options.conditions.push(Condition::Tags(tags)),
            #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
            Err(tag) => panic!("`{tag}` in {selector:?} is not an OSC type tag"),
        }
        self
    }

    /// Adds a value for the extractor [`Extra`](crate::dispatch::Extra), so that one function can serve
    /// several routes.
    ///
    /// # Panics
    /// Adding the route panics if the handler takes no extra value, or one of another type.
    pub fn extra<E: Any + Send + Sync>(mut self, value: E) -> Self {
        self.options.extra = Some(ExtraValue { value: Arc::new(value), type_name: type_name::<E>() });
        self
    }

    /// Runs the handler in its own task, one call at a time, in order, with at most `capacity` queued
    /// messages. It does not delay other routes, and they do not delay it, while there is room.
    pub fn on_task(self, capacity: usize) -> Self {
        self.on_lane(&Lane::new(capacity))
    }

    /// Runs the handler in its own task, with only the newest message of each address in the queue. For
    /// faders and sensors with a slow handler. Addresses are handled in the order in which they started to
    /// wait. At most 1,024 addresses wait. Replaced messages are counted as
    /// [`overflowed`](crate::server::Stats::overflowed). For another limit use [`Lane::latest`].
    ///
    /// ```
    /// use tokio_osc::dispatch::on;
    /// use tokio_osc::{Args, Captures, Router};
    ///
    /// async fn move_motor(Captures(fader): Captures<u8>, Args(level): Args<f32>) {
    ///     // … takes 10 ms …
    /// }
    ///
    /// let router = Router::new().route("/fader/*", on(move_motor).latest());
    /// ```
    pub fn latest(self) -> Self {
        self.on_lane(&Lane::new(LATEST).latest())
    }

    /// Runs the handler in a [`Lane`], which several routes may share.
    pub fn on_lane(mut self, lane: &Lane) -> Self {
        self.options.lane = Some(lane.clone());
        self
    }

    /// Runs up to `calls` calls at the same time, with the same number of queued calls. Calls run out of
    /// order, and the messages of a bundle no longer run together.
    pub fn concurrent(self, calls: usize) -> Self {
        self.on_lane(&Lane::new(calls).workers(calls))
    }

    /// Runs the handler on the threads of Tokio's blocking pool, where it may block: up to `calls` calls at the
    /// same time, and the same number of queued calls. With one, calls run in order. With more, they run out of
    /// order, and the messages of a bundle no longer run together. When the queue is full, the server waits, as with
    /// [`concurrent`](Self::concurrent). For another policy use [`Lane::blocking`].
    ///
    /// Use it for handlers that block their thread: `std::thread::sleep`, file I/O, a contended lock, long
    /// computations. Elsewhere such a handler occupies a worker thread of the runtime, and delays the server.
    /// A blocking call cannot be cancelled: a shutdown waits for it, up to its deadline, and Tokio's runtime does
    /// not end before the call does.
    ///
    /// ```
    /// use tokio_osc::dispatch::on;
    /// use tokio_osc::{Args, Router};
    ///
    /// fn save(Args(name): Args<String>) -> Result<(&'static str, String), std::io::Error> {
    ///     std::fs::write(std::env::temp_dir().join("tokio-osc-preset"), &name)?;
    ///     Ok(("/saved", name))
    /// }
    ///
    /// let router = Router::new().route("/preset/save", on(save).blocking(4));
    /// ```
    pub fn blocking(self, calls: usize) -> Self {
        self.on_lane(&Lane::new(calls).workers(calls).blocking())
    }

    /// Makes one literal route for each value of the `*` of the pattern, or, given a tuple, for each combination of
    /// values of several `*`. The values are the captures, even if the address of the message is a pattern: a
    /// message to `/synth/{1,3}/note` runs the handler twice, with 1 and with 3, and one to `/synth/*/note` runs it
    /// for all.
    ///
    /// ```
    /// use tokio_osc::dispatch::on;
    /// use tokio_osc::{Args, Captures, Router};
    ///
    /// fn note(Captures(voice): Captures<u32>, Args(note): Args<i32>) -> (&'static str, (i32, i32)) {
    ///     ("/played", (voice as i32, note))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let router = Router::new().route("/synth/*/note", on(note).instances(1..=8));
    /// let played = router.call(("/synth/{1,3}/note", 60)).await;
    /// assert_eq!(played[0].to_string(), "/played ,ii 1 60");
    /// assert_eq!(played[1].to_string(), "/played ,ii 3 60");
    /// assert!(router.call(("/synth/9/note", 60)).await.is_empty());
    /// # }
    /// ```
    ///
    /// # Panics
    /// Adding the route panics if its pattern has another number of `*` or other wildcards, if a value cannot
    /// be a part of an address or is given twice, or if there are more than 4,096 instances.
    pub fn instances<K>(mut self, values: impl IntoInstances<K>) -> Self {
        self.options.instances = Some(Instances(values.into_instances()));
        self
    }

    /// Returns its routes for a pattern: one, or one for each instance.
    ///
    /// # Panics
    /// Panics if the handler needs a value that the route does not have, or the instances do not fit the
    /// pattern.
    #[track_caller]
    pub(super) fn routes(&self, pattern: &Pattern, reach: Reach) -> Vec<(Reach, Route<S>)> {
        self.routes_named(&pattern.to_string(), pattern, reach)
    }

    /// Returns its route under another name.
    #[track_caller]
    pub(super) fn routes_named(&self, name: &str, pattern: &Pattern, reach: Reach) -> Vec<(Reach, Route<S>)> {
        self.check(name, reach == Reach::Bundle);
        let route = |name: &str, address: Pattern, values: Vec<TextBuf>| {
            let captures = CaptureRule::new(pattern.clone(), reach, values);
            let (handler, signature) = (Arc::clone(&self.handler), Arc::clone(&self.signature));
            (reach, Route::new(name, address, captures, handler, signature, &self.options))
        };
        let Some(instances) = &self.options.instances else {
            return vec![route(name, pattern.clone(), Vec::new())];
        };
        let instances = instances.of(pattern).into_iter();
        instances
            .map(|instance| route(&instance.address.to_string(), instance.address, instance.values))
            .collect()
    }

    /// Checks that the route has everything that the handler needs.
    #[track_caller]
    fn check(&self, route: &str, of_bundles: bool) {
        let (handler, extra) = (self.name, self.options.extra.as_ref());
        assert!(
            of_bundles || !self.signature.bundle,
            "route {route:?}: the handler `{handler}` takes a `Bundle`, but the route is one of messages: write \
             `route_bundle`"
        );
        let unused = extra.filter(|_| !self.signature.takes_extra).map(|extra| extra.type_name);
        assert!(
            unused.is_none(),
            "route {route:?} has an extra value of type `{}`, but the handler `{handler}` takes no `Extra<_>`",
            unused.unwrap_or_default()
        );
        self.options.about.check(route, handler, &self.signature);
        for &(wanted, wanted_name) in &self.signature.extras {
            let given = extra.map(|extra| extra.type_name);
            let fits = extra.is_some_and(|extra| (*extra.value).type_id() == wanted);
            assert!(fits, "{}", Misfit { route, handler, wanted: wanted_name, given });
        }
    }
}

/// Panics because the extra value of a route does not fit its handler.
struct Misfit<'a> {
    route: &'a str,
    handler: &'static str,
    wanted: &'static str,
    given: Option<&'static str>,
}

impl fmt::Display for Misfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, handler, wanted, given } = self;
        write!(f, "route {route:?}: the handler `{handler}` takes `Extra<{wanted}>`, but the route has ")?;
        let Some(given) = given else {
            return f.write_str("no extra value: write `on(handler).extra(…)`");
        };
        write!(f, "an extra value of type `{given}`")?;
        if wanted.starts_with("fn(") && !given.starts_with("fn(") {
            write!(f, " (a function item is not a function pointer: write `as {wanted}`)")?;
        }
        Ok(())
    }
}

impl<S> Clone for On<S> {
    fn clone(&self) -> Self {
        Self {
            handler: Arc::clone(&self.handler),
            options: self.options.clone(),
            name: self.name,
            signature: Arc::clone(&self.signature),
        }
    }
}

impl<S> fmt::Debug for On<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On")
            .field("handler", &self.name)
            .field("lane", &self.options.lane)
            .finish_non_exhaustive()
    }
}
