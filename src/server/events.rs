//! Events of the channels of a server: as a stream, and as OSC messages to its own router.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll};

use futures::stream::{BoxStream, Stream, StreamExt, poll_fn, unfold};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{broadcast, mpsc};

use crate::channel::ConnectionEvent;
use crate::lock::lock;
use crate::packet::{Message, Meta, Peer};
use crate::types::Arg;

/// Maximum number of events that wait for a slow reader, and of messages that wait for the router.
const EVENTS: usize = 256;
/// The channel of the messages.
pub(super) const CHANNEL: &str = "_events";

/// An event of a channel of a server.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::server::ChannelEventKind;
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(Router::new()).listen("udp", Channel::udp("127.0.0.1:0").await?);
/// let events = server.events();
/// server.spawn().shutdown().await;
/// let last = events.map(|event| (event.channel, event.kind)).collect::<Vec<_>>().await.pop();
/// assert!(matches!(last, Some((name, ChannelEventKind::Closed)) if &*name == "udp"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelEvent {
    /// The name of the channel. Empty for [missed](ChannelEventKind::Missed) events, which may belong to any
    /// channel.
    pub channel: Arc<str>,
    /// The kind of the event.
    pub kind: ChannelEventKind,
}

/// The kinds of [`ChannelEvent`].
///
/// The events of a channel are `Opening`, `Bound` if it has an address, `Open`, `Closing` and `Closed`. Each
/// is sent once. `Closed` is always sent, however the server ends.
///
/// As a message ([`Server::events_to_routes`](crate::Server::events_to_routes)) an event has the
/// address `PREFIX/channel/NAME/VERB`:
///
/// | event | verb | arguments |
/// |-------|------|-----------|
/// | [`Opening`](Self::Opening) | `opening` | |
/// | [`Bound`](Self::Bound) | `bound` | `i` port |
/// | [`Open`](Self::Open) | `open` | |
/// | [`Requested`](ConnectionEvent::Requested) | `requested` | `s` peer |
/// | [`Accepted`](ConnectionEvent::Accepted) | `accepted` | `s` peer |
/// | [`Refused`](ConnectionEvent::Refused) | `refused` | `ss` peer, reason |
/// | [`Connected`](ConnectionEvent::Connected) | `connected` | `s` peer |
/// | [`Disconnected`](ConnectionEvent::Disconnected) | `disconnected` | `ss` peer, reason |
/// | [`AcceptFailed`](ConnectionEvent::AcceptFailed) | `error` | `s` the error of the system |
/// | [`ConnectFailed`](ConnectionEvent::ConnectFailed) | `error` | `s` the error |
/// | [`Overflow`](Self::Overflow) | `overflow` | |
/// | [`Panicked`](Self::Panicked) | `panicked` | |
/// | [`Closing`](Self::Closing) | `closing` | |
/// | [`Closed`](Self::Closed) | `closed` | |
///
/// Peers are written as `127.0.0.1:9000#3`: address, port, and the number of the connection.
///
/// ```
/// use tokio_osc::server::ChannelEventKind;
///
/// fn lamp(event: &ChannelEventKind) -> Option<bool> {
///     match event {
///         ChannelEventKind::Open => Some(true),
///         ChannelEventKind::Closed => Some(false),
///         _ => None,
///     }
/// }
/// assert_eq!(lamp(&ChannelEventKind::Open), Some(true));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChannelEventKind {
    /// The channel was added to the server.
    Opening,
    /// Its socket is bound to this address.
    Bound(SocketAddr),
    /// It is read from now on.
    Open,
    /// An event of a connection or of the listener.
    Connection(ConnectionEvent),
    /// A packet of this channel filled the inbox. No channel is read until there is room. Sent once until the
    /// inbox is half empty.
    Overflow,
    /// The stream of [`Server::feed`](crate::Server::feed) panicked: the channel ends.
    Panicked,
    /// It is no longer read. Replies to received packets may still leave.
    Closing,
    /// It is closed, and its port is free.
    Closed,
    /// This many events were dropped, because the reader was too slow.
    Missed(u64),
}

impl ChannelEvent {
    /// Converts the event to a message, if it has one.
    fn to_message(&self, prefix: &str) -> Option<Message> {
        let (verb, args) = self.kind.to_verb()?;
        Message::new(format!("{prefix}/channel/{}/{verb}", self.channel), args).ok()
    }
}

impl ChannelEventKind {
    fn to_verb(&self) -> Option<(&'static str, Vec<Arg>)> {
        let told = |value: &dyn fmt::Display| Arg::from(value.to_string());
        Some(match self {
            Self::Opening => ("opening", vec![]),
            Self::Bound(address) => ("bound", vec![i32::from(address.port()).into()]),
            Self::Open => ("open", vec![]),
            Self::Connection(event) => match event {
                ConnectionEvent::Requested(peer) => ("requested", vec![told(peer)]),
                ConnectionEvent::Accepted(peer) => ("accepted", vec![told(peer)]),
                ConnectionEvent::Refused { peer, reason } => ("refused", vec![told(peer), told(reason)]),
                ConnectionEvent::Connected(peer) => ("connected", vec![told(peer)]),
                ConnectionEvent::Disconnected { peer, reason } => {
                    ("disconnected", vec![told(peer), told(reason)])
                }
                ConnectionEvent::AcceptFailed { error, .. }
                | ConnectionEvent::ConnectFailed { error, .. } => ("error", vec![told(error)]),
                ConnectionEvent::Missed(_) => return None,
            },
            Self::Overflow => ("overflow", vec![]),
            Self::Panicked => ("panicked", vec![]),
            Self::Closing => ("closing", vec![]),
            Self::Closed => ("closed", vec![]),
            Self::Missed(_) => return None,
        })
    }
}

/// The events of a server: a `Stream` that ends with the server. Returned by
/// [`Server::events`](crate::Server::events) and [`ServerHandle::events`](crate::ServerHandle::events).
///
/// A reader that is more than 256 events behind loses the oldest, and receives their number. It delays
/// nothing.
///
/// ```
/// use futures::StreamExt;
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(Router::new()).listen("udp", Channel::udp("127.0.0.1:0").await?);
/// let events = server.events();
/// server.spawn().shutdown().await;
/// assert!(events.count().await >= 3, "it was bound, open and closed");
/// # Ok(()) }
/// ```
pub struct ChannelEvents {
    events: BoxStream<'static, ChannelEvent>,
}

impl Stream for ChannelEvents {
    type Item = ChannelEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ChannelEvent>> {
        self.events.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ChannelEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelEvents")
    }
}

/// The sender of a server's events.
pub(super) struct Events {
    readers: Mutex<Option<broadcast::Sender<ChannelEvent>>>,
    router: OnceLock<ToRouter>,
    missed: AtomicU64,
}

struct ToRouter {
    prefix: Box<str>,
    queue: mpsc::Sender<(Message, Meta)>,
}

impl Events {
    pub(super) fn tell(&self, channel: &Arc<str>, kind: ChannelEventKind) {
        let event = ChannelEvent { channel: Arc::clone(channel), kind };
        // Events of connections are traced by the connections.
        if !matches!(event.kind, ChannelEventKind::Connection(_)) {
            tracing::debug!(target: "tokio_osc::server", %channel, event = ?event.kind);
        }
        // Not of the channel of events itself: its end would be an event that has no way to the router.
        if let Some(router) = self.router.get().filter(|_| **channel != *CHANNEL) {
            if let Some(message) = event.to_message(&router.prefix) {
                let told = (message, Meta::from_peer(Peer::LOCAL));
                if matches!(router.queue.try_send(told), Err(TrySendError::Full(_))) {
                    self.missed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        if let Some(readers) = &*self.readers() {
            // Without readers, the event is not missed.
            let _ = readers.send(event);
        }
    }

    /// Returns the events from now on. None after the server has ended.
    pub(super) fn subscribe(&self) -> ChannelEvents {
        let events = self.readers().as_ref().map(broadcast::Sender::subscribe);
        let events = unfold(events, async |events| {
            let mut events = events?;
            let event = match events.recv().await {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    ChannelEvent { channel: Arc::default(), kind: ChannelEventKind::Missed(missed) }
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            Some((event, Some(events)))
        });
        ChannelEvents { events: events.boxed() }
    }

    /// Returns the messages of the events from now on: the packets of the channel [`CHANNEL`].
    pub(super) fn to_router(&self, prefix: Box<str>) -> impl Stream<Item = (Message, Meta)> + Send + use<> {
        let (queue, mut messages) = mpsc::channel(EVENTS);
        // Done once per server.
        let _ = self.router.set(ToRouter { prefix, queue });
        poll_fn(move |cx| messages.poll_recv(cx))
    }

    /// Returns `true` for the channel of the messages.
    pub(super) fn is_source(channel: &str) -> bool {
        channel == CHANNEL
    }

    /// The number of messages that the router missed.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Ends the streams.
    pub(super) fn close(&self) {
        *self.readers() = None;
    }

    fn readers(&self) -> MutexGuard<'_, Option<broadcast::Sender<ChannelEvent>>> {
        lock(&self.readers)
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            readers: Mutex::new(Some(broadcast::Sender::new(EVENTS))),
            router: OnceLock::new(),
            missed: AtomicU64::new(0),
        }
    }
}
