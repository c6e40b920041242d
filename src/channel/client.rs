//! The sending side: cheap to clone.
#![cfg_attr(
    not(feature = "net"),
    expect(
        clippy::match_wildcard_for_single_variants,
        reason = "the transport that is missing here is datagrams"
    )
)]

mod open;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{self, Waker};

use super::events::Disconnect;
use super::hub::{Hub, Place, Wants, meanwhile};
use super::link::Link;
use super::outbox::Delivery;
use super::reconnect::{Background, ClientStates};
use super::request::Request;
use super::subscription::ClientSubscription;
#[cfg(feature = "net")]
use super::udp::{FanOut, UdpMonitor, UdpSender};
#[cfg(all(unix, feature = "net"))]
use super::unix_datagram::UnixSender;
use crate::middleware::{Chain, Filtered};
use crate::packet::{IntoPacket, SendError, SendErrorKind};
use crate::pattern::Pattern;

/// Sends packets to one peer, and hears its answers by the same way.
///
/// Cloning it is a reference count; all clones share the socket. There is no task behind it: when
/// [`send`](Client::send) returns, the packet is with the operating system. Only a
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
/// What the peer sends is read by those who wait for it: requests, subscriptions,
/// [`closed`](Client::closed). A request or subscription that waits must be polled or dropped: it
/// may be the one that reads for all. On a byte stream that nobody waits on, each send takes in and
/// throws away what has arrived, so that the peer is not held up.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    hub: Arc<Hub>,
}

enum Transport {
    #[cfg(feature = "net")]
    Udp(UdpSender),
    #[cfg(all(unix, feature = "net"))]
    UnixDatagram(UnixSender),
    Stream {
        link: Link,
        peer: Option<SocketAddr>,
        local: Option<SocketAddr>,
        chain: Chain,
    },
    Background(Background),
}

impl Client {
    /// Sends a packet. When it returns, the packet is with the operating system; it waits while that
    /// takes nothing. (A reconnecting client: when it returns, the packet is in the queue.)
    ///
    /// UDP promises no delivery, and OSC on TCP no acknowledgement: `Ok` means sent, not received.
    ///
    /// # Errors
    /// The packet cannot be encoded, the [`Middleware`](crate::Middleware) refuses it, it does not fit
    /// (a datagram: 65,507 bytes over IPv4, 65,527 over IPv6; a frame: the limit of the framing), the
    /// connection has ended, the peer took nothing for
    /// [`write_timeout`](crate::StreamOptions#structfield.write_timeout), or the operating system refuses
    /// it. After an I/O error on a byte stream, all sends fail.
    ///
    /// # Cancel safety
    /// Nothing is torn. After a drop the packet was perhaps sent: a datagram whole or not at all; on
    /// a byte stream the rest of a frame goes out with the next send or [`flush`](Client::flush).
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.send(packet).await,
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(unix) => unix.send(packet.into_packet()?).await,
            Transport::Stream { link, .. } => {
                let packet = packet.into_packet()?;
                self.check_open()?;
                self.while_reading(link.send(packet)).await
            }
            Transport::Background(background) => background.send(packet.into_packet()?).await,
        }
    }

    /// Sends a packet if that needs no waiting.
    ///
    /// # Errors
    /// `Full` if it would have to wait, then nothing of it is sent; else as [`send`](Client::send).
    /// The end of a frame that the transport did not take goes out with the next send or
    /// [`flush`](Client::flush).
    pub fn try_send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.try_send(packet),
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(unix) => unix.try_send(packet.into_packet()?),
            Transport::Stream { link, .. } => {
                let packet = packet.into_packet()?;
                self.check_open()?;
                link.try_send(packet)
            }
            Transport::Background(background) => background.try_send(packet.into_packet()?),
        }
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
        match &self.shared.transport {
            Transport::Stream { link, .. } => {
                let packet = packet.into_packet()?;
                self.check_open()?;
                self.while_reading(link.feed(packet)).await
            }
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.feed(packet).await,
            _ => self.send(packet).await,
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
        match &self.shared.transport {
            Transport::Stream { link, .. } => self.while_reading(link.flush()).await,
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.flush().await,
            _ => Ok(()),
        }
    }

    /// Sends many packets, as [`feed`](Client::feed) and [`flush`](Client::flush) do.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use tokio_osc::{Channel, Client, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    /// let client = Client::tcp(channel.local_addr()?, Slip::new()).await?;
    /// client.send_all((0..100).map(|voice| (format!("/synth/{voice}/freq"), 440.0_f32))).await?;
    /// assert_eq!(channel.take(100).count().await, 100);
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
    /// # Panics
    /// `reply` is no legal pattern.
    #[track_caller]
    pub fn request(&self, packet: impl IntoPacket, reply: &str) -> Request {
        Request::new(self.clone(), packet.into_packet(), pattern(reply))
    }

    /// The messages of the peer whose address matches `address`, a literal address or a pattern:
    /// replies and pushes, also those in bundles.
    ///
    /// # Panics
    /// `address` is no legal pattern.
    #[track_caller]
    pub fn subscribe(&self, address: &str) -> ClientSubscription {
        ClientSubscription::new(Place::take(&self.shared.hub, Wants::All(pattern(address))))
    }

    /// Waits until the connection has ended, and says why. Of a datagram client that is never; of a
    /// reconnecting one when it is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn closed(&self) -> Disconnect {
        let place = Place::take(&self.shared.hub, Wants::End);
        loop {
            if let Err(reason) = poll_fn(|cx| place.poll(cx)).await {
                return reason;
            }
        }
    }

    /// Sends what waits and closes the connection; of a reconnecting client also its task, after at
    /// most 1 s. Clones can send nothing more. A datagram client
    /// has nothing to close: it sends what waits, and goes on.
    ///
    /// # Errors
    /// As [`send`](Client::send).
    ///
    /// # Cancel safety
    /// Nothing is torn; call it again.
    pub async fn close(&self) -> Result<(), SendError> {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.flush().await,
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(_) => Ok(()),
            Transport::Stream { link, .. } => {
                link.close().await?;
                self.shared.hub.end(Disconnect::ByUs);
                Ok(())
            }
            Transport::Background(background) => {
                background.close();
                self.closed().await;
                Ok(())
            }
        }
    }

    /// What a reconnecting client is doing: its state now, and each one after. Of other clients the
    /// stream ends at once.
    pub fn states(&self) -> ClientStates {
        match &self.shared.transport {
            Transport::Background(background) => background.states(),
            _ => ClientStates::none(),
        }
    }

    /// What became of the packets that a reconnecting client has accepted; `None` of other clients.
    pub fn delivery(&self) -> Option<Delivery> {
        match &self.shared.transport {
            Transport::Background(background) => Some(background.delivery()),
            _ => None,
        }
    }

    /// The address packets are sent to.
    ///
    /// # Errors
    /// The client has no IP peer, or not always the same.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => Ok(udp.peer()),
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(_) => Err(no_address()),
            Transport::Stream { peer, .. } => peer.ok_or_else(no_address),
            Transport::Background(_) => Err(no_address()),
        }
    }

    /// The address replies come to; that of a UDP client has the unspecified IP.
    ///
    /// # Errors
    /// The client has no IP address, or not always the same; or the operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => Ok(udp.link().local_addr()),
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(_) => Err(no_address()),
            Transport::Stream { local, .. } => local.ok_or_else(no_address),
            Transport::Background(_) => Err(no_address()),
        }
    }

    /// What the [`Middleware`](crate::Middleware) of the client has dropped or refused so far, and the
    /// empty frames that were passed over.
    pub fn filtered(&self) -> Filtered {
        match &self.shared.transport {
            #[cfg(feature = "net")]
            Transport::Udp(udp) => udp.link().chain().filtered(),
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(unix) => unix.filtered(),
            Transport::Stream { chain, .. } => chain.filtered(),
            Transport::Background(background) => background.filtered(),
        }
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    /// Sends, and takes in what arrives meanwhile: a peer that waits until its answers are read
    /// would take nothing.
    async fn while_reading<T>(&self, sending: impl Future<Output = T>) -> T {
        meanwhile(sending, |cx| self.shared.hub.drain_if_unwatched(cx)).await
    }

    /// Whether the peer has not closed the connection yet, as far as that has arrived.
    fn check_open(&self) -> Result<(), SendError> {
        self.shared.hub.drain_if_unwatched(&mut task::Context::from_waker(Waker::noop()));
        self.shared.hub.ended().map_or(Ok(()), |_| Err(SendErrorKind::Closed.into()))
    }
}

#[cfg(feature = "net")]
impl Client {
    /// Sends to these peers instead, by the same datagram socket, each packet encoded once.
    ///
    /// # Errors
    /// The client is one of a connection, which has one peer.
    pub fn to<A: Into<SocketAddr>>(&self, peers: impl IntoIterator<Item = A>) -> io::Result<FanOut> {
        let Transport::Udp(udp) = &self.shared.transport else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a connection has one peer"));
        };
        let target = |peer: A| (Arc::clone(udp.link()), peer.into());
        Ok(FanOut::new(peers.into_iter().map(target).collect()))
    }

    /// A look at the socket of a datagram client: its buffers, and what was lost. A client of a
    /// connection has none.
    pub fn monitor(&self) -> Option<UdpMonitor> {
        match &self.shared.transport {
            Transport::Udp(udp) => Some(UdpMonitor::new(udp.link())),
            _ => None,
        }
    }
}

#[track_caller]
fn pattern(text: &str) -> Pattern {
    #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
    match Pattern::new(text.to_owned()) {
        Ok(pattern) => pattern,
        Err(error) => panic!("the pattern {text:?} is not legal: {error}"),
    }
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this client has no IP address")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, peer) = match &self.shared.transport {
            #[cfg(all(unix, feature = "net"))]
            Transport::UnixDatagram(unix) => {
                return f.debug_struct("Client").field("unix", &unix.peer()).finish();
            }
            #[cfg(feature = "net")]
            Transport::Udp(udp) => ("udp", Some(udp.peer())),
            Transport::Stream { peer, .. } => ("stream", *peer),
            Transport::Background(_) => ("reconnecting", None),
        };
        f.debug_struct("Client").field(kind, &peer).finish()
    }
}
