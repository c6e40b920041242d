//! The sending side: a [`Client`] of one peer, its requests and subscriptions. Cheap to clone.
//!
//! ```
//! use tokio_osc::{Args, Channel, Client, Router, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
//! let channel = Channel::udp("127.0.0.1:0").await?;
//! let client = Client::udp(channel.local_addr()?).await?;
//! let router = Router::new().route("/fader/*", |Args(x): Args<f32>| ("/is", x));
//! let server = Server::new(router).listen("desk", channel).spawn();
//!
//! let mut faders = client.subscribe("/is");
//! client.send(("/fader/1", 0.5_f32)).await?;
//! assert_eq!(faders.recv().await.expect("UDP does not end").to_string(), "/is ,f 0.5");
//! let reply = client.request(("/fader/2", 0.25_f32), "/is").echoing(0.25_f32).retries(2).await?;
//! assert_eq!(reply.parse::<f32>()?, 0.25);
//! # server.shutdown().await;
//! # Ok(()) }
//! ```

#[cfg(feature = "net")]
mod fan_out;
mod inbox;
mod keep_alive;
mod open;
mod reconnecting;
mod request;
mod request_error;
mod stats;
mod stream;
mod subscription;
#[cfg(feature = "net")]
mod tcp;
#[cfg(feature = "net")]
mod udp;
#[cfg(feature = "net")]
#[cfg_attr(not(unix), path = "no_unix.rs")]
mod unix;
mod waker_set;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

#[cfg(feature = "net")]
pub use fan_out::FanOut;
use inbox::{ClientInbox, WaitFor};
pub use keep_alive::KeepAlive;
use reconnecting::Background;
pub use reconnecting::{ClientState, Reconnecting};
pub use request::Request;
pub use request_error::{RequestError, RequestErrorKind};
pub use stats::ClientStats;
pub use subscription::Subscription;

pub use crate::channel::Connect;
use crate::channel::transport::{Transport, send};
use crate::channel::udp::UdpSocketState;
use crate::channel::{Delivery, Disconnect, Events};
use crate::lock::lock;
use crate::middleware::FilterStats;
use crate::packet::{IntoPacket, Peer, SendError, SendErrorKind, append};
use crate::pattern::{Pattern, PatternError, PatternErrorKind};
use crate::types::Text;

/// Sends packets to one peer, and receives its replies by the same transport.
///
/// Cloning it is a reference count; all clones share the socket. It has no task: when
/// [`send`](Client::send) returns, the operating system has the packet. Only a
/// [`reconnecting`](Client::reconnecting) client has a task and a queue.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Args, Channel, Client, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// let server = Server::new(router).listen("udp", channel).spawn();
///
/// let reply = client.request(("/ping", 7), "/pong").timeout(Duration::from_secs(1)).await?;
/// assert_eq!(reply.parse::<i32>()?, 7);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
///
/// What the peer sends is read by those that wait for it: requests, subscriptions,
/// [`closed`](Client::closed). One of them that is held without being polled delays no other. On a byte
/// stream where nothing waits, each send takes in and throws away what has arrived, so that the peer is not
/// held up.
#[derive(Clone)]
pub struct Client {
    shared: Arc<ClientShared>,
}

struct ClientShared {
    transport: Arc<dyn Transport>,
    inbox: Arc<ClientInbox>,
    /// For the transport and the middleware.
    to: Peer,
    /// The address of the peer, if there is always the same one.
    peer: Option<SocketAddr>,
    /// Whether each send reads what has arrived, where nothing waits for it: so on a byte stream.
    reads_to_send: bool,
    /// The buffer of the last send, for the next.
    scratch: Mutex<BytesMut>,
    /// The same transport, if it is a task.
    background: Option<Arc<Background>>,
    /// The socket, if it is one of UDP.
    udp: Option<Arc<UdpSocketState>>,
}

impl ClientShared {
    fn new(transport: Arc<dyn Transport>, inbox: Arc<ClientInbox>) -> Self {
        Self {
            transport,
            inbox,
            to: Peer::LOCAL,
            peer: None,
            reads_to_send: false,
            scratch: Mutex::default(),
            background: None,
            udp: None,
        }
    }
}

impl Client {
    /// Sends a packet. When it returns, the operating system has the packet; it waits while the system's buffer is
    /// full. Of a reconnecting client, the queue has it.
    ///
    /// UDP promises no delivery, and OSC on TCP no acknowledgement: `Ok` means sent, not received.
    ///
    /// # Errors
    /// The packet cannot be encoded, the [`Middleware`](crate::middleware::Middleware) refuses it, it does not
    /// fit (a datagram: 65,507 bytes over IPv4, 65,527 over IPv6, and on macOS 9,216 by default; a frame: the
    /// limit of the framing), the connection has ended, the peer took nothing for
    /// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout), or the operating system
    /// refuses it. After an I/O error on a byte stream, all sends fail.
    ///
    /// # Cancel safety
    /// Nothing is torn. After a drop the packet was perhaps sent: a datagram whole or not at all; on
    /// a byte stream the rest of a frame goes out with the next send or [`flush`](Client::flush).
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.check_open()?;
        let Some(frame) = self.encode(packet)? else { return Ok(()) };
        self.while_reading(send(&*self.shared.transport, &frame, self.shared.to)).await
    }

    /// Sends a packet if that needs no waiting.
    ///
    /// # Errors
    /// `Full` if it would have to wait, then nothing of it is sent; else as [`send`](Client::send).
    /// The end of a frame that the transport did not take goes out with the next send or
    /// [`flush`](Client::flush).
    pub fn try_send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.check_open()?;
        let Some(frame) = self.encode(packet)? else { return Ok(()) };
        self.shared.transport.try_send(&frame, self.shared.to).map(drop)
    }

    /// Takes a packet for the next [`flush`](Client::flush), or for when 64 KiB have come together:
    /// many packets leave in one call of the operating system. Datagrams are sent at once, unless
    /// `Udp::batch` is on.
    ///
    /// # Errors
    /// As [`send`](Client::send).
    ///
    /// # Cancel safety
    /// The packet is taken whole or not at all.
    pub async fn feed(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.check_open()?;
        let Some(frame) = self.encode(packet)? else { return Ok(()) };
        let (transport, to) = self.transport();
        tokio::task::coop::consume_budget().await;
        loop {
            match transport.try_feed(&frame, to) {
                Err(error) if error.kind() == SendErrorKind::Full => {
                    self.while_reading(transport.ready(&frame, to)).await?;
                }
                fed => return fed.map(drop),
            }
        }
    }

    /// Sends what [`feed`](Client::feed) and dropped sends have left.
    ///
    /// # Errors
    /// As [`send`](Client::send).
    ///
    /// # Cancel safety
    /// Nothing is torn; call it again.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.while_reading(self.shared.transport.flush()).await
    }

    /// Sends many packets, as [`feed`](Client::feed) and [`flush`](Client::flush) do.
    ///
    /// ```
    /// use tokio_osc::{Channel, Client, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    /// let client = Client::tcp(channel.local_addr()?, Slip::new()).await?;
    /// client.send_all((0..100).map(|voice| (format!("/synth/{voice}/freq"), 440.0_f32))).await?;
    /// for _ in 0..100 {
    ///     let (packet, _) = channel.recv().await.expect("the channel is open");
    ///     println!("{}", packet?);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Client::send), at the first packet that fails; those before it are sent or taken.
    ///
    /// # Cancel safety
    /// Nothing is torn. After a drop a part of the packets was perhaps sent.
    pub async fn send_all<P: IntoPacket>(
        &self,
        packets: impl IntoIterator<Item = P>,
    ) -> Result<(), SendError> {
        for packet in packets {
            self.feed(packet).await?;
        }
        self.flush().await
    }

    /// Sends a message and waits for a reply from the peer whose address matches `reply`, a literal
    /// address or a pattern.
    ///
    /// Clones may wait for different replies at the same time; each reply goes to the first request
    /// that it matches. Set how long to wait with [`timeout`](Request::timeout).
    ///
    /// A text without a leading slash (`node`, `#reply`) is the address of exactly these bytes, which a
    /// client hears that [accepts](crate::packet::DecodeOptions::accept_bare_addresses) such.
    ///
    /// # Panics
    /// `reply` is not a legal pattern: see [`try_request`](Client::try_request).
    #[track_caller]
    pub fn request<P>(&self, packet: impl IntoPacket, reply: P) -> Request
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Request::new(self.clone(), packet.into_packet(), legal(awaited(reply)))
    }

    /// As [`request`](Client::request), for a pattern that comes at run time.
    ///
    /// # Errors
    /// `reply` is not a legal pattern.
    pub fn try_request<P>(&self, packet: impl IntoPacket, reply: P) -> Result<Request, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let reply = awaited(reply).map_err(|(_, error)| error)?;
        Ok(Request::new(self.clone(), packet.into_packet(), reply))
    }

    /// The messages of the peer whose address matches `address`, a literal address or a pattern:
    /// replies and pushes, also those in bundles. A text without a leading slash is taken as
    /// [`request`](Client::request) takes it.
    ///
    /// # Panics
    /// `address` is not a legal pattern: see [`try_subscribe`](Client::try_subscribe).
    #[track_caller]
    pub fn subscribe<P>(&self, address: P) -> Subscription
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Subscription::new(&self.shared.inbox, legal(awaited(address)))
    }

    /// As [`subscribe`](Client::subscribe), for a pattern that comes at run time.
    ///
    /// ```
    /// use tokio_osc::Client;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let client = Client::udp("127.0.0.1:9000").await?;
    /// let error = client.try_subscribe("/meters/[1-").unwrap_err();
    /// println!("{error}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `address` is not a legal pattern.
    pub fn try_subscribe<P>(&self, address: P) -> Result<Subscription, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = awaited(address).map_err(|(_, error)| error)?;
        Ok(Subscription::new(&self.shared.inbox, pattern))
    }

    /// Waits until the connection has ended, and says why. Of a datagram client that is never; of a
    /// reconnecting one when it is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn closed(&self) -> Disconnect {
        let waiter = self.shared.inbox.join(WaitFor::End);
        loop {
            if let Err(reason) = poll_fn(|cx| waiter.poll(cx)).await {
                return reason;
            }
        }
    }

    /// Sends what waits and closes the connection; of a reconnecting client also its task. Clones can send
    /// nothing more. A datagram client has nothing to close: it sends what waits, and goes on.
    ///
    /// On a byte stream it ends this side, reads what still arrives and throws it away, and returns when the
    /// peer has closed as well: unread input would become a reset, which destroys what was sent last. That
    /// takes [`linger`](crate::channel::StreamOptions#structfield.linger) (1 s) at most.
    ///
    /// # Errors
    /// As [`send`](Client::send). `TimedOut`: the peer has not closed in time, so that what was sent last may
    /// be lost. Of a reconnecting client also: packets wait that no connection has taken.
    ///
    /// # Cancel safety
    /// Nothing is torn; call it again.
    pub async fn close(&self) -> Result<(), SendError> {
        let closed = self.shared.transport.close().await;
        if self.shared.reads_to_send {
            self.shared.inbox.end(Disconnect::ByUs);
        }
        closed
    }

    /// What a reconnecting client is doing: its state now, and each one after. Of other clients the
    /// events end at once.
    pub fn states(&self) -> Events<ClientState> {
        let background = self.shared.background.as_ref();
        background.map_or_else(Events::default, |background| background.states())
    }

    /// What became of the packets that a reconnecting client has accepted; `None` of other clients.
    pub fn delivery(&self) -> Option<Delivery> {
        self.shared.background.as_ref().map(|background| background.delivery())
    }

    /// The address that packets are sent to.
    ///
    /// # Errors
    /// The client has no IP peer, or not always the same.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.shared.peer.ok_or_else(no_address)
    }

    /// The address replies come to; that of a UDP client has the unspecified IP.
    ///
    /// # Errors
    /// The client has no IP address, or not always the same; or the operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.transport.local_addr().ok_or_else(no_address)
    }

    /// What the client has received so far, and what of it could not be read.
    pub fn stats(&self) -> ClientStats {
        self.shared.inbox.counters.stats()
    }

    /// What the [`Middleware`](crate::middleware::Middleware) of the client has dropped or refused so far, and the
    /// empty frames that were passed over.
    pub fn filtered(&self) -> FilterStats {
        self.shared.transport.chain().filtered()
    }

    /// How often the host of a UDP peer has said that no program listens there.
    fn refusals(&self) -> u64 {
        self.shared.udp.as_ref().map_or(0, |udp| udp.refusals())
    }

    fn inbox(&self) -> &Arc<ClientInbox> {
        &self.shared.inbox
    }

    fn transport(&self) -> (&dyn Transport, Peer) {
        (&*self.shared.transport, self.shared.to)
    }

    /// The bytes of a packet, through the middleware if there is any; `None` if a layer dropped it.
    ///
    /// The buffer is used again once its last packet is sent. It is taken out meanwhile: the packet may be a
    /// user's type that sends by the same client.
    fn encode(&self, packet: impl IntoPacket) -> Result<Option<Bytes>, SendError> {
        let chain = self.shared.transport.chain();
        if !chain.is_empty() {
            return Ok(chain.write(packet.into_packet()?, self.shared.to)?);
        }
        let mut buffer = std::mem::take(&mut *lock(&self.shared.scratch));
        buffer.clear();
        let encoded = append(&mut buffer, &packet);
        let frame = buffer.split().freeze();
        *lock(&self.shared.scratch) = buffer;
        encoded?;
        Ok(Some(frame))
    }

    /// Sends, and reads for all that wait meanwhile: a peer that waits until it is read would take nothing.
    async fn while_reading<T>(&self, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        let mut waiter = None;
        poll_fn(|cx| {
            let sent = sending.as_mut().poll(cx);
            if sent.is_pending() {
                // Joined only when it waits: most sends do not.
                waiter.get_or_insert_with(|| self.shared.inbox.join(WaitFor::End)).read(cx);
            }
            sent
        })
        .await
    }

    /// Whether the peer has not closed the connection yet, as far as that has arrived.
    fn check_open(&self) -> Result<(), SendError> {
        if !self.shared.reads_to_send {
            return Ok(());
        }
        self.shared.inbox.read_unless_awaited();
        self.shared.inbox.ended().map_or(Ok(()), |_| Err(SendErrorKind::Closed.into()))
    }
}

/// What a caller waits for: a pattern, or the bytes of an address without a slash. An error comes with the
/// bytes, for the message of [`legal`].
fn awaited<P>(address: P) -> Result<Pattern, (Bytes, PatternError)>
where
    P: AsRef<[u8]> + TryInto<Pattern>,
    P::Error: Into<PatternError>,
{
    let text = Bytes::copy_from_slice(address.as_ref());
    let pattern = address.try_into().map_err(Into::into).or_else(|error| match error.kind() {
        PatternErrorKind::NoLeadingSlash => Pattern::try_exact(text.clone()),
        _ => Err(error),
    });
    pattern.map_err(|error| (text, error))
}

/// The pattern of the caller's source.
#[track_caller]
fn legal(pattern: Result<Pattern, (Bytes, PatternError)>) -> Pattern {
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    match pattern {
        Ok(pattern) => pattern,
        // Not in a closure: the panic is to name the caller's line.
        Err((text, error)) => panic!("the pattern {:?} is not legal: {error}", Text::new(&text)),
    }
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this client has no IP address")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("peer", &self.shared.peer)
            .field("udp", &self.shared.udp.is_some())
            .finish_non_exhaustive()
    }
}
