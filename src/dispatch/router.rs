//! Routes: which handler receives which addresses.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use super::conditions::{Condition, Predicate};
use super::handler::Erased;
use super::on::Handler;
use super::route::Route;
use super::route_pattern::{check_spelling, legal_or_panic, route_pattern, try_route_pattern};
use super::routes::{Current, Dispatch, Snapshot};
use super::table::Reach;
use super::{Context, On, Rejection};
use crate::packet::{Message, Meta};
use crate::pattern::{Pattern, PatternError};

/// Maps addresses to handlers, and holds the state that the handlers share.
///
/// A route is an address or a pattern. The address of a message may be a pattern too. A route matches if the
/// two have at least one address in common. *All* matching routes run, in the order in which they were added.
/// Literal routes cost one hash look-up, patterns a walk through a tree of parts. Matching never backtracks.
///
/// A handler is a `fn`, an `async fn` or a closure. Its parameters are extractors, in any order. Its return
/// value is sent to the sender. Handlers run one after the other, unless their route has its own
/// [`Lane`](crate::dispatch::Lane).
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use tokio_osc::{Args, Captures, Router, State};
///
/// async fn freq(hits: State<AtomicU32>, Captures(voice): Captures<u32>, Args(hz): Args<f32>) {
///     hits.fetch_add(1, Ordering::Relaxed);
///     println!("voice {voice}: {hz} Hz");
/// }
///
/// let router = Router::with_state(AtomicU32::new(0))
///     .route("/synth/*/freq", freq)
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// ```
///
/// Options of a route are set on its handler, with [`on`](crate::dispatch::on):
///
/// ```
/// use tokio_osc::dispatch::on;
/// use tokio_osc::{Args, Captures, Router};
///
/// async fn save(Args(name): Args<String>) { /* … */ }
///
/// let router = Router::new()
///     .route("/gain", on(|Args(db): Args<f32>| println!("{db} dB")).tags("f|d"))
///     .route("/save", on(save).on_task(64))
///     .route("/fader/*", on(async |Args(level): Args<f32>| { /* slow */ }).latest())
///     .route("/voice/*/note", on(|Captures(n): Captures<u8>| println!("{n}")).instances(1..=8));
/// ```
pub struct Router<S = ()> {
    pub(super) routes: Arc<Current<S>>,
}

impl Router<()> {
    /// Creates a router without routes and without state.
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
    /// Creates a router whose handlers share this state, by the extractor [`State`](crate::State).
    pub fn with_state(state: S) -> Self {
        Self::with_shared(Arc::new(state))
    }

    /// Same as [`with_state`](Router::with_state), for state that is shared with others, such as an HTTP server.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use tokio_osc::{Router, State};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hits = Arc::new(AtomicU32::new(0));
    /// let router = Router::with_shared(Arc::clone(&hits))
    ///     .route("/hit", |hits: State<AtomicU32>| { hits.fetch_add(1, Ordering::Relaxed); });
    /// router.call(("/hit", ())).await;
    /// assert_eq!(hits.load(Ordering::Relaxed), 1);
    /// # }
    /// ```
    pub fn with_shared(state: Arc<S>) -> Self {
        Self { routes: Arc::new(Current::new(Snapshot::new(state))) }
    }

    /// Adds a route: messages whose address matches `pattern` are passed to `handler`. For a name with
    /// brackets or without a leading slash, use [`Pattern::exact`].
    ///
    /// # Panics
    /// Panics at the caller's line if one of these holds:
    ///
    /// - `pattern` is not a valid OSC address pattern. For patterns that are known only at run time, use
    ///   [`try_route`](Router::try_route).
    /// - It is a text with a part that web frameworks would capture: `{n}`, `:n` or `<n>`. The OSC spelling
    ///   is `*`. A [`Pattern`] is used unchanged.
    /// - The handler takes an [`Extra`](crate::dispatch::Extra) that the route does not have, or a
    ///   [`Bundle`](crate::Bundle).
    #[track_caller]
    pub fn route<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Self
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = route_pattern(pattern);
        self.add(handler.into_on().routes(&pattern, Reach::Exact))
    }

    /// Same as [`route`](Router::route), for a pattern that is known only at run time. It is used unchanged.
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
    /// Returns an error if `pattern` is not a legal OSC address pattern, or is a text with a part in the spelling of
    /// web frameworks.
    ///
    /// # Panics
    /// Panics if the handler and the route do not fit: see [`route`](Router::route).
    #[track_caller]
    pub fn try_route<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Result<Self, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = try_route_pattern(pattern)?;
        Ok(self.route(pattern, handler))
    }

    /// Adds a route for bundles: a bundle whose first message matches `pattern` is passed to `handler` as a
    /// unit, with the extractor [`Bundle`](crate::Bundle), at its time tag. Use it for frames such as those
    /// of TUIO, whose messages belong together.
    ///
    /// The messages and inner bundles of such a bundle are not dispatched separately: no other route receives
    /// them. All matching bundle routes run. Other extractors, and [`tags`](crate::dispatch::On::tags), apply
    /// to the first message.
    ///
    /// ```
    /// use tokio_osc::{Bundle, Router};
    ///
    /// fn frame(frame: Bundle) -> (&'static str, i32) {
    ///     ("/seen", frame.elements().count() as i32)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let router = Router::new().route_bundle("/tuio/2Dcur", frame);
    /// let cursors = Bundle::immediately()
    ///     .with(("/tuio/2Dcur", ("alive", 12)))
    ///     .with(("/tuio/2Dcur", ("set", 12, 0.5_f32, 0.5_f32)))
    ///     .with(("/tuio/2Dcur", ("fseq", 1)));
    /// assert_eq!(router.call(cursors).await[0].to_string(), "/seen ,i 3");
    /// # }
    /// ```
    ///
    /// # Panics
    /// Same as [`route`](Router::route), except that the handler may take a [`Bundle`](crate::Bundle).
    #[track_caller]
    pub fn route_bundle<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Self
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = route_pattern(pattern);
        self.add(handler.into_on().routes(&pattern, Reach::Bundle))
    }

    /// Adds a route for the addresses of a pattern and everything below them, in whole parts: `/test` matches
    /// `/test` and `/test/here`, not `/testing`.
    ///
    /// # Panics
    /// Same as [`route`](Router::route). Also panics if the pattern is [exact](Pattern::exact), which has nothing
    /// below it.
    #[track_caller]
    pub fn route_prefix<P, M>(self, pattern: P, handler: impl Handler<S, M>) -> Self
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = route_pattern(pattern);
        assert!(!pattern.is_exact(), "an exact route has nothing below it: {pattern:?}");
        self.add(handler.into_on().routes(&pattern, Reach::Below))
    }

    /// Adds a route for all addresses whose text begins with `prefix`: `/test` also matches `/testing`, as in
    /// osc4py3. It is checked for every message against the whole address, even in a nested router.
    ///
    /// ```
    /// use tokio_osc::Router;
    ///
    /// let router = Router::new()
    ///     .route_text_prefix("/test", || println!("/test, /testing, /test/1"));
    /// ```
    #[track_caller]
    pub fn route_text_prefix<M>(self, prefix: impl Into<String>, handler: impl Handler<S, M>) -> Self {
        let prefix = prefix.into();
        let name = format!("text prefix {prefix}");
        let begins = move |message: &Message| message.address().as_bytes().starts_with(prefix.as_bytes());
        self.add_where(&name, begins, handler.into_on())
    }

    /// Adds a route for all messages for which `predicate` returns true. The predicate is called for every message
    /// with a legal address, on the task that dispatches. It receives whole addresses, also in a nested router. A
    /// predicate that panics is counted, and the route does not match.
    ///
    /// ```
    /// use tokio_osc::{Message, Router};
    ///
    /// let router = Router::new()
    ///     .route_where(|message| message.args().count() > 8, |long: Message| println!("{long}"));
    /// ```
    #[track_caller]
    pub fn route_where<W, M>(self, predicate: W, handler: impl Handler<S, M>) -> Self
    where
        W: Fn(&Message) -> bool + Send + Sync + 'static,
    {
        let name = format!("where {}", type_name::<W>());
        self.add_where(&name, predicate, handler.into_on())
    }

    /// Adds a route for addresses that a regular expression matches from their first character. It is tried
    /// on every message whose address is UTF-8, against the whole address, even in a nested router. In
    /// osc4py3: `patternkind="re"`.
    ///
    /// ```
    /// use tokio_osc::dispatch::regex::Regex;
    /// use tokio_osc::Router;
    ///
    /// let digits = Regex::new(r"/track/\d+/(volume|pan)$").expect("a legal expression");
    /// let router = Router::new().route_regex(digits, || println!("a track"));
    /// ```
    #[cfg(feature = "regex")]
    #[track_caller]
    pub fn route_regex<M>(self, regex: regex::Regex, handler: impl Handler<S, M>) -> Self {
        let name = format!("regex {regex}");
        let matches = move |message: &Message| {
            let address = message.address().to_str().ok();
            address.and_then(|address| regex.find(address)).is_some_and(|found| found.start() == 0)
        };
        self.add_where(&name, matches, handler.into_on())
    }

    /// Exists without the feature `regex`, so that the compiler error names the feature.
    #[cfg(not(feature = "regex"))]
    #[doc(hidden)]
    pub fn route_regex<R: FeatureRegex, H>(self, _regex: R, _handler: H) -> Self {
        self
    }

    /// Sets the handler of messages that match no route.
    ///
    /// # Panics
    /// Panics if the handler and the route do not fit: see [`route`](Router::route).
    #[track_caller]
    pub fn fallback<M>(self, handler: impl Handler<S, M>) -> Self {
        let route = handler.into_on().routes_named("fallback", &Pattern::literal("//"), Reach::Nothing);
        self.routes.change(|routes| routes.fallback = routes.adopt(route).first().copied());
        self
    }

    /// Sets a hook that is called whenever the parameters of a handler cannot be extracted from a message.
    ///
    /// ```
    /// use tokio_osc::{Args, Router};
    ///
    /// let router = Router::new()
    ///     .route("/gain", |Args(_): Args<f32>| {})
    ///     .on_reject(|message, _meta, rejection| eprintln!("{message}: {rejection}"));
    /// ```
    pub fn on_reject(self, hook: impl Fn(&Message, &Meta, &Rejection) + Send + Sync + 'static) -> Self {
        self.routes.change(|routes| routes.on_reject = Some(Arc::new(hook)));
        self
    }

    /// Adds the present routes of another router below a prefix. They keep their state, order and options.
    /// Its fallback and hook are dropped.
    ///
    /// ```
    /// use tokio_osc::{Args, Captures, Router};
    ///
    /// let channel = Router::new()
    ///     .route("/gain", |Captures(n): Captures<u8>, Args(db): Args<f32>| println!("{n}: {db}"))
    ///     .route("/mute", |Captures(n): Captures<u8>| println!("{n}: mute"));
    /// let mixer = Router::new().nest("/mixer/*", channel);      // /mixer/3/gain, /mixer/3/mute
    /// ```
    ///
    /// # Panics
    /// Panics if `prefix` and a pattern are not a valid pattern together, or `prefix` ends with `/` or has a
    /// part that web frameworks would capture.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the router is used up: its routes live on in this one"
    )]
    pub fn nest<S2: Send + Sync + 'static>(self, prefix: &str, other: Router<S2>) -> Self {
        assert!(!prefix.ends_with('/'), "a prefix does not end with a slash: {prefix:?}");
        check_spelling(prefix);
        self.adopt(prefix, &other)
    }

    /// Adds the present routes of another router. They keep their state, order and options. Its fallback and
    /// hook are dropped.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the router is used up: its routes live on in this one"
    )]
    pub fn merge<S2: Send + Sync + 'static>(self, other: Router<S2>) -> Self {
        self.adopt("", &other)
    }

    #[track_caller]
    fn adopt<S2: Send + Sync + 'static>(self, prefix: &str, other: &Router<S2>) -> Self {
        self.add(other.moved(prefix))
    }

    /// Returns its routes below a prefix, for a router with another state.
    #[track_caller]
    pub(super) fn moved<S2>(&self, prefix: &str) -> Vec<(Reach, Route<S2>)> {
        let own = self.routes.snapshot();
        let mut moved = Vec::new();
        for (pattern, reach, route) in own.table.routes() {
            let pattern = legal_or_panic(&format!("{prefix}{pattern}"), pattern.behind(prefix));
            let inner = Arc::new(route.endpoint.behind(prefix, pattern));
            let (endpoint, state) = (Arc::clone(&inner), Arc::clone(&own.state));
            // The handler keeps the state and the options it was made with: it is called with a context of its own.
            let handler: Erased<S2> = Arc::new(move |context| {
                let Context { message, bundle, meta, replies, .. } = *context;
                inner.call(&Context { message, bundle, meta, endpoint: &inner, state: &state, replies })
            });
            let endpoint = Arc::new(endpoint.handled_by(handler));
            let (conditions, lane) = (route.conditions.clone(), route.lane.clone());
            moved.push((reach, Route { endpoint, conditions, lane }));
        }
        moved
    }

    #[track_caller]
    fn add_where<W>(self, name: &str, predicate: W, mut on: On<S>) -> Self
    where
        W: Fn(&Message) -> bool + Send + Sync + 'static,
    {
        on.options.conditions.push(Condition::Where(Arc::new(Predicate::new(name.to_owned(), predicate))));
        self.add(on.routes_named(name, &Pattern::literal("//"), Reach::Exact))
    }

    fn add(self, routes: Vec<(Reach, Route<S>)>) -> Self {
        self.routes.change(|snapshot| snapshot.adopt(routes));
        self
    }

    pub(crate) fn into_dispatch(self) -> Arc<dyn Dispatch> {
        self.routes
    }
}

/// Nothing implements it.
#[cfg(not(feature = "regex"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`Router::route_regex` needs the feature `regex` of tokio-osc",
    label = "the feature `regex` is not enabled"
)]
pub trait FeatureRegex {}

impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("routes", &self.routes.snapshot().table.len()).finish_non_exhaustive()
    }
}
