//! Routes: which handler hears which addresses.

use std::fmt;
use std::sync::Arc;

use super::handler::{self, Extract, Function, Handler, Outcome, Returned};
use super::table::{Found as Routes, RouteId, Table};
use super::{Context, IntoReply, Rejection};
use crate::packet::{Message, Meta};
use crate::pattern::{Pattern, PatternError, Shape, shape_of_received};

/// Which handler hears which addresses, and the state they share.
///
/// A route is an address or a pattern, and so may be the address of a message: a route is taken
/// when the two have an address in common. *All* routes that match are taken, in the order in which
/// they were added. Cost: one hash lookup for literal routes, a walk through a tree of segments for
/// patterns; no regular expressions, no backtracking.
///
/// A handler is a `fn`, an `async fn` or a closure. Its parameters are extractors, any of them in
/// any order; what it returns goes back to the sender.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use tokio_osc::{Args, Captures, Router, State};
///
/// async fn freq(State(hits): State<AtomicU32>, Captures(voice): Captures<u32>, Args(hz): Args<f32>) {
///     hits.fetch_add(1, Ordering::Relaxed);
///     println!("voice {voice}: {hz} Hz");
/// }
///
/// let router = Router::with_state(AtomicU32::new(0))
///     .route("/synth/*/freq", freq)
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// ```
pub struct Router<S = ()> {
    state: Arc<S>,
    table: Table<Handler<S>>,
}

impl Router<()> {
    /// A router without routes and without state.
    pub fn new() -> Self {
        Self::with_state(())
    }
}

impl Default for Router<()> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Send + Sync + 'static> Router<S> {
    /// A router whose handlers share this state, by the extractor [`State`](crate::State).
    pub fn with_state(state: S) -> Self {
        Self { state: Arc::new(state), table: Table::default() }
    }

    /// Adds a route: messages whose address matches `pattern` go to `handler`.
    ///
    /// # Panics
    /// `pattern` is no legal OSC address pattern; the message names the caller's line. For patterns
    /// that are not known at compile time there is [`try_route`](Router::try_route).
    #[track_caller]
    pub fn route<P, F, T, K>(self, pattern: P, handler: F) -> Self
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
        F: Function<T>,
        T: Extract<S>,
        F::Output: Returned<K>,
        <F::Output as Returned<K>>::Value: IntoReply,
        <F::Output as Returned<K>>::Pending: Send + 'static,
    {
        match self.try_route(pattern, handler) {
            Ok(router) => router,
            #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
            Err(error) => panic!("not a legal route: {error}"),
        }
    }

    /// As [`route`](Router::route), for a pattern that may be wrong.
    ///
    /// # Errors
    /// `pattern` is no legal OSC address pattern.
    pub fn try_route<P, F, T, K>(mut self, pattern: P, handler: F) -> Result<Self, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
        F: Function<T>,
        T: Extract<S>,
        F::Output: Returned<K>,
        <F::Output as Returned<K>>::Value: IntoReply,
        <F::Output as Returned<K>>::Pending: Send + 'static,
    {
        let pattern: Pattern = pattern.try_into().map_err(Into::into)?;
        self.table.insert(pattern, handler::erase(handler));
        Ok(self)
    }
}

impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("routes", &self.table.len()).finish()
    }
}

/// A router whose state's type is forgotten.
pub(crate) trait Dispatch: Send + Sync {
    /// The routes that a message matches, in the order in which they were added.
    fn find(&self, message: &Message, routes: &mut Routes) -> Lookup;

    /// Calls the handler of a route; `None` if there is no such route any more.
    fn call(&self, route: RouteId, message: &Message, meta: &Meta) -> Option<Result<Outcome, Rejection>>;
}

/// What became of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It has routes.
    Matched,
    /// It has none.
    Unmatched,
    /// It is no legal pattern, and so has none.
    Illegal,
}

impl<S: Send + Sync + 'static> Dispatch for Router<S> {
    fn find(&self, message: &Message, routes: &mut Routes) -> Lookup {
        let address = message.address().as_bytes();
        match shape_of_received(address) {
            Ok(Shape::Literal) => self.table.find(address, routes),
            Ok(Shape::Wild) => match Pattern::from_wire(message.to_address().into_bytes()) {
                Ok(pattern) => self.table.find_shared(&pattern, routes),
                Err(_) => return Lookup::Illegal,
            },
            Err(_) => {
                routes.clear();
                return Lookup::Illegal;
            }
        }
        if routes.ids().is_empty() { Lookup::Unmatched } else { Lookup::Matched }
    }

    fn call(&self, route: RouteId, message: &Message, meta: &Meta) -> Option<Result<Outcome, Rejection>> {
        let handler = self.table.get(route)?;
        let pattern = self.table.pattern(route)?;
        Some(handler(&Context::new(message, meta, pattern, &self.state)))
    }
}
