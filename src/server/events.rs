//! What happens to the channels of a server: as a bounded stream, and as OSC messages to its own
//! router.

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

/// Events that wait for a reader who is behind, and messages that wait for the router.
const EVENTS: usize = 256;
/// The channel that the messages come from.
pub(super) const CHANNEL: &str = "_events";

/// Something that happened to a channel of a server.
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
    /// The channel's name. Empty for events that were [missed](ChannelEventKind::Missed): they may
    /// have been of any.
    pub channel: Arc<str>,
    /// What happened.
    pub kind: ChannelEventKind,
}

/// What can happen to a channel of a server.
///
/// The life of a channel is `Opening`, `Bound` if it has an address, `Open`, `Closing`, `Closed`. Each
/// is sent once; `Closed` always, however the server ends.
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
/// | [`AcceptFailed`](ConnectionEvent::AcceptFailed) | `error` | `s` what the system said |
/// | [`ConnectFailed`](ConnectionEvent::ConnectFailed) | `error` | `s` what went wrong |
/// | [`Overflow`](Self::Overflow) | `overflow` | |
/// | [`Panicked`](Self::Panicked) | `panicked` | |
/// | [`Closing`](Self::Closing) | `closing` | |
/// | [`Closed`](Self::Closed) | `closed` | |
///
/// A peer is written as `127.0.0.1:9000#3`: address, port, and the number of its connection.
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
    /// The server was given the channel.
    Opening,
    /// Its socket has this address.
    Bound(SocketAddr),
    /// It is read from now on.
    Open,
    /// One of its connections, or its listener.
    Connection(ConnectionEvent),
    /// A packet of it has filled the inbox: no channel is read until there is room. Told once until
    /// half of the inbox is empty.
    Overflow,
    /// The stream of [`Server::feed`](crate::Server::feed) panicked: the channel ends.
    Panicked,
    /// It is read no more. Replies to received packets may still leave.
    Closing,
    /// It is closed, and its port is free.
    Closed,
    /// This many events were dropped, because the reader was behind.
    Missed(u64),
}

impl ChannelEvent {
    /// The event as a message, if it is one.
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

/// The events of a server from now on: a `Stream` that ends with the server. What
/// [`Server::events`](crate::Server::events) and
/// [`ServerHandle::events`](crate::ServerHandle::events) return.
///
/// A reader that is behind by more than 256 events loses the oldest, and gets their number. It delays
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

/// Where the events of a server are put.
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
        // What happens to connections is traced where it happens.
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
            // Without a reader it is not missed.
            let _ = readers.send(event);
        }
    }

    /// The events from now on; none once the server has ended.
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

    /// The messages that events become from now on: the packets of the channel [`CHANNEL`].
    pub(super) fn to_router(&self, prefix: Box<str>) -> impl Stream<Item = (Message, Meta)> + Send + use<> {
        let (queue, mut messages) = mpsc::channel(EVENTS);
        // It is done once for a server.
        let _ = self.router.set(ToRouter { prefix, queue });
        poll_fn(move |cx| messages.poll_recv(cx))
    }

    /// Whether a channel is the one that the messages come from.
    pub(super) fn is_source(channel: &str) -> bool {
        channel == CHANNEL
    }

    /// Messages that the router did not get.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Nothing happens any more: the streams end.
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
