//! Events of the connections of a channel.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::stream::unfold;
use tokio::sync::broadcast;

use super::event_stream::Events;
use crate::codec::FrameError;
use crate::packet::Peer;
use crate::throttle::Throttle;

/// Maximum number of events that wait for a slow reader. The oldest are dropped.
const EVENTS: usize = 256;

/// An event of a connection or of the listener.
///
/// ```
/// use tokio_osc::channel::ConnectionEvent;
///
/// fn tell(event: &ConnectionEvent) {
///     match event {
///         ConnectionEvent::Connected(peer) => println!("{peer} is here"),
///         ConnectionEvent::Refused { peer, reason } => println!("{peer} was refused: {reason}"),
///         ConnectionEvent::Disconnected { peer, reason } => println!("{peer} has left: {reason}"),
///         _ => {}
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// A peer connects. It is not accepted yet, and the connection has no number.
    Requested(Peer),
    /// The limits allow the connection, and it has a number. Next,
    /// [`accept_if`](crate::channel::StreamOptions::accept_if) is called, if it is set.
    Accepted(Peer),
    /// The connection was accepted, and is read from now on.
    Connected(Peer),
    /// A connection was closed before any input was read.
    Refused {
        /// The refused peer.
        peer: Peer,
        /// The reason.
        reason: Refusal,
    },
    /// A connection ended.
    Disconnected {
        /// The peer.
        peer: Peer,
        /// The reason.
        reason: Disconnect,
    },
    /// The operating system could not accept a connection, usually because there are no file descriptors
    /// left.
    AcceptFailed {
        /// The error.
        error: io::ErrorKind,
        /// The time until the next attempt.
        retry_in: Duration,
    },
    /// A channel that [dials out](crate::channel::Dial) could not connect.
    ConnectFailed {
        /// The error.
        error: io::ErrorKind,
        /// The time until the next attempt.
        retry_in: Duration,
    },
    /// This many events were dropped, because the reader was too slow.
    Missed(u64),
}

/// Why a connection was not accepted.
///
/// ```
/// use tokio_osc::channel::Refusal;
///
/// assert_eq!(Refusal::TooMany.to_string(), "too many connections");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// [`max_connections`](crate::channel::StreamOptions#structfield.max_connections) are open.
    TooMany,
    /// [`max_connections_per_address`](crate::channel::StreamOptions#structfield.max_connections_per_address)
    /// are open from there.
    TooManyFromAddress,
    /// [`accept_if`](crate::channel::StreamOptions::accept_if) refused the connection, or took too long.
    Vetoed,
    /// [`accept_if`](crate::channel::StreamOptions::accept_if) panicked.
    Panicked,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "too many connections",
            Self::TooManyFromAddress => "too many connections from this address",
            Self::Vetoed => "not welcome",
            Self::Panicked => "`accept_if` panicked",
        })
    }
}

/// The reason why a connection ended.
///
/// ```
/// use tokio_osc::channel::Disconnect;
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = tokio::io::duplex(64);
/// let client = Client::io(here, Slip::new());
/// drop(there);
/// assert!(matches!(client.closed().await, Disconnect::ByPeer));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Disconnect {
    /// The peer closed the connection between two frames.
    ByPeer,
    /// This side closed the connection.
    ByUs,
    /// A frame took longer than
    /// [`in_frame_timeout`](crate::channel::StreamOptions#structfield.in_frame_timeout).
    InFrameTimeout,
    /// No frame arrived within [`idle_timeout`](crate::channel::StreamOptions#structfield.idle_timeout).
    IdleTimeout,
    /// The peer accepted no data within
    /// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout).
    WriteTimeout,
    /// It was the longest idle connection when a new one arrived and a limit was reached: see
    /// [`idle_gives_way`](crate::channel::StreamOptions#structfield.idle_gives_way).
    GaveWay,
    /// The framing or the transport failed.
    Failed(Arc<FrameError>),
    /// The framing or the transport, which the program provides, panicked.
    Panicked,
}

impl From<FrameError> for Disconnect {
    fn from(error: FrameError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl From<io::Error> for Disconnect {
    fn from(error: io::Error) -> Self {
        FrameError::from(error).into()
    }
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByPeer => "closed by the peer",
            Self::ByUs => "closed by this side",
            Self::InFrameTimeout => "a frame took too long",
            Self::IdleTimeout => "no frame for too long",
            Self::WriteTimeout => "the peer reads nothing",
            Self::GaveWay => "idle, and its place was needed",
            Self::Failed(error) => return error.fmt(f),
            Self::Panicked => "the framing or the transport panicked",
        })
    }
}

/// The sender of a channel's events.
pub(crate) struct EventSender {
    readers: broadcast::Sender<ConnectionEvent>,
    /// The server of the channel.
    server: OnceLock<OnEvent>,
    lines: Lines,
}

type OnEvent = Box<dyn Fn(&ConnectionEvent) + Send + Sync>;

/// Log lines that peers can cause, each limited to one per second.
#[derive(Default)]
struct Lines {
    requested: Throttle,
    refused: Throttle,
    connected: Throttle,
    disconnected: Throttle,
    connect_failed: Throttle,
}

impl EventSender {
    pub(crate) fn new() -> Self {
        Self { readers: broadcast::Sender::new(EVENTS), server: OnceLock::new(), lines: Lines::default() }
    }

    /// Calls a function with every event from now on. A channel has one server, so only the first function is
    /// used.
    pub(crate) fn on_event(&self, call: impl Fn(&ConnectionEvent) + Send + Sync + 'static) {
        let _ = self.server.set(Box::new(call));
    }

    /// Returns the events from now on. A reader that is more than 256 events behind loses the oldest.
    pub(crate) fn events(&self) -> Events<ConnectionEvent> {
        Events::new(unfold(self.readers.subscribe(), async |mut events| match events.recv().await {
            Ok(event) => Some((event, events)),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                Some((ConnectionEvent::Missed(missed), events))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }))
    }

    pub(crate) fn send(&self, event: ConnectionEvent) {
        self.lines.write(&event);
        if let Some(call) = self.server.get() {
            call(&event);
        }
        // Without readers, the event is not missed.
        let _ = self.readers.send(event);
    }
}

impl Lines {
    fn write(&self, event: &ConnectionEvent) {
        let throttle = match event {
            ConnectionEvent::AcceptFailed { error, retry_in } => {
                tracing::error!(target: "tokio_osc::channel", %error, ?retry_in, "accept failed");
                return;
            }
            ConnectionEvent::Requested(_) | ConnectionEvent::Accepted(_) => &self.requested,
            ConnectionEvent::Refused { .. } => &self.refused,
            ConnectionEvent::Connected(_) => &self.connected,
            ConnectionEvent::Disconnected { .. } => &self.disconnected,
            ConnectionEvent::ConnectFailed { .. } => &self.connect_failed,
            ConnectionEvent::Missed(_) => return,
        };
        if !tracing::enabled!(target: "tokio_osc::channel", tracing::Level::DEBUG) {
            return;
        }
        if let Some(suppressed) = throttle.pass() {
            tracing::debug!(target: "tokio_osc::channel", ?event, suppressed);
        }
    }
}
