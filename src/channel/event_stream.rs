//! Streams of events.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{BoxStream, Stream, StreamExt, empty};

/// A stream of events. Returned by [`Channel::events`](crate::Channel::events) and
/// [`Client::states`](crate::Client::states). Await [`recv`](Self::recv), or use it as a `Stream`.
///
/// ```
/// use tokio_osc::client::ClientState;
/// use tokio_osc::{Channel, Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let client = Client::reconnecting(channel.local_addr()?, Slip::new()).spawn()?;
/// let mut states = client.states();
/// while let Some(state) = states.recv().await {
///     if matches!(state, ClientState::Connected) {
///         break;
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Events<T> {
    events: BoxStream<'static, T>,
}

impl<T> Events<T> {
    pub(crate) fn new(events: impl Stream<Item = T> + Send + 'static) -> Self {
        Self { events: events.boxed() }
    }

    /// Receives the next event. Returns `None` when there will be no more.
    ///
    /// # Cancel safety
    /// If the future is dropped, no event is lost.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Same as [`recv`](Self::recv), for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.events.poll_next_unpin(cx)
    }
}

/// No events.
impl<T: Send + 'static> Default for Events<T> {
    fn default() -> Self {
        Self::new(empty())
    }
}

impl<T> Stream for Events<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx)
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
