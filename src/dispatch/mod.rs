//! From a message to the handlers whose routes it matches, and from their results to replies.

mod budget;
mod context;
mod extract;
mod handler;
mod inbox;
mod lane;
mod live;
mod mailbox;
mod parameters;
mod process;
mod reply;
mod reply_rate;
mod route;
mod router;
mod routes;
mod subscription;
mod table;

pub(crate) use budget::ReplyBudget;
pub use context::{Context, FromContext, Rejection};
pub use extract::{Args, CaptureError, Captures, FromCapture, FromCaptures, State};
pub(crate) use handler::Outcome;
pub use handler::{Extract, Function, Handler, Returned};
pub use inbox::{Inbox, InboxHandler, Post};
pub(crate) use lane::Job;
pub use lane::Lane;
pub use live::{LiveRoutes, RouteGuard, RouteHandle};
pub use parameters::{ChannelName, Extra, Lateness, MatchedRoute, ReceivedAt, TypeTags};
pub use process::{Budget, Meter, Progress};
pub(crate) use reply::{Departure, SendBack, WayBack};
pub use reply::{IntoReply, Replies, Reply, ReplyError};
pub(crate) use reply_rate::ReplyRate;
pub use router::Router;
pub(crate) use routes::{Cached, Call, Dispatch, Lookup, Routes};
pub use subscription::Subscription;
pub(crate) use table::Found;
