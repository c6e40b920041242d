//! The messages of a peer that match a pattern, as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::hub::Place;
use crate::packet::Message;

/// The messages of a client's peer that match a pattern, as a `Stream`: what
/// [`Client::subscribe`](crate::Client::subscribe) returns. It ends with the connection; that of a
/// reconnecting client goes on over all connections.
///
/// At most 1,024 messages wait in it; then the oldest are dropped: see
/// [`missed`](ClientSubscription::missed).
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
    place: Place,
}

impl ClientSubscription {
    pub(super) fn new(place: Place) -> Self {
        Self { place }
    }

    /// Messages that were dropped because too many waited.
    pub fn missed(&self) -> u64 {
        self.place.missed()
    }
}

impl Stream for ClientSubscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        Poll::Ready(ready!(self.place.poll(cx)).ok())
    }
}

impl fmt::Debug for ClientSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSubscription").field("missed", &self.missed()).finish()
    }
}
