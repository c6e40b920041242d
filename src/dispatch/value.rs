//! Values that a program shows to others.

use std::future::ready;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;

use crate::packet::{EncodeError, IntoArgs, Message};
use crate::types::Address;

/// A value that a program shows to others: the last position of a fader, the reading of a sensor. Clones share it.
///
/// A handler sets it, [`On::value`](crate::dispatch::On::value) shows it with its route, and
/// [`changes`](Value::changes) is a stream of its changes.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::dispatch::{Value, on};
/// use tokio_osc::{Args, Router, State};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let gain = Value::new(-6.0_f32);
/// let set = |State(gain): State<Value<f32>>, Args(db): Args<f32>| gain.set(db);
/// let router = Router::with_state(gain.clone()).route("/master/gain", on(set).value(&gain));
///
/// let mut changes = gain.changes();
/// assert_eq!(changes.next().await, Some(-6.0), "the present value first");
/// router.call(("/master/gain", -3.0_f32)).await;
/// assert_eq!(changes.next().await, Some(-3.0));
/// assert_eq!(gain.get(), -3.0);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Value<T> {
    current: watch::Sender<T>,
}

impl<T: Clone + Send + Sync + 'static> Value<T> {
    /// Creates a value.
    pub fn new(value: T) -> Self {
        Self { current: watch::Sender::new(value) }
    }

    /// Returns the present value.
    pub fn get(&self) -> T {
        self.current.borrow().clone()
    }

    /// Replaces the value and notifies all listeners, even if it is equal to the old one.
    pub fn set(&self, value: T) {
        self.current.send_replace(value);
    }

    /// Changes the value in place and notifies all listeners. If `change` panics, they are not notified.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        self.current.send_modify(change);
    }

    /// Returns a stream of the present value and each later one. A reader that is slower than the changes misses
    /// values, never the last. The stream ends when all clones of the value were dropped.
    pub fn changes(&self) -> impl Stream<Item = T> + Send + Unpin + use<T> {
        let mut receiver = self.current.subscribe();
        receiver.mark_changed();
        let next = async |mut receiver: watch::Receiver<T>| {
            receiver.changed().await.ok()?;
            let value = receiver.borrow_and_update().clone();
            Some((value, receiver))
        };
        stream::unfold(receiver, next).boxed()
    }
}

/// A [`Value`] with its type forgotten.
pub(super) trait Shown: Send + Sync {
    /// The present value, as a message to this address.
    fn message(&self, address: &Address) -> Result<Message, EncodeError>;

    /// The present value and each later one that can be encoded.
    fn messages(&self, address: Address) -> BoxStream<'static, Message>;
}

impl<T: IntoArgs + Clone + Send + Sync + 'static> Shown for Value<T> {
    fn message(&self, address: &Address) -> Result<Message, EncodeError> {
        Message::with_any_address(address.as_bytes(), &self.get())
    }

    fn messages(&self, address: Address) -> BoxStream<'static, Message> {
        let message = move |value| ready(Message::with_any_address(address.as_bytes(), &value).ok());
        self.changes().filter_map(message).boxed()
    }
}
