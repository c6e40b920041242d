//! Routes that are added and removed while messages are dispatched.

use std::fmt;
use std::sync::{Arc, Weak};

use super::on::Handler;
use super::route_pattern::route_pattern;
use super::router::Router;
use super::routes::{Current, Dispatch, Snapshot};
use super::table::{Reach, RouteId};
use crate::pattern::{Pattern, PatternError};

/// Adds routes to a router that is in use. Returned by [`Router::live`](crate::Router::live).
///
/// A change takes effect with the next packet. A packet that is being dispatched keeps its routes, and calls
/// that started or are queued in a lane still run. Each change copies the table of routes;
/// [`merge`](LiveRoutes::merge) makes many changes at once.
///
/// A handler may own one: it does not keep the router alive. After the router and its server were dropped,
/// changes have no effect.
///
/// ```
/// use tokio_osc::dispatch::on;
/// use tokio_osc::{Args, Router};
///
/// let router = Router::new();
/// let live = router.live();
/// // … the router is given to a server …
/// let solo = live.route("/solo", |Args(_on): Args<bool>| {});
/// let desk = live.merge(
///     Router::new()
///         .route("/desk/save", on(async |_: Args<String>| { /* slow */ }).on_task(16))
///         .route_prefix("/desk/fader", |Args(_level): Args<f32>| {}),
/// );
/// solo.remove();
/// desk.remove();
/// ```
pub struct LiveRoutes<S> {
    routes: Weak<Current<S>>,
}

impl<S: Send + Sync + 'static> Router<S> {
    /// Returns a handle that adds and removes routes while messages are dispatched.
    pub fn live(&self) -> LiveRoutes<S> {
        LiveRoutes { routes: Arc::downgrade(&self.routes) }
    }
}

impl<S: Send + Sync + 'static> LiveRoutes<S> {
    /// Adds a route, like [`Router::route`](crate::Router::route).
    ///
    /// # Panics
    /// Same as [`Router::route`](crate::Router::route).
    #[track_caller]
    pub fn route<P, M>(&self, pattern: P, handler: impl Handler<S, M>) -> RouteHandle
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let routes = handler.into_on().routes(&route_pattern(pattern), Reach::Exact);
        self.change(|snapshot| snapshot.adopt(routes))
    }

    /// Adds all routes of a router, like [`Router::merge`](crate::Router::merge). The returned handle covers
    /// all of them.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the router is used up: its routes live on in the other one"
    )]
    pub fn merge<S2: Send + Sync + 'static>(&self, other: Router<S2>) -> RouteHandle {
        self.change(|routes| routes.adopt(other.moved("")))
    }

    fn change(&self, add: impl FnOnce(&mut Snapshot<S>) -> Vec<RouteId>) -> RouteHandle {
        let ids = self.routes.upgrade().map(|routes| routes.change(add)).unwrap_or_default();
        RouteHandle { dispatch: Weak::clone(&self.routes) as Weak<dyn Dispatch>, ids: ids.into() }
    }
}

impl<S> Clone for LiveRoutes<S> {
    fn clone(&self) -> Self {
        Self { routes: Weak::clone(&self.routes) }
    }
}

impl<S> fmt::Debug for LiveRoutes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.upgrade().map(|routes| routes.snapshot().table.len());
        f.debug_struct("LiveRoutes").field("routes", &routes).finish_non_exhaustive()
    }
}

/// The routes added by one call. Dropping the handle does not remove them.
///
/// ```
/// use tokio_osc::Router;
///
/// let router = Router::new();
/// let take = router.live().route("/take/*", || println!("recorded"));
/// assert!(take.remove());
/// assert!(!take.remove(), "it is gone already");
/// ```
#[derive(Clone)]
pub struct RouteHandle {
    dispatch: Weak<dyn Dispatch>,
    ids: Arc<[RouteId]>,
}

impl RouteHandle {
    /// Removes the routes. Returns `false` if they were removed before. Calls that started or are queued in a
    /// lane still run.
    pub fn remove(&self) -> bool {
        self.dispatch.upgrade().is_some_and(|dispatch| dispatch.remove(&self.ids))
    }

    /// Returns a guard that removes the routes on drop.
    #[must_use = "dropping the guard removes the routes"]
    pub fn guard(self) -> RouteGuard {
        RouteGuard(self)
    }
}

impl fmt::Debug for RouteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RouteHandle").field(&self.ids).finish()
    }
}

/// Removes its routes on drop. Returned by [`RouteHandle::guard`].
///
/// ```
/// use tokio_osc::Router;
///
/// let router = Router::new();
/// let scene = router.live().route("/fog", || println!("fog")).guard();
/// drop(scene);                                               // and the route is gone
/// ```
#[derive(Debug)]
pub struct RouteGuard(RouteHandle);

impl Drop for RouteGuard {
    fn drop(&mut self) {
        self.0.remove();
    }
}
