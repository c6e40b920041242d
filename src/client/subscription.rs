//! The messages of a peer that match a pattern, as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::inbox::Waiter;
use crate::packet::Message;

/// The messages of a client's peer that match a pattern, as a `Stream`: what
/// [`Client::subscribe`](crate::Client::subscribe) returns. It ends with the connection; that of a
/// reconnecting client goes on over all connections.
///
/// At most 1,024 messages of 1 MiB together wait in it ([`limits`](ClientSubscription::limits)); then the
/// oldest are dropped: see [`missed`](ClientSubscription::missed). It may be held without being polled: that
/// delays no other.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Client, LengthPrefix};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = tokio::io::duplex(1_024);
/// let mixer = Client::io(there, LengthPrefix::new());
/// let client = Client::io(here, LengthPrefix::new());
///
/// let mut meters = client.subscribe("/meters/*");
/// mixer.send(("/meters/1", -18.0_f32)).await?;
/// assert_eq!(meters.next().await.expect("the pipe is open").to_string(), "/meters/1 ,f -18");
/// # Ok(()) }
/// ```
#[must_use = "messages are received when the stream is polled"]
pub struct ClientSubscription {
    waiter: Waiter,
}

impl ClientSubscription {
    pub(super) fn new(waiter: Waiter) -> Self {
        Self { waiter }
    }

    /// How many messages may wait, and how many bytes of them together. Default 1,024 and 1 MiB.
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

    /// Messages that were dropped because too many waited.
    pub fn missed(&self) -> u64 {
        self.waiter.missed()
    }
}

impl Stream for ClientSubscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        Poll::Ready(ready!(self.waiter.poll(cx)).ok())
    }
}

impl fmt::Debug for ClientSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSubscription").field("missed", &self.missed()).finish()
    }
}
