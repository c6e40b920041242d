//! From a message to the handlers whose routes it matches, and from their results to replies.

mod context;
mod extract;
mod handler;
mod reply;
mod router;
mod table;

pub use context::{Context, FromContext, Rejection};
pub use extract::{Args, CaptureError, Captures, FromCapture, FromCaptures, State};
pub(crate) use handler::Outcome;
pub use handler::{Extract, Function, Returned};
pub use reply::{IntoReply, Reply};
pub use router::Router;
pub(crate) use router::{Dispatch, Lookup};
pub(crate) use table::Found as Routes;
