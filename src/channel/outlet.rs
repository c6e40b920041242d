//! The sending side of a channel.

use std::fmt;
use std::sync::Arc;
use std::task::Context;

use super::event_stream::Events;
use super::events::ConnectionEvent;
use super::pause::PauseSwitch;
use super::stats::SendReport;
use super::stream::Connections;
use super::transport::{Transport, send};
use crate::middleware::{Chain, FilterStats};
use crate::packet::{IntoPacket, Packet, Peer, SendError, SendTo, Sent};

/// Sends to the peers of a channel, even after the channel was passed to a server. Returned by
/// [`Channel::outlet`](crate::Channel::outlet). Cloning it increments a reference count. It keeps the socket of a
/// datagram channel open.
///
/// Packets to connections are queued, and the task that polls the channel, such as the server, sends them.
/// Each connection has its own queue of [`send_queue`](crate::channel::StreamOptions#structfield.send_queue)
/// bytes. A peer that reads nothing is disconnected after
/// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout), and does not delay others.
///
/// ```
/// use tokio_osc::{Args, Channel, Client, Peer, Router, Server, Slip, State};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
/// let (address, outlet) = (channel.local_addr()?, channel.outlet());
/// let router = Router::with_state(outlet)
///     .route("/join", |peer: Peer| println!("{peer} joins"))
///     .route("/all", |State(all): State<tokio_osc::channel::Outlet>, Args(n): Args<i32>| {
///         all.broadcast(("/news", n)).map(drop)
///     });
/// let server = Server::new(router).listen("stage", channel).spawn();
///
/// let client = Client::tcp(address, Slip::new()).await?;
/// let news = client.request(("/all", 7), "/news").await?;
/// assert_eq!(news.parse::<i32>()?, 7);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Outlet {
    transport: Arc<dyn Transport>,
    /// The same transport, if it has connections.
    connections: Option<Arc<Connections>>,
    pause: Arc<PauseSwitch>,
}

impl Outlet {
    /// `connections` is the same transport, if it has connections.
    pub(crate) fn new(transport: Arc<dyn Transport>, connections: Option<Arc<Connections>>) -> Self {
        let pause = connections.as_ref().map(|all| Arc::clone(&all.pause)).unwrap_or_default();
        Self { transport, connections, pause }
    }

    /// Sends a packet to one peer, such as the [`Meta::peer`](crate::Meta#structfield.peer) of a received
    /// packet.
    ///
    /// Over UDP it waits while the socket is full. On a connection it waits while the queue is full, for at most
    /// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout) (default 10 s); an inline
    /// handler that waits here may stop the server from sending the queue. Over a Unix datagram socket it
    /// never waits: the packet is refused as `Full`.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded or is too large, the middleware refuses it, the
    /// connection has ended or its queue stays full (`TimedOut`), or the operating system refuses the
    /// datagram.
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet was sent whole or not at all.
    pub async fn send_to(&self, peer: Peer, packet: impl IntoPacket) -> Result<(), SendError> {
        match self.chain().write(packet.into_packet()?, peer)? {
            Some(frame) => send(&*self.transport, &frame, peer).await,
            None => Ok(()),
        }
    }

    /// Queues a packet for every connection. It is encoded once and not copied. It never waits: a connection whose
    /// queue is full misses the packet. A datagram channel has no connections.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
    pub fn broadcast(&self, packet: impl IntoPacket) -> Result<SendReport, SendError> {
        let packet = packet.into_packet()?;
        Ok(self.connections.as_ref().map_or_else(SendReport::default, |all| all.broadcast(&packet)))
    }

    /// Returns the open connections, oldest first.
    pub fn connections(&self) -> Vec<Peer> {
        self.connections.as_ref().map(|all| all.peers()).unwrap_or_default()
    }

    /// Returns the number of connections that this side closed and whose last packets may be lost: the peer
    /// reset the connection, or did not close its side within
    /// [`linger`](crate::channel::StreamOptions#structfield.linger).
    pub fn unconfirmed(&self) -> u64 {
        self.connections.as_ref().map_or(0, |all| all.unconfirmed())
    }

    /// Returns the events of the connections from now on. A datagram channel has no events.
    pub fn events(&self) -> Events<ConnectionEvent> {
        match &self.connections {
            Some(all) => all.events.events(),
            None => Events::default(),
        }
    }

    /// Calls a function with every event from now on. For the server of the channel.
    pub(crate) fn on_event(&self, call: impl Fn(&ConnectionEvent) + Send + Sync + 'static) {
        if let Some(all) = &self.connections {
            all.events.on_event(call);
        }
    }

    /// Stops reading until [`resume`](Outlet::resume), and keeps the socket. No packet is received and no
    /// connection is accepted meanwhile. Sending goes on, and connections stay open.
    ///
    /// Packets that arrive meanwhile wait in the buffers of the operating system. When these are full, peers on
    /// connections are slowed down, and datagrams are lost and counted. After `resume` the packets that waited come
    /// first, and may be as old as the pause.
    ///
    /// ```
    /// use tokio_osc::{Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let (address, outlet) = (channel.local_addr()?, channel.outlet());
    /// let router = Router::new().route("/ping", || ("/pong", ()));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// outlet.pause();
    /// let client = Client::udp(address).await?;
    /// let mut pong = client.subscribe("/pong");
    /// client.send(("/ping", ())).await?;                     // the port is still there
    /// assert_eq!(server.stats().received, 0);
    /// outlet.resume();
    /// assert_eq!(pong.recv().await.expect("the socket is open").to_string(), "/pong ,");
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn pause(&self) {
        self.pause.set(true);
    }

    /// Continues to read after a [`pause`](Outlet::pause).
    pub fn resume(&self) {
        self.pause.set(false);
        if let Some(all) = &self.connections {
            all.wake_all();
        }
    }

    /// Returns `true` if the channel is paused.
    pub fn is_paused(&self) -> bool {
        self.pause.is_paused()
    }

    /// Whether the channel must not be polled now. If so, the task is woken later. A channel with connections is
    /// polled even while it is paused, because polling it sends their queues.
    pub(super) fn register_if_paused(&self, cx: &Context<'_>) -> bool {
        self.connections.is_none() && self.pause.register_if_paused(cx)
    }

    /// Closes a connection: queued packets are sent, then the write side is shut down, and further input is
    /// discarded until the peer has closed, for at most
    /// [`linger`](crate::channel::StreamOptions#structfield.linger) (1 s). Returns `false` if there is no
    /// such connection.
    pub fn disconnect(&self, peer: Peer) -> bool {
        self.connections.as_ref().is_some_and(|all| all.disconnect(peer))
    }

    /// Closes a channel with connections: it stops accepting and reading, closes each connection as
    /// [`disconnect`](Outlet::disconnect) does, and its stream ends. A datagram channel does not change.
    pub fn close(&self) {
        if let Some(all) = &self.connections {
            all.close_all();
        }
    }

    /// Returns how many packets the [`Middleware`](crate::middleware::Middleware) dropped or refused so far,
    /// and how many empty frames were skipped.
    pub fn filtered(&self) -> FilterStats {
        self.chain().filtered()
    }

    pub(crate) fn chain(&self) -> &Chain {
        self.transport.chain()
    }

    /// The transport, for clients that use the same socket.
    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Called instead of a poll of the channel while no task has room for its packets. Returns whether to read it
    /// for a client that waits for a reply.
    pub(crate) fn poll_unread(&self, cx: &mut Context<'_>) -> bool {
        self.transport.poll_unread(cx)
    }

    /// The channel is not polled any more. Returns how many of its queued replies are dropped.
    pub(crate) fn end_replies(&self) -> usize {
        self.transport.end_replies()
    }

    /// Returns `true` if the channel must be polled so that replies are sent.
    pub(crate) fn needs_polling(&self) -> bool {
        self.connections.is_some()
    }

    /// Stops reading. Replies to earlier packets can still be sent.
    pub(crate) fn stop_reading(&self) {
        if let Some(all) = &self.connections {
            all.stop_reading();
        }
    }
}

impl SendTo for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> Result<Sent, SendError> {
        let peer = self.transport.reply_peer(peer);
        match self.chain().write(packet, peer)? {
            Some(frame) => self.transport.try_reply(&frame, peer).map(|_| Sent::Sent),
            None => Ok(Sent::Filtered),
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("connections", &self.connections().len()).finish()
    }
}
