//! A channel that dials out: it has one connection at a time, and connects again when it ends.

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
    /// Creates a channel that opens its byte stream with a function, and again whenever it breaks. See [`Dial`].
    pub fn reconnecting_with<C: Connect, F: Framing>(connect: C, framing: F) -> Dial<C, F> {
        Dial::new(connect, |_| Peer::LOCAL, framing)
    }
}

/// Options of a channel that dials out, created by [`Channel::reconnecting`](crate::Channel::reconnecting). For
/// consoles and show controllers that accept connections and push their messages to the connected peers.
///
/// The channel works like any other, with routes, replies, time tags and events, and has one connection at a time.
/// When the connection ends or cannot be opened, the channel waits for a [pause](Self::backoff) and connects again.
/// The packets of [`on_connect`](Self::on_connect) are sent first on each connection. An attempt may take 10 s; a
/// failed one is reported as [`ConnectFailed`](ConnectionEvent::ConnectFailed).
///
/// No packet waits for a connection: without one, [`Outlet::send_to`] fails as `Closed`, and
/// [`Outlet::broadcast`] reaches no peer. [`Client::reconnecting`](crate::Client::reconnecting) has a queue.
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

    /// Sets the limits, timeouts and middleware of each connection. Default [`StreamOptions::default`].
    pub fn options(mut self, options: StreamOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the pauses between connections: the shortest one, which doubles after each failure up to the longest.
    /// Each is shortened at random, by at most a half. A connection that lasted longer than the next pause
    /// starts over with the shortest. At least 1 ms; default 100 ms to 10 s.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.attempts.backoff(shortest, longest);
        self
    }

    /// Adds a packet that is sent first on each new connection, such as a subscription. Several are sent in the
    /// order in which they were added.
    pub fn on_connect(mut self, packet: impl IntoPacket) -> Self {
        match packet.into_packet() {
            Ok(packet) => self.on_connect.push(packet),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// Creates the channel. It connects when it is polled, and ends when it is closed.
    ///
    /// # Errors
    /// Returns an error if a packet of [`on_connect`](Self::on_connect) cannot be encoded.
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

/// A [`Listener`] that dials, so that its connections are handled like accepted ones.
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

/// Its futures are boxed: nothing is pinned in place.
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
                    // Nothing is sent by it: it is ready when the connection drops the sender.
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

/// A connection. Its drop tells the dialler that it has ended.
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
