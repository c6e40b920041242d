//! A snapshot of the routes of a router, for dispatch while the routes change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level};

use super::handler::{Called, Outcome};
use super::on::On;
use super::route::Route;
use super::table::{Found, Reach, RouteId, Table};
use super::{Context, Lane, Method, Rejection, ReplyPath};
use crate::lock::lock;
use crate::packet::{Bundle, Message, Meta, Packet};
use crate::pattern::{Pattern, Shape, check};

/// Called with every message that a handler could not take.
pub(super) type OnReject = Arc<dyn Fn(&Message, &Meta, &Rejection) + Send + Sync>;

/// A router's routes, with the type of its state forgotten.
pub(crate) trait Routes: Send + Sync {
    /// The routes of the address of a literal route, where the address alone decides: borrowed, since
    /// this is what most messages need.
    fn known(&self, address: &[u8]) -> Option<&[RouteId]>;

    /// Fills in the routes that a message takes, in the order in which they were added. For addresses that
    /// [`known`](Routes::known) does not have.
    fn find(&self, message: &Message, found: &mut Found) -> Lookup;

    /// Calls the handler of a route; `None` if the route has a lane.
    fn call(&self, route: RouteId, message: &Message, meta: &Meta, replies: &ReplyPath<'_>)
    -> Option<Called>;

    /// A call of a route with a lane, or of one of bundles.
    fn detached(&self, route: RouteId, bundle: Option<&Bundle>) -> Option<DetachedCall>;

    /// Fills in the routes that take a bundle as a unit, and returns its first message, if there are any.
    fn find_bundle(&self, bundle: &Bundle, found: &mut Found) -> Option<Message>;

    /// The routes of single addresses, and the number of others.
    fn methods(&self) -> (Vec<Method>, usize);

    /// The name of a route.
    fn name(&self, route: RouteId) -> &str;
}

/// A call that can be made later, without the routes.
pub(crate) struct DetachedCall {
    pub(crate) route: RouteId,
    pub(crate) name: Arc<str>,
    pub(crate) lane: Option<Lane>,
    pub(crate) call: Call,
}

/// A handler with everything it needs but the message.
pub(crate) type Call = Box<dyn FnOnce(&Message, &Meta, &ReplyPath<'_>) -> Called + Send>;

/// The outcome of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It has routes.
    Matched,
    /// It has none; the fallback, if there is one, was filled in.
    Unmatched,
    /// It is not a legal pattern, and has no route as a name either; the fallback was filled in.
    Illegal,
    /// Looking for them took more steps than were left; nothing was filled in.
    TooMuch,
}

/// The routes at one moment.
pub(super) struct Snapshot<S> {
    pub(super) state: Arc<S>,
    pub(super) table: Table<Arc<Route<S>>>,
    pub(super) fallback: Option<RouteId>,
    pub(super) on_reject: Option<OnReject>,
    /// Whether a route has had conditions besides its address. Without, no message pays for a look at those of its
    /// routes.
    conditional: bool,
}

impl<S> Snapshot<S> {
    pub(super) fn new(state: Arc<S>) -> Self {
        Self { state, table: Table::default(), fallback: None, on_reject: None, conditional: false }
    }

    /// Adds routes that come from elsewhere.
    pub(super) fn adopt(&mut self, routes: Vec<(Reach, Route<S>)>) -> Vec<RouteId> {
        let adopt = |(reach, route): (Reach, Route<S>)| {
            self.conditional |= !route.conditions.is_empty();
            self.table.insert_reaching(route.endpoint.pattern.clone(), reach, Arc::new(route))
        };
        routes.into_iter().map(adopt).collect()
    }

    fn look_up(&self, message: &Message, found: &mut Found) -> Lookup {
        let address = message.name();
        let shape = check(address);
        match shape {
            Ok(Shape::Wild) => match Pattern::new(message.to_address().into_bytes()) {
                Ok(pattern) => self.table.find_shared(&pattern, found),
                Err(_) => return Lookup::Illegal,
            },
            Err(error) if error.is_limit() => return Lookup::Illegal,
            // What has no meaning as a pattern stands for itself, as does what has no slash.
            Ok(Shape::Literal) | Err(_) => self.table.find(address, found),
        }
        if found.is_spent() {
            return Lookup::TooMuch;
        }
        self.retain(message, found);
        match shape {
            _ if !found.ids().is_empty() => Lookup::Matched,
            Ok(_) => Lookup::Unmatched,
            Err(_) => Lookup::Illegal,
        }
    }

    /// Keeps the routes that take more of the message than its address.
    fn retain(&self, message: &Message, found: &mut Found) {
        found.retain(|id| self.table.get(id).map_or(Ok(false), |route| route.takes(message)));
    }
}

impl<S> Clone for Snapshot<S> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            table: self.table.clone(),
            fallback: self.fallback,
            on_reject: self.on_reject.clone(),
            conditional: self.conditional,
        }
    }
}

impl<S: Send + Sync + 'static> Routes for Snapshot<S> {
    fn known(&self, address: &[u8]) -> Option<&[RouteId]> {
        let ids = self.table.known(address)?;
        let unconditional = |&id| self.table.get(id).is_some_and(|route| route.conditions.is_empty());
        (!self.conditional || ids.iter().all(unconditional)).then_some(ids)
    }

    fn find(&self, message: &Message, found: &mut Found) -> Lookup {
        let lookup = self.look_up(message, found);
        match lookup {
            Lookup::Matched => {}
            Lookup::Unmatched | Lookup::Illegal => {
                found.set(self.fallback);
                self.retain(message, found);
            }
            Lookup::TooMuch => found.set(None),
        }
        lookup
    }

    fn call(
        &self,
        route: RouteId,
        message: &Message,
        meta: &Meta,
        replies: &ReplyPath<'_>,
    ) -> Option<Called> {
        let route = self.table.get(route)?;
        if route.lane.is_some() {
            return None;
        }
        let (endpoint, state) = (&*route.endpoint, &self.state);
        let context = Context { message, bundle: None, meta, endpoint, state, replies };
        Some(call(&context, self.on_reject.as_ref()))
    }

    fn detached(&self, id: RouteId, bundle: Option<&Bundle>) -> Option<DetachedCall> {
        let route = self.table.get(id)?;
        let (endpoint, state) = (Arc::clone(&route.endpoint), Arc::clone(&self.state));
        let hook = self.on_reject.clone();
        // A copy for a lane: a waiting call must not keep a larger buffer alive.
        let bundle = bundle.map(|bundle| match &route.lane {
            Some(_) => bundle.as_ref().to_owned(),
            None => bundle.clone(),
        });
        let call: Call = Box::new(move |message, meta, replies| {
            let (bundle, endpoint, state) = (bundle.as_ref(), &*endpoint, &state);
            call(&Context { message, bundle, meta, endpoint, state, replies }, hook.as_ref())
        });
        let name = Arc::clone(&route.endpoint.name);
        Some(DetachedCall { route: id, name, lane: route.lane.clone(), call })
    }

    fn find_bundle(&self, bundle: &Bundle, found: &mut Found) -> Option<Message> {
        if !self.table.has_bundles() {
            return None;
        }
        let Packet::Message(first) = bundle.elements().next()? else { return None };
        let address = first.to_address().into_bytes();
        // An address that is not a valid pattern is a name.
        let address = Pattern::new(address.clone()).or_else(|_| Pattern::try_exact(address)).ok()?;
        self.table.find_bundle(&address, found);
        self.retain(&first, found);
        (!found.ids().is_empty()).then_some(first)
    }

    fn methods(&self) -> (Vec<Method>, usize) {
        let routes: Vec<_> = self.table.routes().collect();
        let methods: Vec<_> =
            routes.iter().filter_map(|(pattern, reach, route)| route.method(pattern, *reach)).collect();
        let others = routes.len() - methods.len();
        (methods, others)
    }

    fn name(&self, route: RouteId) -> &str {
        self.table.get(route).map_or("a route that is gone", |route| &route.endpoint.name)
    }
}

#[inline]
fn call<S>(context: &Context<'_, S>, hook: Option<&OnReject>) -> Called {
    // Most programs listen to no span: they do not pay for its fields.
    if LevelFilter::current() < Level::DEBUG {
        call_handler(context, hook)
    } else {
        call_in_span(context, hook)
    }
}

#[inline]
fn call_handler<S>(context: &Context<'_, S>, hook: Option<&OnReject>) -> Called {
    let called = context.endpoint.call(context);
    if let (Err(rejection), Some(hook)) = (&called, hook) {
        hook(context.message, context.meta, rejection);
    }
    called
}

#[cold]
fn call_in_span<S>(context: &Context<'_, S>, hook: Option<&OnReject>) -> Called {
    let span = tracing::debug_span!(
        target: "tokio_osc::dispatch",
        "handler",
        route = %context.endpoint.name,
        address = %context.message.address(),
        peer = %context.meta.peer,
    );
    match span.in_scope(|| call_handler(context, hook)) {
        Ok(Outcome::Later(future)) if !span.is_disabled() => {
            Ok(Outcome::Later(future.instrument(span).boxed()))
        }
        called => called,
    }
}

/// The routes of a router that may be changed while messages are dispatched. A dispatcher keeps its
/// snapshot until the version changes.
pub(super) struct Current<S> {
    version: AtomicU64,
    /// Wakes the tasks that wait for a change. Not for the dispatchers: reading it takes a lock.
    changes: watch::Sender<()>,
    snapshot: Mutex<Arc<Snapshot<S>>>,
}

impl<S> Current<S> {
    pub(super) fn new(snapshot: Snapshot<S>) -> Self {
        let (version, changes) = (AtomicU64::new(0), watch::Sender::default());
        Self { version, changes, snapshot: Mutex::new(Arc::new(snapshot)) }
    }

    /// Changes the routes: in place while no dispatcher uses them, else in a copy.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Snapshot<S>) -> R) -> R {
        let mut snapshot = self.lock();
        let changed = change(Arc::make_mut(&mut snapshot));
        // After the change, with the lock held: a dispatcher that sees this version finds these routes.
        self.version.fetch_add(1, Ordering::Release);
        self.changes.send_replace(());
        changed
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot<S>> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Snapshot<S>>> {
        lock(&self.snapshot)
    }
}

/// Receives messages and answers nothing.
pub(super) type Tap = Box<dyn Fn(&Message, &Meta) + Send + Sync>;

/// A router with the type of its state forgotten.
pub(crate) trait Dispatch: Send + Sync {
    /// Grows with every change of the routes. Read it before [`routes`](Dispatch::routes).
    fn version(&self) -> u64;

    /// Returns a receiver that is notified of each change of the routes.
    fn changes(&self) -> watch::Receiver<()>;

    /// The routes as they are now.
    fn routes(&self) -> Arc<dyn Routes>;

    /// Adds a route that receives the messages of a pattern and answers nothing.
    fn tap(&self, pattern: Pattern, tap: Tap) -> Vec<RouteId>;

    /// Removes routes. Returns `true` if one of them existed.
    fn remove(&self, routes: &[RouteId]) -> bool;
}

impl<S: Send + Sync + 'static> Dispatch for Current<S> {
    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn routes(&self) -> Arc<dyn Routes> {
        self.snapshot()
    }

    fn tap(&self, pattern: Pattern, tap: Tap) -> Vec<RouteId> {
        let on = On::new::<Tap, ()>(Arc::new(move |context| {
            tap(context.message, context.meta);
            Ok(Outcome::default())
        }));
        let routes = on.routes(&pattern, Reach::Exact);
        self.change(|snapshot| snapshot.adopt(routes))
    }

    fn remove(&self, ids: &[RouteId]) -> bool {
        let remove =
            |routes: &mut Snapshot<S>| ids.iter().filter_map(|&id| routes.table.remove(id)).collect();
        // Dropped out here: a handler may own what changes the routes in turn.
        let removed: Vec<_> = self.change(remove);
        !removed.is_empty()
    }
}

/// The routes that one dispatcher uses, brought up to date when they changed.
#[derive(Default)]
pub(crate) struct Cached {
    seen: Option<(u64, Arc<dyn Routes>)>,
}

impl Cached {
    /// Takes the routes as they are now.
    pub(crate) fn refresh(&mut self, dispatch: &dyn Dispatch) {
        // Read before the routes: a change in between is noticed the next time.
        let version = dispatch.version();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != version) {
            self.seen = Some((version, dispatch.routes()));
        }
    }

    /// The routes as they were at the last [`refresh`](Cached::refresh).
    pub(crate) fn routes(&self) -> Option<&dyn Routes> {
        self.seen.as_ref().map(|(_, routes)| &**routes)
    }
}
