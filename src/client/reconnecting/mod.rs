//! A client that connects again: the one client with a task and a queue behind it.
//!
//! [`task`] makes and drives the connections, one after the other; [`background`] is the client's side of the
//! queue between them.

mod background;
mod task;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::inbox::ClientInbox;
use super::subscription::Subscription;
use super::{Client, ClientShared, awaited, legal};
use crate::channel::stream::connect::Attempts;
use crate::channel::stream::outbox::Outbox;
use crate::channel::{Connect, StreamOptions};
use crate::codec::Framing;
use crate::packet::{EncodeError, IntoPacket, Overflow, Packet};
use crate::pattern::{Pattern, PatternError};
pub(super) use background::Background;
pub use background::ClientState;
use task::{Life, ReadByTask};

/// How long a packet waits for a connection.
const MAX_AGE: Duration = Duration::from_secs(10);
/// The shortest time between keep-alives.
const SHORTEST: Duration = Duration::from_millis(1);

/// A client that connects again, before it is started: what
/// [`Client::reconnecting`](crate::Client::reconnecting) returns.
///
/// The client it becomes has a task, which ends with its last clone, and a queue of
/// [`send_queue`](StreamOptions#structfield.send_queue) bytes. When a connection breaks, what was not
/// handed to the operating system whole goes out on the next one; what was is gone with it, maybe
/// received and maybe not, and counted in [`ClientState::Waiting`]. An attempt to connect may take 10 s.
///
/// | option | default | because |
/// | --- | --- | --- |
/// | [`max_age`](Self::max_age) | 10 s | a cue must not fire long after its moment |
/// | [`overflow`](Self::overflow) | the oldest packet is dropped | the newest value is the one that counts |
/// | [`backoff`](Self::backoff) | 100 ms to 10 s | many clients come back to one server |
/// | [`refuse_while_disconnected`](Self::refuse_while_disconnected) | off | a short break goes unnoticed |
///
/// ```no_run
/// use std::time::Duration;
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // QLab takes OSC over TCP with SLIP on port 53000.
/// let qlab = Client::reconnecting("qlab.local:53000", Slip::new())
///     .on_connect(("/connect", ()))
///     .on_connect(("/updates", 1))
///     .max_age(Duration::from_secs(2))                       // a cue that is later must not start
///     .spawn()?;
///
/// let mut updates = qlab.subscribe("/update//*");
/// qlab.send(("/cue/7/start", ())).await?;
/// while let Some(update) = updates.recv().await {
///     println!("{update}");
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is connected before `spawn`"]
pub struct Reconnecting<C, F> {
    attempts: Attempts<C>,
    framing: F,
    options: StreamOptions,
    overflow: Overflow,
    max_age: Duration,
    refuses_offline: bool,
    inbox: Arc<ClientInbox>,
    on_connect: Vec<Packet>,
    keep_alive: Option<(Duration, Packet)>,
    failed: Option<EncodeError>,
}

impl<C: Connect, F: Framing> Reconnecting<C, F> {
    pub(super) fn new(connect: C, framing: F) -> Self {
        Self {
            attempts: Attempts::new(connect),
            framing,
            options: StreamOptions::default(),
            overflow: Overflow::DropOldest,
            max_age: MAX_AGE,
            refuses_offline: false,
            inbox: ClientInbox::new(Box::new(ReadByTask), None),
            on_connect: Vec::new(),
            keep_alive: None,
            failed: None,
        }
    }

    /// The limits, timeouts and middleware of each connection. Default [`StreamOptions::default`].
    ///
    /// Middleware on the way out is asked when a packet is sent, before it waits in the queue; of
    /// the peer it knows no address.
    pub fn options(mut self, options: StreamOptions) -> Self {
        self.options = options;
        self
    }

    /// The pause after a connection has failed: the shortest, doubled each time up to the longest;
    /// of each, a random part between a half and the whole. A connection that lasted longer than the
    /// pause that it would have led to starts over. At least 1 ms; default 100 ms to 10 s.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.attempts.backoff(shortest, longest);
        self
    }

    /// What happens to a packet that finds the queue full. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How long a packet may wait for a connection; an older one is dropped, and counted in
    /// [`dropped`](crate::channel::Delivery::dropped). Default 10 s: a cue that was meant for a moment must not fire minutes
    /// later, when the peer is back. `Duration::MAX` keeps packets for as long as it takes.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Refuses packets while there is no connection, with an error of the kind
    /// [`NotConnected`](std::io::ErrorKind::NotConnected). Default: they wait, for [`max_age`](Self::max_age) at most.
    pub fn refuse_while_disconnected(mut self) -> Self {
        self.refuses_offline = true;
        self
    }

    /// As [`Client::subscribe`], before the client is started: the first answers to what
    /// [`on_connect`](Self::on_connect) sends are not lost.
    ///
    /// ```
    /// use tokio_osc::{Client, Slip};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let qlab = Client::reconnecting("127.0.0.1:53000", Slip::new()).on_connect(("/updates", 1));
    /// let updates = qlab.subscribe("/update//*");
    /// let qlab = qlab.spawn()?;
    /// # drop((updates, qlab));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// `address` is not a legal pattern: see [`try_subscribe`](Self::try_subscribe).
    #[track_caller]
    pub fn subscribe<P>(&self, address: P) -> Subscription
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Subscription::new(&self.inbox, legal(awaited(address)))
    }

    /// As [`subscribe`](Self::subscribe), for a pattern that comes at run time.
    ///
    /// # Errors
    /// `address` is not a legal pattern.
    pub fn try_subscribe<P>(&self, address: P) -> Result<Subscription, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = awaited(address).map_err(|(_, error)| error)?;
        Ok(Subscription::new(&self.inbox, pattern))
    }

    /// Sends a packet on each new connection, before all others: a greeting, a subscription. Each call
    /// adds one; they are sent in order.
    pub fn on_connect(mut self, packet: impl IntoPacket) -> Self {
        match packet.into_packet() {
            Ok(packet) => self.on_connect.push(packet),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// Sends a packet each `interval`, at least 1 ms, while connected, before queued packets; for the
    /// first time one `interval` after the connection was made. There is one such packet: a second call
    /// takes the place of the first. By default there is none.
    pub fn keep_alive(mut self, interval: Duration, packet: impl IntoPacket) -> Self {
        match packet.into_packet() {
            Ok(packet) => self.keep_alive = Some((interval.max(SHORTEST), packet)),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// Starts the task. It does not wait for a connection: see [`Client::states`].
    ///
    /// # Errors
    /// A packet of [`on_connect`](Self::on_connect) or [`keep_alive`](Self::keep_alive) cannot be
    /// encoded.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub fn spawn(mut self) -> Result<Client, EncodeError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let inbox = Arc::clone(&self.inbox);
        let outbox = Arc::new(Outbox::new(self.options.send_queue).with_max_age(Some(self.max_age)));
        let states = watch::Sender::new(ClientState::Connecting);
        self.options.chain = self.options.chain.counting_anew();
        let (overflow, refuses_offline) = (self.overflow, self.refuses_offline);
        let chain = self.options.chain.clone();
        let watched = states.subscribe();
        let life = Life { outbox: Arc::clone(&outbox), inbox: Arc::clone(&inbox), states };
        let task = tokio::spawn(self.run(life)).abort_handle();
        let background = Arc::new(Background {
            outbox,
            inbox: Arc::clone(&inbox),
            overflow,
            refuses_offline,
            chain,
            states: watched,
            task,
        });
        let transport = Arc::clone(&background) as _;
        let shared = ClientShared { background: Some(background), ..ClientShared::new(transport, inbox) };
        Ok(Client { shared: Arc::new(shared) })
    }
}

impl<C, F: fmt::Debug> fmt::Debug for Reconnecting<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("framing", &self.framing).finish_non_exhaustive()
    }
}
