//! Subscriptions to the messages of a peer.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::inbox::{ClientInbox, WaitFor, Waiter};
use crate::packet::{Message, Peer, Text};
use crate::pattern::Pattern;

/// Default limits of queued messages and of their bytes. The oldest are dropped.
const MESSAGES: usize = 1_024;
const BYTES: usize = 1_024 * 1_024;

/// The messages of a peer that match a pattern. Created by [`Client::subscribe`](crate::Client::subscribe).
/// Await [`recv`](Self::recv), or use it as a `Stream`. It ends with the connection; the subscription of a
/// reconnecting client continues over all connections.
///
/// The messages of a bundle are delivered one by one, immediately, and without the time tag. For messages at
/// their time, read a [`Channel`](crate::Channel) with a [`Server`](crate::Server).
///
/// At most 1,024 messages and 1 MiB are queued (see [`limits`](Subscription::limits)). Then the oldest
/// messages are dropped: see [`missed`](Subscription::missed). A subscription that is held without being
/// polled does not delay others.
///
/// ```
/// use tokio_osc::{Client, LengthPrefix};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let (here, there) = tokio::io::duplex(1_024);
/// let mixer = Client::io(there, LengthPrefix::new());
/// let client = Client::io(here, LengthPrefix::new());
///
/// let mut meters = client.subscribe("/meters/*");
/// mixer.send(("/meters/1", -18.0_f32)).await?;
/// let meter = meters.recv().await.expect("the pipe is open");
/// assert_eq!(meter.to_string(), "/meters/1 ,f -18");
/// assert_eq!(meters.captures(&meter), ["1"]);
/// # Ok(()) }
/// ```
#[must_use = "messages are received when the stream is polled"]
pub struct Subscription {
    waiter: Waiter,
    pattern: Pattern,
}

impl Subscription {
    pub(super) fn new(inbox: &Arc<ClientInbox>, pattern: Pattern) -> Self {
        let (messages, bytes) = (MESSAGES, BYTES);
        let waiter = inbox.join(WaitFor::All { pattern: pattern.clone(), messages, bytes });
        Self { waiter, pattern }
    }

    /// Receives the next matching message. Returns `None` when the connection has ended.
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Same as [`recv`](Self::recv), for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv_from(cx).map(|received| received.map(|(message, _)| message))
    }

    /// Same as [`recv`](Self::recv), with the sender. For a client of a multicast group or a broadcast, this may be any
    /// host.
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_from(&mut self) -> Option<(Message, Peer)> {
        poll_fn(|cx| self.poll_recv_from(cx)).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>) -> Poll<Option<(Message, Peer)>> {
        self.waiter.poll(cx).map(Result::ok)
    }

    /// Returns the parts of the address that the wildcards of the pattern match, like
    /// [`Captures`](crate::Captures) of a route. Empty for a message that does not match.
    pub fn captures<'a>(&self, message: &'a Message) -> Vec<Text<'a>> {
        self.pattern.captures_of(message.address().as_bytes()).unwrap_or_default()
    }

    /// Sets how many messages, and how many bytes in all, may be queued. Default 1,024 and 1 MiB.
    ///
    /// ```
    /// use tokio_osc::Client;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::udp("127.0.0.1:9000").await?;
    /// let latest = client.subscribe("/fader/1").limits(1, 1_024);
    /// # drop(latest);
    /// # Ok(()) }
    /// ```
    pub fn limits(self, messages: usize, bytes: usize) -> Self {
        self.waiter.set_limits((messages, bytes));
        self
    }

    /// Returns the number of messages dropped because the queue was full.
    pub fn missed(&self) -> u64 {
        self.waiter.missed()
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(cx)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("missed", &self.missed()).finish()
    }
}
