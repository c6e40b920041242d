//! Messages as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures::Stream;

use super::mailbox::{Mailbox, MailboxLimits, Pushed, Weigh};
use super::routes::Dispatch;
use super::table::RouteId;
use crate::packet::{Message, Meta, Overflow};
use crate::pattern::Pattern;

/// The messages of a pattern, as a stream. Returned by
/// [`ServerHandle::subscribe`](crate::ServerHandle::subscribe).
///
/// It holds at most the requested number of messages, and 1 MiB of them ([`limits`](Subscription::limits)).
/// If the reader is slower, the oldest are dropped and counted ([`missed`](Subscription::missed)); the server is
/// not delayed. The stream ends when the server is gone and its queue is empty.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
/// let mut meters = server.subscribe("/meter/*", 256)?;
/// let client = Client::udp(server.local_addr("udp").expect("it is there")).await?;
/// client.send(("/meter/1", 0.5_f32)).await?;
///
/// let (message, meta) = meters.next().await.expect("the server runs");
/// assert_eq!((message.parse::<f32>()?, meta.channel()), (0.5, "udp"));
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Subscription {
    shared: Arc<SubscriptionShared>,
    dispatch: Weak<dyn Dispatch>,
    routes: Vec<RouteId>,
}

/// Default limit of the bytes of waiting messages.
const BYTES: usize = 1_024 * 1_024;

struct SubscriptionShared {
    mailbox: Mailbox<Held>,
    missed: AtomicU64,
}

impl Subscription {
    pub(crate) fn new(dispatch: &Arc<dyn Dispatch>, pattern: Pattern, capacity: usize) -> Self {
        let mailbox = Mailbox::new(MailboxLimits { items: capacity, bytes: BYTES }, Overflow::DropOldest);
        let shared = Arc::new(SubscriptionShared { mailbox, missed: AtomicU64::new(0) });
        let routes = dispatch.tap(pattern, {
            let tap = Tap(Arc::clone(&shared));
            Box::new(move |message, meta| tap.note(message, meta))
        });
        Self { shared, dispatch: Arc::downgrade(dispatch), routes }
    }

    /// Sets how many messages may wait, and how many bytes they may have together. Default: the capacity that it
    /// was created with, and 1 MiB.
    pub fn limits(self, messages: usize, bytes: usize) -> Self {
        self.shared.mailbox.set_limits(MailboxLimits { items: messages, bytes });
        self
    }

    /// Returns how many messages were dropped because the reader was too slow.
    pub fn missed(&self) -> u64 {
        self.shared.missed.load(Ordering::Relaxed)
    }
}

/// A message that waits.
struct Held(Message, Meta);

impl Weigh for Held {
    fn bytes(&self) -> usize {
        self.0.as_bytes().len()
    }
}

/// The sending end, owned by the route. After it was dropped, the stream ends.
struct Tap(Arc<SubscriptionShared>);

impl Tap {
    fn note(&self, message: &Message, meta: &Meta) {
        // A copy: a waiting message must not keep a larger buffer alive.
        let held = Held(message.as_ref().to_owned(), meta.clone());
        // A closed mailbox drops the message as well, but then the reader is gone.
        if let Ok(pushed @ Pushed::InPlaceOf(_)) = self.0.mailbox.try_push(held) {
            self.0.missed.fetch_add(pushed.dropped(), Ordering::Relaxed);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.0.mailbox.close();
    }
}

impl Stream for Subscription {
    type Item = (Message, Meta);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.shared.mailbox.poll_pop(cx).map(|held| held.map(|Held(message, meta)| (message, meta)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(dispatch) = self.dispatch.upgrade() {
            dispatch.remove(&self.routes);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("missed", &self.missed()).finish_non_exhaustive()
    }
}
