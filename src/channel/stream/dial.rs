//! A channel that dials out: it has one connection at a time, and connects again when that ends.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use super::accept::ConnectionPackets;
use super::connect::{Attempts, Connect};
use super::connections::Connections;
use super::listener::Listener;
use super::options::StreamOptions;
use crate::channel::events::ConnectionEvent;
use crate::channel::{Channel, Outlet};
use crate::codec::Framing;
use crate::packet::{EncodeError, IntoPacket, Packet, Peer};

impl Channel {
    /// A channel that opens its byte stream with a function, and again whenever it breaks: see [`Dial`].
    pub fn reconnecting_with<C: Connect, F: Framing>(connect: C, framing: F) -> Dial<C, F> {
        Dial::new(connect, |_| Peer::LOCAL, framing)
    }
}

/// A channel that dials out, before it is opened: what
/// [`Channel::reconnecting`](crate::Channel::reconnecting) returns. For consoles and show controllers that
/// take connections, and push what happens to those who are connected.
///
/// It is a channel as any other, with routes, replies, time tags and events, and one connection at a time.
/// When the connection ends or cannot be made, the channel waits for a [pause](Self::backoff) and connects
/// again; the packets of [`on_connect`](Self::on_connect) are sent first each time. An attempt may take 10 s;
/// one that fails is [`ConnectFailed`](ConnectionEvent::ConnectFailed). Nothing waits for a connection: what is sent while
/// there is none fails as `Closed`, and [`Outlet::broadcast`] reaches no peer. A sender that must not lose
/// its packets is a [`Client::reconnecting`](crate::Client::reconnecting).
///
/// ```
/// use tokio_osc::{Args, Channel, Router, Server, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut console = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// # let address = console.local_addr()?;
/// let desk = Channel::reconnecting(address, Slip::new())
///     .on_connect(("/subscribe", ()))
///     .open()?;                                          // it does not wait for the console
/// let router = Router::new()
///     .route("/ch/*/level", |Args(level): Args<f32>| println!("{level}"))
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// let server = Server::new(router).listen("desk", desk).spawn();
///
/// # let (packet, meta) = console.recv().await.expect("the channel is open");
/// # assert_eq!(packet?.to_string(), "/subscribe ,");
/// # console.send_to(meta.peer, ("/ping", 7)).await?;
/// # assert_eq!(console.recv().await.expect("the channel is open").0?.to_string(), "/pong ,i 7");
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "there is no channel before `open`"]
pub struct Dial<C: Connect, F> {
    attempts: Attempts<C>,
    peer_of: fn(&C::Io) -> Peer,
    framing: F,
    options: StreamOptions,
    on_connect: Vec<Packet>,
    failed: Option<EncodeError>,
}

impl<C: Connect, F: Framing> Dial<C, F> {
    pub(super) fn new(connect: C, peer_of: fn(&C::Io) -> Peer, framing: F) -> Self {
        Self {
            attempts: Attempts::new(connect),
            peer_of,
            framing,
            options: StreamOptions::default(),
            on_connect: Vec::new(),
            failed: None,
        }
    }

    /// The limits, timeouts and middleware of each connection. Default [`StreamOptions::default`].
    pub fn options(mut self, options: StreamOptions) -> Self {
        self.options = options;
        self
    }

    /// The pause before the channel connects again: the shortest, doubled after each failure up to the
    /// longest; of each, a random part between a half and the whole. A connection that lasted longer than the
    /// pause that it would have led to starts over. At least 1 ms; default 100 ms to 10 s.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.attempts.backoff(shortest, longest);
        self
    }

    /// Sends a packet on each new connection, before all others: a subscription, a greeting. Each call adds
    /// one; they are sent in order.
    pub fn on_connect(mut self, packet: impl IntoPacket) -> Self {
        match packet.into_packet() {
            Ok(packet) => self.on_connect.push(packet),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// The channel. It connects when it is polled, and does not end before it is closed.
    ///
    /// # Errors
    /// A packet of [`on_connect`](Self::on_connect) cannot be encoded.
    pub fn open(self) -> Result<Channel, EncodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let connections = Connections::new(self.options, None);
        let dialler = Dialler {
            attempts: self.attempts,
            peer_of: self.peer_of,
            connections: Arc::clone(&connections),
            state: DialState::Due,
        };
        let packets = ConnectionPackets::new(Some(dialler), self.framing, Arc::clone(&connections));
        let packets = packets.greeting(self.on_connect);
        Ok(Channel::new(packets.boxed(), Outlet::new(connections.clone(), Some(connections))))
    }
}

impl<C: Connect, F: fmt::Debug> fmt::Debug for Dial<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("framing", &self.framing).finish_non_exhaustive()
    }
}

/// Dials in the place of a listener, so that the connection is like one that was accepted.
///
/// ```text
///            attempt                connected                 it has ended
///  Due ────────────────▶ Dialling ─────────────▶ Connected ─────────────────┐
///   ▲                        │ failed                                       │
///   └──────────────────── Pausing ◀─────────────────────────────────────────┘
/// ```
struct Dialler<C: Connect> {
    attempts: Attempts<C>,
    peer_of: fn(&C::Io) -> Peer,
    connections: Arc<Connections>,
    state: DialState<C::Io>,
}

enum DialState<I> {
    Due,
    Dialling(BoxFuture<'static, io::Result<I>>),
    Connected { since: Instant, ended: oneshot::Receiver<()> },
    Pausing(Pin<Box<Sleep>>),
}

impl<C: Connect> Dialler<C> {
    fn pause(&mut self, pause: Duration) {
        self.state = DialState::Pausing(Box::pin(sleep(pause)));
    }
}

/// It never moves what it holds, and none of it is pinned in place.
impl<C: Connect> Unpin for Dialler<C> {}

impl<C: Connect> Listener for Dialler<C> {
    type Io = Dialled<C::Io>;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Io, Peer)>> {
        loop {
            match &mut self.state {
                DialState::Due => {
                    self.state = DialState::Dialling(self.attempts.attempt(&self.connections.options));
                }
                DialState::Dialling(attempt) => match ready!(attempt.poll_unpin(cx)) {
                    Ok(io) => {
                        let (open, ended) = oneshot::channel();
                        self.state = DialState::Connected { since: Instant::now(), ended };
                        let peer = (self.peer_of)(&io);
                        return Poll::Ready(Ok((Dialled { io, _open: open }, peer)));
                    }
                    Err(error) => {
                        let retry_in = self.attempts.pause_after(Duration::ZERO);
                        let failed = ConnectionEvent::ConnectFailed { error: error.kind(), retry_in };
                        self.connections.events.send(failed);
                        self.pause(retry_in);
                    }
                },
                DialState::Connected { since, ended } => {
                    // Nothing is ever sent: the sender goes with the connection.
                    let _ = ready!(ended.poll_unpin(cx));
                    let lasted = since.elapsed();
                    let pause = self.attempts.pause_after(lasted);
                    self.pause(pause);
                }
                DialState::Pausing(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    self.state = DialState::Due;
                }
            }
        }
    }
}

/// A connection that tells the dialler of its end by being dropped.
struct Dialled<I> {
    io: I,
    _open: oneshot::Sender<()>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Dialled<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Dialled<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
