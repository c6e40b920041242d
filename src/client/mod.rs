//! Sending packets: the [`Client`] of a peer, its requests and subscriptions.
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
//! let reply = client.request(("/fader/2", 0.25_f32), "/is").echoing(0.25_f32).await?;
//! assert_eq!(reply.parse::<f32>()?, 0.25);
//! # server.shutdown().await;
//! # Ok(()) }
//! ```

// rustdoc lists methods in the order of these modules: constructors come first.
#[cfg(feature = "net")]
mod udp;

#[cfg(feature = "net")]
mod tcp;
#[cfg(feature = "net")]
#[cfg_attr(not(unix), path = "no_unix.rs")]
mod unix;

mod open;

#[cfg(feature = "net")]
mod fan_out;
mod inbox;
mod keep_alive;
mod reconnecting;
mod request;
mod request_error;
mod stats;
mod stream;
mod subscription;
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
/// Cloning a client increments a reference count, and all clones share its socket. A client has no task: when
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
/// Packets from the peer are read by the futures that wait for them: requests, subscriptions and
/// [`closed`](Client::closed). A future that is held without being polled does not delay the others. On a
/// byte stream without any such future, each send reads and discards the available input, so that the peer is
/// not blocked.
#[derive(Clone)]
pub struct Client {
    shared: Arc<ClientShared>,
}

struct ClientShared {
    transport: Arc<dyn Transport>,
    inbox: Arc<ClientInbox>,
    /// The peer, for the transport and the middleware.
    to: Peer,
    /// The address of the peer, if it is always the same.
    peer: Option<SocketAddr>,
    /// Whether each send reads and discards input that nothing waits for. So on byte streams.
    reads_to_send: bool,
    /// The buffer of the last send, to be reused.
    scratch: Mutex<BytesMut>,
    /// The same transport, if it is the task of a reconnecting client.
    background: Option<Arc<Background>>,
    /// The socket, for UDP.
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
    /// Sends a packet. When it returns, the operating system has the packet, or, for a reconnecting client, its
    /// queue. It waits while the buffer of the system is full.
    ///
    /// `Ok` means sent, not received: UDP does not guarantee delivery, and OSC over TCP has no
    /// acknowledgement.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded, the [`Middleware`](crate::middleware::Middleware)
    /// refuses it, it is too large (a datagram: 65,507 bytes over IPv4, 65,527 over IPv6; a frame: the limit
    /// of the framing), the connection has ended, the peer accepted nothing for
    /// [`write_timeout`](crate::channel::StreamOptions#structfield.write_timeout), or the operating system
    /// refuses it. After an I/O error on a byte stream, all sends fail.
    ///
    /// # Cancel safety
    /// No frame is sent in part. If the future is dropped, the packet may have been sent: a datagram whole or
    /// not at all; on a byte stream the next send or [`flush`](Client::flush) sends the rest of the frame.
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.check_open()?;
        let Some(frame) = self.encode(packet)? else { return Ok(()) };
        self.while_reading(send(&*self.shared.transport, &frame, self.shared.to)).await
    }

    /// Sends a packet without waiting.
    ///
    /// # Errors
    /// Returns `Full` if the send would wait; nothing is sent then. Other errors are those of
    /// [`send`](Client::send). If the transport accepted a part of the frame, the next send or
    /// [`flush`](Client::flush) sends the rest.
    pub fn try_send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.check_open()?;
        let Some(frame) = self.encode(packet)? else { return Ok(()) };
        self.shared.transport.try_send(&frame, self.shared.to).map(drop)
    }

    /// Queues a packet until the next [`flush`](Client::flush), or until 64 KiB are queued, so that one
    /// system call sends many packets. Datagrams are sent at once, unless `Udp::batch` is on.
    ///
    /// # Errors
    /// Same as [`send`](Client::send).
    ///
    /// # Cancel safety
    /// If the future is dropped, the packet was queued whole or not at all.
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

    /// Sends the packets queued by [`feed`](Client::feed), and the rest of dropped sends.
    ///
    /// # Errors
    /// Same as [`send`](Client::send).
    ///
    /// # Cancel safety
    /// No frame is sent in part. Call it again to continue.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.while_reading(self.shared.transport.flush()).await
    }

    /// Sends many packets with [`feed`](Client::feed), then calls [`flush`](Client::flush).
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
    /// Same as [`send`](Client::send), for the first packet that fails. The packets before it were sent or
    /// queued.
    ///
    /// # Cancel safety
    /// No frame is sent in part. If the future is dropped, some of the packets may have been sent.
    pub async fn send_all<P: IntoPacket>(
        &self,
        packets: impl IntoIterator<Item = P>,
    ) -> Result<(), SendError> {
        for packet in packets {
            self.feed(packet).await?;
        }
        self.flush().await
    }

    /// Sends a message and waits for a reply whose address matches `reply`, a literal address or a pattern.
    ///
    /// Several requests can wait at the same time, also on clones. Each reply goes to the first request that
    /// it matches. Set the time to wait with [`timeout`](Request::timeout).
    ///
    /// A text without a leading slash (`node`, `#reply`) is an address of exactly these bytes. A client
    /// receives such addresses if it [accepts](crate::packet::DecodeOptions::accept_bare_addresses) them.
    ///
    /// # Panics
    /// Panics if `reply` is not a valid pattern. See [`try_request`](Client::try_request).
    #[track_caller]
    pub fn request<P>(&self, packet: impl IntoPacket, reply: P) -> Request
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Request::new(self.clone(), packet.into_packet(), legal(awaited(reply)))
    }

    /// Same as [`request`](Client::request), for a pattern that is known only at run time.
    ///
    /// # Errors
    /// Returns an error if `reply` is not a valid pattern.
    pub fn try_request<P>(&self, packet: impl IntoPacket, reply: P) -> Result<Request, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let reply = awaited(reply).map_err(|(_, error)| error)?;
        Ok(Request::new(self.clone(), packet.into_packet(), reply))
    }

    /// Subscribes to the messages of the peer whose address matches `address`, a literal address or a
    /// pattern: replies and pushed messages, also inside bundles. A text without a leading slash is handled
    /// as in [`request`](Client::request).
    ///
    /// # Panics
    /// Panics if `address` is not a valid pattern. See [`try_subscribe`](Client::try_subscribe).
    #[track_caller]
    pub fn subscribe<P>(&self, address: P) -> Subscription
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Subscription::new(&self.shared.inbox, legal(awaited(address)))
    }

    /// Same as [`subscribe`](Client::subscribe), for a pattern that is known only at run time.
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
    /// Returns an error if `address` is not a valid pattern.
    pub fn try_subscribe<P>(&self, address: P) -> Result<Subscription, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = awaited(address).map_err(|(_, error)| error)?;
        Ok(Subscription::new(&self.shared.inbox, pattern))
    }

    /// Waits until the connection ends, and returns the reason. A datagram client never ends; a reconnecting
    /// client ends when it is closed.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn closed(&self) -> Disconnect {
        let waiter = self.shared.inbox.join(WaitFor::End);
        loop {
            if let Err(reason) = poll_fn(|cx| waiter.poll(cx)).await {
                return reason;
            }
        }
    }

    /// Sends queued packets and closes the connection, and ends the task of a reconnecting client. Clones
    /// cannot send afterwards. A datagram client has no connection: it sends queued packets and can be used
    /// further.
    ///
    /// On a byte stream, it shuts down the write side, discards further input, and returns when the peer has
    /// closed its side. Unread input would turn the close into a reset, which destroys the last packets. This
    /// takes at most [`linger`](crate::channel::StreamOptions#structfield.linger) (1 s).
    ///
    /// # Errors
    /// Same as [`send`](Client::send). Returns `TimedOut` if the peer did not close in time; the last packets
    /// may be lost. A reconnecting client goes on connecting for as long, and also returns an error if no connection
    /// accepted its queued packets.
    ///
    /// # Cancel safety
    /// No frame is sent in part. Call it again to continue.
    pub async fn close(&self) -> Result<(), SendError> {
        let closed = self.shared.transport.close().await;
        if self.shared.reads_to_send {
            self.shared.inbox.end(Disconnect::ByUs);
        }
        closed
    }

    /// Returns the state of a reconnecting client, now and at each change. For other clients the stream ends
    /// at once.
    pub fn states(&self) -> Events<ClientState> {
        let background = self.shared.background.as_ref();
        background.map_or_else(Events::default, |background| background.states())
    }

    /// Returns the counts of the packets accepted by a reconnecting client. `None` for other clients.
    pub fn delivery(&self) -> Option<Delivery> {
        self.shared.background.as_ref().map(|background| background.delivery())
    }

    /// Returns the address that packets are sent to.
    ///
    /// # Errors
    /// Returns an error if the peer has no IP address, or not always the same one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.shared.peer.ok_or_else(no_address)
    }

    /// Returns the address that receives replies. The IP address of a UDP client is unspecified.
    ///
    /// # Errors
    /// Returns an error if the client has no IP address, or not always the same one, or if the system does
    /// not report it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.transport.local_addr().ok_or_else(no_address)
    }

    /// Returns counters of the packets received so far, including those that could not be decoded.
    pub fn stats(&self) -> ClientStats {
        self.shared.inbox.counters.stats()
    }

    /// Returns how many packets the [`Middleware`](crate::middleware::Middleware) dropped or refused so far,
    /// and how many empty frames were skipped.
    pub fn filtered(&self) -> FilterStats {
        self.shared.transport.chain().filtered()
    }

    /// How often the host of a UDP peer reported that the port is closed.
    fn refusals(&self) -> u64 {
        self.shared.udp.as_ref().map_or(0, |udp| udp.refusals())
    }

    fn inbox(&self) -> &Arc<ClientInbox> {
        &self.shared.inbox
    }

    fn transport(&self) -> (&dyn Transport, Peer) {
        (&*self.shared.transport, self.shared.to)
    }

    /// Encodes a packet, through the middleware. `None` if a layer dropped it.
    ///
    /// The buffer is reused after its last packet was sent. It is taken out meanwhile, because the packet may
    /// be a type of the user that sends with the same client.
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

    /// Sends, and reads for all waiters meanwhile: a peer that blocks until its output is read would accept
    /// nothing.
    async fn while_reading<T>(&self, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        let mut waiter = None;
        poll_fn(|cx| {
            let sent = sending.as_mut().poll(cx);
            if sent.is_pending() {
                // Registered only if the send waits. Most sends do not.
                waiter.get_or_insert_with(|| self.shared.inbox.join(WaitFor::End)).read(cx);
            }
            sent
        })
        .await
    }

    /// Returns `true` unless the end of the connection was read.
    fn check_open(&self) -> Result<(), SendError> {
        if !self.shared.reads_to_send {
            return Ok(());
        }
        self.shared.inbox.read_unless_awaited();
        self.shared.inbox.ended().map_or(Ok(()), |_| Err(SendErrorKind::Closed.into()))
    }
}

/// The address that a caller waits for: a pattern, or the bytes of an address without a slash. An error keeps
/// the bytes, for the message of [`legal`].
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

/// A pattern that is a literal in the source of the caller.
#[track_caller]
fn legal(pattern: Result<Pattern, (Bytes, PatternError)>) -> Pattern {
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    match pattern {
        Ok(pattern) => pattern,
        // Not in a closure, so that the panic names the line of the caller.
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
