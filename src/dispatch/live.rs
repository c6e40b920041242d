//! Routes that come and go while messages are dispatched.

use std::fmt;
use std::sync::Arc;

use super::IntoReply;
use super::handler::{self, Extract, Function, Returned};
use super::route::Route;
use super::router::legal;
use super::routes::{Current, Dispatch};
use super::table::RouteId;
use crate::pattern::{Pattern, PatternError};

/// Adds routes to a router that is already in use. What [`Router::live`](crate::Router::live)
/// returns.
///
/// A change takes effect with the next packet; a packet that is being handled keeps the routes it
/// began with. Each change copies the table of routes: to make many, use
/// [`Router::nest`](crate::Router::nest) before, or few.
///
/// ```
/// use tokio_osc::{Args, Router};
///
/// let router = Router::new();
/// let live = router.live();
/// // … the router is given to a server …
/// let solo = live.route("/solo", |Args(_on): Args<bool>| {});
/// solo.remove();
/// ```
pub struct LiveRoutes<S> {
    routes: Arc<Current<S>>,
}

impl<S: Send + Sync + 'static> LiveRoutes<S> {
    pub(super) fn new(routes: Arc<Current<S>>) -> Self {
        Self { routes }
    }

    /// Adds a route, as [`Router::route`](crate::Router::route) does.
    ///
    /// # Panics
    /// `pattern` is no legal OSC address pattern.
    #[track_caller]
    pub fn route<P, F, T, K>(&self, pattern: P, handler: F) -> RouteHandle
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
        F: Function<T>,
        T: Extract<S>,
        F::Output: Returned<K>,
        <F::Output as Returned<K>>::Value: IntoReply,
        <F::Output as Returned<K>>::Pending: Send + 'static,
    {
        let pattern = legal(pattern);
        let route = Arc::new(Route::new(pattern.clone(), handler::erase(handler)));
        let id = self.routes.change(|routes| routes.table.insert(pattern, route));
        RouteHandle { dispatch: Arc::clone(&self.routes) as Arc<dyn Dispatch>, id }
    }
}

impl<S> Clone for LiveRoutes<S> {
    fn clone(&self) -> Self {
        Self { routes: Arc::clone(&self.routes) }
    }
}

impl<S> fmt::Debug for LiveRoutes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveRoutes").field("routes", &self.routes.snapshot().table.len()).finish()
    }
}

/// A route that was added while the router was in use. Dropping it leaves the route where it is.
#[derive(Clone)]
pub struct RouteHandle {
    dispatch: Arc<dyn Dispatch>,
    id: RouteId,
}

impl RouteHandle {
    /// Takes the route out; whether it was still there. Calls that have begun run to their end.
    pub fn remove(&self) -> bool {
        self.dispatch.remove(self.id)
    }

    /// Takes the route out when the guard is dropped.
    #[must_use = "dropping the guard removes the route"]
    pub fn guard(self) -> RouteGuard {
        RouteGuard(self)
    }
}

impl fmt::Debug for RouteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RouteHandle").field(&self.id).finish()
    }
}

/// Takes its route out when it is dropped. What [`RouteHandle::guard`] returns.
#[derive(Debug)]
pub struct RouteGuard(RouteHandle);

impl Drop for RouteGuard {
    fn drop(&mut self) {
        self.0.remove();
    }
}
