//! A packet through a router without a server: for tests.

use std::fmt;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::handler::{Called, Outcome};
use super::reply_path::{PacketBudget, ReplyChannel, ReplyLimits, ReplyPath, SharedOffset};
use super::routes::{Dispatch, Lookup, Routes};
use super::{Found, Rejection, Replies, RouteId, Router};
use crate::lock::lock;
use crate::packet::{Bundle, IntoPacket, Message, Meta, Packet, Peer, SendError, SendTo, Sent};
use crate::types::ClockOffset;

/// Steps of matching, as a server allows by default.
const MAX_STEPS: usize = 1 << 25;

impl<S: Send + Sync + 'static> Router<S> {
    /// Runs a packet through the routes, and returns the replies. For tests without a socket, a server or a
    /// sleep.
    ///
    /// All matching routes run in order, and the fallback as in a server. A bundle runs at once, whatever its time
    /// tag. Calls in lanes are awaited: when the call returns, every handler has returned. Packets sent with a
    /// [`Reply`](crate::Reply) come before the return value of the handler; packets that a task sends later are not
    /// returned. A panic of a handler propagates to the caller. Handlers that do not await need no runtime.
    ///
    /// ```
    /// use tokio_osc::{Args, Router};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// assert_eq!(router.call(("/ping", 7)).await[0].to_string(), "/pong ,i 7");
    ///
    /// let report = router.call(("/ping", "seven")).report().await;
    /// assert_eq!((report.handled, &*report.rejected[0].0), (0, "/ping"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if the packet cannot be encoded.
    #[track_caller]
    pub fn call(&self, packet: impl IntoPacket) -> RouterCall {
        match packet.into_packet() {
            Ok(packet) => {
                RouterCall { routes: self.routes.routes(), packet, meta: Meta::from_peer(Peer::LOCAL) }
            }
            #[expect(clippy::panic, reason = "the caller's own packet; documented")]
            Err(error) => panic!("{error}"),
        }
    }
}

/// A call of a router. Await it for the replies. Created by [`Router::call`](crate::Router::call).
#[must_use = "nothing runs until it is awaited"]
pub struct RouterCall {
    routes: Arc<dyn Routes>,
    packet: Packet,
    meta: Meta,
}

impl RouterCall {
    /// Sets the metadata of the packet. By default it comes from [`Peer::LOCAL`](crate::Peer::LOCAL).
    pub fn meta(mut self, meta: Meta) -> Self {
        self.meta = meta;
        self
    }

    /// Runs the packet, and returns a report of everything that happened, including the replies.
    ///
    /// # Cancel safety
    /// If the future is dropped, some of the handlers have run.
    pub async fn report(self) -> CallReport {
        let outbox = Arc::new(Outbox::default());
        let channel = ReplyChannel {
            outlet: Box::new(Arc::clone(&outbox)),
            clock_offset: SharedOffset::new(ClockOffset::default()),
        };
        let mut run = Run {
            routes: self.routes,
            channel: Arc::new(channel),
            outbox,
            budget: PacketBudget::new(self.packet.as_bytes().len()),
            limits: Arc::default(),
            meta: self.meta,
            found: Found::default(),
            report: CallReport::default(),
        };
        run.found.allow(MAX_STEPS);
        run.packet(self.packet).await;
        run.report
    }
}

impl IntoFuture for RouterCall {
    type Output = Vec<Packet>;
    type IntoFuture = BoxFuture<'static, Vec<Packet>>;

    fn into_future(self) -> Self::IntoFuture {
        self.report().map(|report| report.replies).boxed()
    }
}

impl fmt::Debug for RouterCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouterCall").field("packet", &self.packet).finish_non_exhaustive()
    }
}

/// The effects of a packet. Returned by [`RouterCall::report`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallReport {
    /// The replies.
    pub replies: Vec<Packet>,
    /// The number of handlers that have returned.
    pub handled: usize,
    /// Routes whose handler was not called because a parameter could not be extracted, with the reason.
    pub rejected: Vec<(String, Rejection)>,
    /// Routes whose handler returned an error, with its text.
    pub failed: Vec<(String, String)>,
    /// The number of messages that matched no route.
    pub unmatched: usize,
}

struct Run {
    routes: Arc<dyn Routes>,
    channel: Arc<ReplyChannel>,
    outbox: Arc<Outbox>,
    budget: PacketBudget,
    limits: Arc<ReplyLimits>,
    meta: Meta,
    found: Found,
    report: CallReport,
}

impl Run {
    async fn packet(&mut self, packet: Packet) {
        // The bundles that are not at their end, each with its time tag, the outermost first.
        let mut open = vec![(self.meta.time_tag, vec![packet].into_iter())];
        while let Some((time_tag, elements)) = open.last_mut() {
            self.meta.time_tag = *time_tag;
            match elements.next() {
                Some(Packet::Message(message)) => self.message(&message).await,
                Some(Packet::Bundle(bundle)) => {
                    self.meta.time_tag = Some(bundle.time_tag());
                    if !self.unit(&bundle).await {
                        let elements: Vec<_> = bundle.elements().collect();
                        open.push((Some(bundle.time_tag()), elements.into_iter()));
                    }
                }
                None => drop(open.pop()),
            }
        }
    }

    async fn message(&mut self, message: &Message) {
        let lookup = self.routes.find(message, &mut self.found);
        self.report.unmatched += usize::from(lookup != Lookup::Matched);
        for route in self.found.ids().to_vec() {
            let replies = &self.replies();
            let called = match self.routes.call(route, message, &self.meta, replies) {
                Some(called) => called,
                None => match self.routes.detached(route, None) {
                    Some(detached) => (detached.call)(message, &self.meta, replies),
                    None => continue,
                },
            };
            self.settle(route, called).await;
        }
    }

    /// Runs a bundle as a unit, if a route takes it.
    async fn unit(&mut self, bundle: &Bundle) -> bool {
        let Some(first) = self.routes.find_bundle(bundle, &mut self.found) else { return false };
        for route in self.found.ids().to_vec() {
            let Some(detached) = self.routes.detached(route, Some(bundle)) else { continue };
            let called = (detached.call)(&first, &self.meta, &self.replies());
            self.settle(route, called).await;
        }
        true
    }

    async fn settle(&mut self, route: RouteId, called: Called) {
        let replies: Replies = match called {
            Ok(Outcome::Now(replies)) => replies,
            Ok(Outcome::Later(future)) => future.await,
            Err(rejection) => {
                self.report.rejected.push((self.routes.name(route).to_owned(), *rejection));
                return;
            }
        };
        self.report.handled += 1;
        self.report.replies.append(&mut lock(&self.outbox.0));
        let replies = replies.into_parts();
        self.report.replies.extend(replies.packets);
        if let Some(error) = replies.failed {
            self.report.failed.push((self.routes.name(route).to_owned(), error));
        }
    }

    fn replies(&self) -> ReplyPath<'_> {
        ReplyPath { channel: Some(&self.channel), limits: &self.limits, budget: &self.budget }
    }
}

/// Keeps what [`Reply`](crate::Reply) handles send.
#[derive(Default)]
struct Outbox(Mutex<Vec<Packet>>);

impl SendTo for Arc<Outbox> {
    fn send(&self, packet: Packet, _peer: Peer) -> Result<Sent, SendError> {
        lock(&self.0).push(packet);
        Ok(Sent::Sent)
    }
}
