//! The connections of a channel: accepted, polled when woken, and removed. There is no task: polling the channel
//! drives them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, Timeout, sleep, timeout};

use super::connection::Connection;
use super::connections::{Connections, ToChannel};
use super::listener::Listener;
use crate::channel::events::{ConnectionEvent, Disconnect, Refusal};
use crate::codec::{Codec, Framing, ReadPacket};
use crate::packet::{Packet, Peer};
use crate::user_function::Panicked;

/// Maximum number of connections accepted before the open ones are polled.
const ACCEPTS: usize = 32;
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener and its connections, or a single connection without a listener.
pub(crate) struct ConnectionPackets<L: Listener, F: Framing> {
    listener: Option<L>,
    framing: F,
    connections: Arc<Connections>,
    /// Packets that are sent first on each connection.
    greeting: Vec<Packet>,
    admitted: FuturesUnordered<Admitted<L::Io, F>>,
    pause: Option<Pin<Box<Sleep>>>,
    next_pause: Duration,
}

impl<L: Listener, F: Framing> ConnectionPackets<L, F> {
    pub(crate) fn new(listener: Option<L>, framing: F, connections: Arc<Connections>) -> Self {
        let admitted = FuturesUnordered::new();
        let greeting = Vec::new();
        Self { listener, framing, connections, greeting, admitted, pause: None, next_pause: SHORTEST_PAUSE }
    }

    pub(crate) fn greeting(self, greeting: Vec<Packet>) -> Self {
        Self { greeting, ..self }
    }

    /// Admits a connection if the limits allow it.
    pub(crate) fn admit(&mut self, io: L::Io, peer: Peer) {
        let connections = &self.connections;
        connections.events.send(ConnectionEvent::Requested(peer));
        let (peer, outbox) = match connections.open(peer) {
            Ok(opened) => opened,
            Err(reason) => return connections.events.send(ConnectionEvent::Refused { peer, reason }),
        };
        connections.events.send(ConnectionEvent::Accepted(peer));
        // Each is put before all queued packets, so the last one goes first.
        for packet in self.greeting.iter().rev() {
            outbox.write_own(packet, &connections.options.chain, peer);
        }
        let gate = connections
            .options
            .gate
            .as_ref()
            .map(|gate| Box::pin(timeout(connections.options.in_frame_timeout, gate(peer))));
        if gate.is_none() {
            connections.welcome(peer);
        }
        let sink = ToChannel(Arc::clone(connections));
        let options = &connections.options;
        let codec = Codec::with_options(self.framing.clone(), options.decode.clone())
            .peer(peer)
            .chain(options.chain.clone());
        let connection = Connection::new(io, codec, sink, outbox, options).sharing(&connections.frame_memory);
        self.admitted.push(Admitted { gate, connection, connections: Arc::clone(connections), peer });
    }

    /// Accepts the connections that are ready. After a failure it pauses, so that a lack of descriptors does not spin.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ACCEPTS {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(listener) = &mut self.listener else { return Poll::Pending };
            let connections = &self.connections;
            let accepted = connections.accepting.call(|| {
                let accepted = ready!(listener.poll_accept(cx));
                if let Ok((io, _)) = &accepted {
                    listener.tune(io, &connections.options);
                }
                Poll::Ready(accepted)
            });
            // A listener that panics is tried again, as one that fails: other connections go on.
            let panicked = |Panicked| Poll::Ready(Err(io::Error::other("panicked")));
            match ready!(accepted.unwrap_or_else(panicked)) {
                Ok((io, peer)) => {
                    self.next_pause = SHORTEST_PAUSE;
                    self.admit(io, peer);
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    let retry_in = self.next_pause;
                    self.connections
                        .events
                        .send(ConnectionEvent::AcceptFailed { error: error.kind(), retry_in });
                    self.pause = Some(Box::pin(sleep(retry_in)));
                    self.next_pause = (retry_in * 2).min(LONGEST_PAUSE);
                }
            }
        }
        Poll::Ready(())
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

impl<L: Listener, F: Framing> Stream for ConnectionPackets<L, F> {
    type Item = ReadPacket;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ReadPacket>> {
        let this = &mut *self;
        if !this.connections.is_paused() {
            if let Some(item) = this.connections.pop() {
                return Poll::Ready(Some(item));
            }
        }
        // Registered before the checks, so that a change after them wakes the task.
        this.connections.task.register(cx.waker());
        if this.connections.is_paused() {
            // Connections still send.
            while let Poll::Ready(Some(())) = this.admitted.poll_next_unpin(cx) {}
            return Poll::Pending;
        }
        if !this.connections.is_open() {
            this.listener = None;
        }
        if this.poll_accept(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        while let Poll::Ready(Some(())) = this.admitted.poll_next_unpin(cx) {}
        match this.connections.pop() {
            Some(item) => Poll::Ready(Some(item)),
            None if this.listener.is_none() && this.admitted.is_empty() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// The result of `accept_if`.
type Answer = BoxFuture<'static, Result<bool, Panicked>>;

/// A connection, from `accept_if` to its end.
struct Admitted<I, F> {
    gate: Option<Pin<Box<Timeout<Answer>>>>,
    connection: Connection<I, F, ToChannel>,
    connections: Arc<Connections>,
    peer: Peer,
}

impl<I: AsyncRead + AsyncWrite + Unpin, F: Framing> Future for Admitted<I, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let peer = this.peer;
        if let Some(gate) = &mut this.gate {
            let is_closing = this.connection.is_closing(cx);
            let verdict =
                if is_closing { Ok(false) } else { ready!(gate.as_mut().poll(cx)).unwrap_or(Ok(false)) };
            match verdict {
                Ok(true) => {
                    this.gate = None;
                    this.connections.welcome(peer);
                }
                // The drop says that it was refused.
                Ok(false) => return Poll::Ready(()),
                Err(Panicked) => {
                    let refused = ConnectionEvent::Refused { peer, reason: Refusal::Panicked };
                    this.connections.remove(peer, refused);
                    return Poll::Ready(());
                }
            }
        }
        // The framing and the transport may be the user's: their panic ends this connection alone.
        let connection = Pin::new(&mut this.connection);
        let polled = this.connections.serving.call(|| connection.poll(cx));
        let reason = ready!(polled.unwrap_or(Poll::Ready(Disconnect::Panicked)));
        this.connections.remove(peer, ConnectionEvent::Disconnected { peer, reason });
        Poll::Ready(())
    }
}

/// A connection that was not accepted is refused; one that has not ended is closed with its channel.
impl<I, F> Drop for Admitted<I, F> {
    fn drop(&mut self) {
        let peer = self.peer;
        let event = match self.gate {
            Some(_) => ConnectionEvent::Refused { peer, reason: Refusal::Vetoed },
            None => ConnectionEvent::Disconnected { peer, reason: Disconnect::ByUs },
        };
        self.connections.remove(peer, event);
    }
}

/// The listener of a channel with a single connection.
pub(crate) struct NoListener<I>(std::marker::PhantomData<fn() -> I>);

impl<I: AsyncRead + AsyncWrite + Send + Unpin + 'static> Listener for NoListener<I> {
    type Io = I;

    fn poll_accept(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<(I, Peer)>> {
        Poll::Pending
    }
}
