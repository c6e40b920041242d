//! What a handler returns goes back to the sender.

use std::sync::{Arc, OnceLock};
use std::{fmt, io};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::unconstrained;

use super::{Context, FromContext, Rejection, ReplyBudget, ReplyRate};
use crate::packet::{EncodeError, IntoPacket, Packet, Peer};

/// What a handler has to say to the sender of the message: packets, or why there are none.
///
/// ```
/// use tokio_osc::{Args, IntoReply, Replies, Router};
///
/// let router = Router::new().route("/half", |Args(n): Args<i32>| {
///     if n % 2 == 0 { ("/half", n / 2).into_reply() } else { Replies::none() }
/// });
/// ```
#[derive(Debug, Default)]
pub struct Replies {
    pub(crate) packets: Vec<Packet>,
    pub(crate) failed: Option<String>,
}

impl Replies {
    /// No reply.
    pub fn none() -> Self {
        Self::default()
    }

    fn of(packet: Result<Packet, EncodeError>) -> Self {
        match packet {
            Ok(packet) => Self { packets: vec![packet], failed: None },
            Err(error) => Self { packets: Vec::new(), failed: Some(error.to_string()) },
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.packets.extend(other.packets);
        self.failed = self.failed.or(other.failed);
        self
    }
}

/// What a handler may return.
///
/// `()` sends nothing. Whatever can be sent, see [`IntoPacket`](crate::IntoPacket), goes back to
/// the sender, from the socket that received the message. `Option`, `Result` and `Vec` of it do
/// what they say; an error is counted and traced, not sent.
///
/// ```
/// use tokio_osc::{Args, Message, Router};
///
/// let router = Router::new()
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n))
///     .route("/quiet", || {})
///     .route("/half", |Args(n): Args<i32>| (n % 2 == 0).then(|| ("/half", n / 2)))
///     .route("/fallible", || Message::new("/answer", 42));
/// ```
///
/// A type of your own that is one packet implements [`IntoPacket`](crate::IntoPacket), and can be
/// sent as well. One that may be none, or several, hands the work to what is a reply already:
///
/// ```
/// use tokio_osc::{Bundle, IntoReply, Replies, Router};
///
/// enum Level {
///     Known { db: f32, clipped: bool },
///     Unknown,
/// }
///
/// impl IntoReply for Level {
///     fn into_reply(self) -> Replies {
///         match self {
///             Self::Known { db, clipped } => {
///                 Bundle::immediately().with(("/level/db", db)).with(("/level/clipped", clipped)).into_reply()
///             }
///             Self::Unknown => Replies::none(),
///         }
///     }
/// }
///
/// let router = Router::new()
///     .route("/level", || Level::Known { db: -3.0, clipped: false })
///     .route("/level/next", async || Level::Unknown);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an OSC handler",
    note = "a handler returns `()`, or what goes back to the sender: `(address, arguments)`, `Message`, `Bundle`, or `Option`, `Result` or `Vec` of them; or a type of your own that implements `IntoReply`"
)]
pub trait IntoReply {
    /// Turns the result into a reply.
    fn into_reply(self) -> Replies;
}

impl<P: IntoPacket> IntoReply for P {
    fn into_reply(self) -> Replies {
        Replies::of(self.into_packet())
    }
}

impl IntoReply for Replies {
    fn into_reply(self) -> Replies {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}

impl<R: IntoReply> IntoReply for Option<R> {
    fn into_reply(self) -> Replies {
        self.map_or_else(Replies::none, IntoReply::into_reply)
    }
}

impl<R: IntoReply, E: fmt::Display> IntoReply for Result<R, E> {
    fn into_reply(self) -> Replies {
        match self {
            Ok(reply) => reply.into_reply(),
            Err(error) => Replies { packets: Vec::new(), failed: Some(error.to_string()) },
        }
    }
}

impl<R: IntoReply> IntoReply for Vec<R> {
    fn into_reply(self) -> Replies {
        self.into_iter().map(IntoReply::into_reply).fold(Replies::none(), Replies::and)
    }
}

/// A handler that never returns, such as `|| panic!()`, has the type `!`, which stable Rust can name
/// only as what a function returns. The trait is the language's own: of one of this crate, another
/// crate could not know that `!` is the one type meant, and so could not implement `IntoReply`.
impl<T> IntoReply for T
where
    fn() -> !: FnOnce() -> T,
{
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}

/// A way to answer later, or more than once: the sender's address and the socket that received.
///
/// At most 64 packets and 64 KiB go out for one received packet, by all handles and results of its
/// handlers together: the address of a UDP sender may be forged. All packets of one source together
/// are limited by [`Server::reply_rate`](crate::Server::reply_rate). A handle keeps the socket open.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Reply, Router};
///
/// let router = Router::new().route("/measure", |reply: Reply| {
///     tokio::spawn(async move {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         reply.send(("/measured", 42)).await
///     });
/// });
/// ```
#[derive(Clone)]
pub struct Reply {
    back: Arc<dyn SendBack>,
    peer: Peer,
    budget: Arc<ReplyBudget>,
}

/// The way back to the peers of a channel.
pub(crate) trait SendBack: Send + Sync {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<Departure>>;
}

/// What became of a reply that could be sent.
pub(crate) enum Departure {
    Sent,
    /// The middleware of the channel has dropped it.
    Filtered,
}

/// The way back to the sender of a packet, if there is one, and what may still go there.
#[derive(Default)]
pub(crate) struct WayBack<'a> {
    socket: Option<&'a Arc<dyn SendBack>>,
    rate: Option<&'a Arc<ReplyRate>>,
    /// Made when somebody asks for it: most packets have no reply.
    budget: OnceLock<Arc<ReplyBudget>>,
}

impl<'a> WayBack<'a> {
    pub(crate) fn new(socket: Option<&'a Arc<dyn SendBack>>, rate: Option<&'a Arc<ReplyRate>>) -> Self {
        Self { socket, rate, budget: OnceLock::new() }
    }

    /// A way back that has the same budget as another one.
    pub(crate) fn sharing(socket: Option<&'a Arc<dyn SendBack>>, budget: Arc<ReplyBudget>) -> Self {
        Self { socket, rate: None, budget: OnceLock::from(budget) }
    }

    pub(crate) fn budget(&self) -> &Arc<ReplyBudget> {
        self.budget.get_or_init(|| Arc::new(ReplyBudget::new(self.rate.cloned())))
    }

    /// Sends a packet, as the budget allows.
    pub(crate) async fn send(&self, packet: Packet, peer: Peer) -> Result<Departure, ReplyError> {
        let socket = self.socket.ok_or_else(|| ReplyError::Io(io::ErrorKind::NotConnected.into()))?;
        send(&**socket, self.budget(), packet, peer).await
    }
}

async fn send(
    socket: &dyn SendBack,
    budget: &ReplyBudget,
    packet: Packet,
    peer: Peer,
) -> Result<Departure, ReplyError> {
    budget.take(packet.as_bytes().len(), peer)?;
    socket.send(packet, peer).await.map_err(ReplyError::Io)
}

impl Reply {
    /// Sends a packet to the sender of the message.
    ///
    /// # Errors
    /// The packet cannot be encoded, the budget is spent, the rate reached, or the transport refuses
    /// it.
    ///
    /// # Cancel safety
    /// A dropped reply was perhaps sent, but never in part.
    pub async fn send(&self, packet: impl IntoPacket) -> Result<(), ReplyError> {
        let packet = packet.into_packet().map_err(ReplyError::Encode)?;
        send(&*self.back, &self.budget, packet, self.peer).await.map(drop)
    }

    /// The same at once or not at all, for handlers that do not await: on any thread, in a runtime or
    /// not.
    ///
    /// ```
    /// use tokio_osc::{Args, Reply, Router};
    ///
    /// let router = Router::new().route("/double", |Args(n): Args<i32>, reply: Reply| {
    ///     reply.try_send(("/doubled", n * 2)).ok();
    /// });
    /// ```
    ///
    /// # Errors
    /// As [`send`](Reply::send); `WouldBlock` when the socket is full.
    pub fn try_send(&self, packet: impl IntoPacket) -> Result<(), ReplyError> {
        let full = || Err(ReplyError::Io(io::ErrorKind::WouldBlock.into()));
        unconstrained(self.send(packet)).now_or_never().unwrap_or_else(full)
    }

    /// Who gets the reply.
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl<S> FromContext<S> for Reply {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let back = context.back.socket.ok_or(Rejection::NoWayBack)?;
        let budget = Arc::clone(context.back.budget());
        Ok(Self { back: Arc::clone(back), peer: context.meta().peer, budget })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Why a reply was not sent.
///
/// ```
/// use tokio_osc::{Reply, ReplyError, Router};
///
/// let router = Router::new().route("/list", async |reply: Reply| {
///     for n in 0..1_000 {
///         match reply.send(("/item", n)).await {
///             Err(ReplyError::Budget) => break,               // 64 items are sent
///             result => result.unwrap_or_else(|error| eprintln!("{error}")),
///         }
///     }
/// });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplyError {
    /// The packet cannot be encoded.
    Encode(EncodeError),
    /// 64 replies or 64 KiB went out for the packet already.
    Budget,
    /// The source has as many replies as it may
    /// ([`Server::reply_rate`](crate::Server::reply_rate)).
    Rate,
    /// The transport refused it.
    Io(io::Error),
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::Budget => f.write_str("the budget of 64 replies and 64 KiB is spent"),
            Self::Rate => f.write_str("the source has as many replies as it may"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encode(error) => error.source(),
            Self::Budget | Self::Rate => None,
            Self::Io(error) => error.source(),
        }
    }
}
