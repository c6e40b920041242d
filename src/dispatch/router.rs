//! Routes: which handler hears which addresses.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::handler::{Erased, Handler};
use super::route::{Condition, Route, Tags};
use super::routes::{Current, Dispatch, Snapshot};
use super::table::{Reach, RouteId};
use super::{Context, Lane, Rejection};
use crate::packet::{Message, Meta};
use crate::pattern::{Pattern, PatternError};

/// Which handler hears which addresses, and the state they share.
///
/// A route is an address or a pattern, and so may be the address of a message: a route is taken
/// when the two have an address in common. *All* routes that match are taken, in the order in which
/// they were added. Cost: one hash lookup for literal routes, a walk through a tree of segments for
/// patterns; no regular expressions, no backtracking.
///
/// A handler is a `fn`, an `async fn` or a closure. Its parameters are extractors, any of them in
/// any order; what it returns goes back to the sender. Handlers run one after the other, unless
/// their route has a [`Lane`] of its own.
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
///
/// What stands behind a route says more about *that* route: [`tags`](Router::tags),
/// [`extra`](Router::extra), [`on_task`](Router::on_task), [`on_lane`](Router::on_lane),
/// [`concurrent`](Router::concurrent).
pub struct Router<S = ()> {
    pub(super) routes: Arc<Current<S>>,
    last: Option<RouteId>,
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
        Self { routes: Arc::new(Current::new(Snapshot::new(Arc::new(state)))), last: None }
    }

    /// Adds a route: messages whose address matches `pattern` go to `handler`.
    ///
    /// # Panics
    /// `pattern` is not a legal OSC address pattern; the message names the caller's line. For patterns
    /// that are not known at compile time there is [`try_route`](Router::try_route).
    #[track_caller]
    pub fn route<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Self
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = legal(pattern);
        self.add(|routes| {
            let route = Route::new(pattern.clone(), handler.erase());
            routes.table.insert(pattern, Arc::new(route))
        })
    }

    /// As [`route`](Router::route), for a pattern that may be wrong.
    ///
    /// ```
    /// use tokio_osc::pattern::PatternErrorKind;
    /// use tokio_osc::Router;
    ///
    /// let error = Router::new().try_route("/mixer/[1-", || {}).unwrap_err();
    /// assert_eq!(error.kind(), PatternErrorKind::UnclosedSet);
    /// ```
    ///
    /// # Errors
    /// `pattern` is not a legal OSC address pattern.
    pub fn try_route<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Result<Self, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern: Pattern = pattern.try_into().map_err(Into::into)?;
        Ok(self.route(pattern, handler))
    }

    /// Adds a route for the addresses of a pattern and all below them, whole parts only:
    /// `/test` matches `/test` and `/test/here`, not `/testing`.
    ///
    /// # Panics
    /// As [`route`](Router::route).
    #[track_caller]
    pub fn route_prefix<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Self
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = legal(pattern);
        self.add(|routes| {
            let route = Route::reaching(pattern.clone(), Reach::Below, handler.erase());
            routes.table.insert_reaching(pattern, Reach::Below, Arc::new(route))
        })
    }

    /// Adds a route for all addresses whose text begins with `prefix`: `/test` matches `/testing`
    /// as well, as in osc4py3. It is tried on every message, on the whole address, also in a router
    /// that is nested.
    ///
    /// ```
    /// use tokio_osc::Router;
    ///
    /// let router = Router::new().route_text_prefix("/test", || println!("/test, /testing, /test/1"));
    /// ```
    pub fn route_text_prefix<M>(self, prefix: impl Into<String>, handler: impl Handler<S, M>) -> Self {
        let prefix = prefix.into();
        self.route_where(move |message| message.address().as_bytes().starts_with(prefix.as_bytes()), handler)
    }

    /// Adds a route for all messages of which `predicate` says so; it is asked for every message
    /// whose address is legal, on the task that dispatches. It sees whole addresses, also in a
    /// router that is nested. If it panics, that is counted, and the answer is no.
    ///
    /// ```
    /// use tokio_osc::{Message, Router};
    ///
    /// let router = Router::new()
    ///     .route_where(|message| message.args().count() > 8, |message: Message| println!("long: {message}"));
    /// ```
    pub fn route_where<W, M>(self, predicate: W, handler: impl Handler<S, M>) -> Self
    where
        W: Fn(&Message) -> bool + Send + Sync + 'static,
    {
        let router = self.route(Pattern::literal("//"), handler);
        router.amend(|route| route.conditions.push(Condition::Where(Arc::new(predicate))))
    }

    /// Adds a route for the addresses that a regular expression matches from their first character
    /// on; it is tried on every message whose address is UTF-8, on the whole address, also in a
    /// router that is nested. In osc4py3: `patternkind="re"`.
    ///
    /// ```
    /// use tokio_osc::{Router, regex::Regex};
    ///
    /// let digits = Regex::new(r"/track/\d+/(volume|pan)$").expect("a legal expression");
    /// let router = Router::new().route_regex(digits, || println!("a track"));
    /// ```
    #[cfg(feature = "regex")]
    pub fn route_regex<M>(self, regex: regex::Regex, handler: impl Handler<S, M>) -> Self {
        let matches = move |message: &Message| {
            let address = message.address().to_str().ok();
            address.and_then(|address| regex.find(address)).is_some_and(|found| found.start() == 0)
        };
        self.route_where(matches, handler)
    }

    /// The route before takes only messages with one of these type tag strings, written without
    /// comma and separated by `|`; for others it is as if it were not there.
    ///
    /// ```
    /// use tokio_osc::{Args, Router};
    ///
    /// let router = Router::new()
    ///     .route("/gain", |Args(db): Args<f32>| println!("{db} dB"))
    ///     .tags("f|d")
    ///     .route("/gain", |Args(name): Args<String>| println!("preset {name}"))
    ///     .tags("s");
    /// ```
    ///
    /// # Panics
    /// There is no route before, or a type tag is one that OSC does not define.
    #[track_caller]
    pub fn tags(self, selector: &str) -> Self {
        let tags = Tags::new(selector);
        assert!(tags.is_some(), "{selector:?} names a type tag that OSC does not define");
        self.amend(|route| route.conditions.extend(tags.map(Condition::Tags)))
    }

    /// Gives the handler of the route before a value, by the extractor [`Extra`](crate::dispatch::Extra): one
    /// function can serve several routes.
    ///
    /// # Panics
    /// There is no route before.
    #[track_caller]
    pub fn extra<E: Any + Send + Sync>(self, value: E) -> Self {
        self.amend(|route| Arc::make_mut(&mut route.endpoint).extra = Some(Arc::new(value)))
    }

    /// Runs the handler of the route before in a task of its own: one call at a time, in order,
    /// where at most `capacity` messages wait. It neither delays other routes nor is delayed by
    /// them, as long as there is room.
    ///
    /// # Panics
    /// There is no route before.
    #[track_caller]
    pub fn on_task(self, capacity: usize) -> Self {
        self.on_lane(&Lane::new(capacity))
    }

    /// Runs the handler of the route before in a [`Lane`], which it may share with others.
    ///
    /// # Panics
    /// There is no route before.
    #[track_caller]
    pub fn on_lane(self, lane: &Lane) -> Self {
        self.amend(|route| route.lane = Some(lane.clone()))
    }

    /// Runs up to `calls` calls of the route before at the same time, and lets as many wait. Gives
    /// up their order, and that the messages of a bundle run together.
    ///
    /// # Panics
    /// There is no route before.
    #[track_caller]
    pub fn concurrent(self, calls: usize) -> Self {
        self.on_lane(&Lane::new(calls).workers(calls))
    }

    /// The handler of messages that match no route.
    pub fn fallback<M>(self, handler: impl Handler<S, M>) -> Self {
        let route = Arc::new(Route::new(Pattern::literal("//"), handler.erase()));
        self.add(|routes| {
            let id = routes.table.insert_reaching(Pattern::literal("//"), Reach::Nothing, route);
            routes.fallback = Some(id);
            id
        })
    }

    /// Called whenever a message does not have what a handler asks for.
    ///
    /// ```
    /// use tokio_osc::{Args, Router};
    ///
    /// let router = Router::new()
    ///     .route("/gain", |Args(_): Args<f32>| {})
    ///     .on_reject(|message, meta, rejection| eprintln!("{} from {}: {rejection}", message.address(), meta.peer));
    /// ```
    pub fn on_reject(self, hook: impl Fn(&Message, &Meta, &Rejection) + Send + Sync + 'static) -> Self {
        self.routes.change(|routes| routes.on_reject = Some(Arc::new(hook)));
        self
    }

    /// Adds all routes of another router, as they are now, below a prefix; they keep their own state,
    /// their order, and what was said of them. Its fallback and its hook are left behind.
    ///
    /// ```
    /// use tokio_osc::{Args, Captures, Router};
    ///
    /// let channel = Router::new()
    ///     .route("/gain", |Captures(n): Captures<u8>, Args(db): Args<f32>| println!("{n}: {db} dB"))
    ///     .route("/mute", |Captures(n): Captures<u8>| println!("{n}: mute"));
    /// let mixer = Router::new().nest("/mixer/*", channel);      // /mixer/3/gain, /mixer/3/mute
    /// ```
    ///
    /// # Panics
    /// `prefix` and a pattern make no legal pattern together, or `prefix` ends with `/`.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the router is used up: its routes live on in this one"
    )]
    pub fn nest<S2: Send + Sync + 'static>(self, prefix: &str, other: Router<S2>) -> Self {
        assert!(!prefix.ends_with('/'), "a prefix does not end with a slash: {prefix:?}");
        self.adopt(prefix, &other)
    }

    /// Adds all routes of another router, as they are now; they keep their own state, their order,
    /// and what was said of them. Its fallback and its hook are left behind.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the router is used up: its routes live on in this one"
    )]
    pub fn merge<S2: Send + Sync + 'static>(self, other: Router<S2>) -> Self {
        self.adopt("", &other)
    }

    #[track_caller]
    fn adopt<S2: Send + Sync + 'static>(mut self, prefix: &str, other: &Router<S2>) -> Self {
        let adopted = other.moved(prefix);
        self.routes.change(|routes| routes.adopt(adopted));
        self.last = None;
        self
    }

    /// Its routes below a prefix, for a router with another state.
    #[track_caller]
    pub(super) fn moved<S2>(&self, prefix: &str) -> Vec<(Reach, Route<S2>)> {
        let own = self.routes.snapshot();
        let mut moved = Vec::new();
        for (pattern, reach, route) in own.table.routes() {
            let pattern = legal(format!("{prefix}{pattern}"));
            let handler = Arc::clone(&route.endpoint.handler);
            let endpoint = Arc::new(route.endpoint.moved(pattern.clone(), handler));
            let state = Arc::clone(&own.state);
            let inner = Arc::clone(&endpoint);
            let handler: Erased<S2> = Box::new(move |context| {
                let Context { message, meta, replies, .. } = *context;
                inner.call(&Context { message, meta, endpoint: &inner, state: &state, replies })
            });
            let endpoint = Arc::new(endpoint.moved(pattern, Arc::new(handler)));
            moved.push((
                reach,
                Route { endpoint, conditions: route.conditions.clone(), lane: route.lane.clone() },
            ));
        }
        moved
    }

    fn add(mut self, insert: impl FnOnce(&mut Snapshot<S>) -> RouteId) -> Self {
        self.last = Some(self.routes.change(insert));
        self
    }

    /// Changes the route that was added last.
    #[track_caller]
    fn amend(self, change: impl FnOnce(&mut Route<S>)) -> Self {
        let amended = self.routes.change(|routes| {
            let route = self.last.and_then(|id| routes.table.get_mut(id));
            route.map(|route| change(Arc::make_mut(route)))
        });
        // Out here the place of the panic is the caller's.
        assert!(amended.is_some(), "there is no route before this");
        self
    }

    pub(crate) fn into_dispatch(self) -> Arc<dyn Dispatch> {
        self.routes
    }
}

#[track_caller]
pub(super) fn legal<P>(pattern: P) -> Pattern
where
    P: TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    match pattern.try_into().map_err(Into::into) {
        Ok(pattern) => pattern,
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        Err(error) => panic!("not a legal route: {error}"),
    }
}

impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("routes", &self.routes.snapshot().table.len()).finish_non_exhaustive()
    }
}
