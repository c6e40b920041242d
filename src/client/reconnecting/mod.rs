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

/// Default maximum age of a packet that waits for a connection.
const MAX_AGE: Duration = Duration::from_secs(10);
/// The shortest time between keep-alives.
const SHORTEST: Duration = Duration::from_millis(1);

/// The options of a client that connects again. Created by
/// [`Client::reconnecting`](crate::Client::reconnecting), started by [`spawn`](Self::spawn).
///
/// The client has a task, which ends with its last clone, and a queue of
/// [`send_queue`](StreamOptions#structfield.send_queue) bytes. When a connection breaks, every packet that was not
/// completely handed to the operating system is sent on the next connection. The others may or may not have been
/// received; they are counted in [`ClientState::Waiting`]. An attempt to connect may take 10 s.
///
/// | option | default | because |
/// | --- | --- | --- |
/// | [`max_age`](Self::max_age) | 10 s | a cue must not fire long after its moment |
/// | [`overflow`](Self::overflow) | the oldest packet is dropped | only the newest value matters |
/// | [`backoff`](Self::backoff) | 100 ms to 10 s | many clients may reconnect to one server |
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

    /// Sets the limits, timeouts and middleware of each connection. Default [`StreamOptions::default`].
    ///
    /// Outgoing packets pass the middleware before they are queued, and without the address of the peer.
    pub fn options(mut self, options: StreamOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the pause between attempts to connect. It is `shortest` at first and doubles with each failure up to
    /// `longest`; of that a random part between a half and the whole is used. It starts over after a connection that
    /// lasted longer than the next pause. At least 1 ms. Default 100 ms to 10 s.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.attempts.backoff(shortest, longest);
        self
    }

    /// Sets what happens when the queue is full. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets how long a packet may wait for a connection. Older packets are dropped and counted in
    /// [`dropped`](crate::channel::Delivery::dropped). Default 10 s: a cue must not fire minutes later, when the peer
    /// is back. With `Duration::MAX` packets wait without a limit.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Refuses packets while there is no connection, with an error of the kind
    /// [`NotConnected`](std::io::ErrorKind::NotConnected). By default they wait, for [`max_age`](Self::max_age) at most.
    pub fn refuse_while_disconnected(mut self) -> Self {
        self.refuses_offline = true;
        self
    }

    /// Same as [`Client::subscribe`], before the client is started, so that the first replies to the packets of
    /// [`on_connect`](Self::on_connect) are not lost.
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
    /// Panics if `address` is not a valid pattern. See [`try_subscribe`](Self::try_subscribe).
    #[track_caller]
    pub fn subscribe<P>(&self, address: P) -> Subscription
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        Subscription::new(&self.inbox, legal(awaited(address)))
    }

    /// Same as [`subscribe`](Self::subscribe), for a pattern that is known only at run time.
    ///
    /// # Errors
    /// Returns an error if `address` is not a valid pattern.
    pub fn try_subscribe<P>(&self, address: P) -> Result<Subscription, PatternError>
    where
        P: AsRef<[u8]> + TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = awaited(address).map_err(|(_, error)| error)?;
        Ok(Subscription::new(&self.inbox, pattern))
    }

    /// Sends a packet on each new connection before all others, such as a subscription. Can be called repeatedly;
    /// the packets are sent in order.
    pub fn on_connect(mut self, packet: impl IntoPacket) -> Self {
        match packet.into_packet() {
            Ok(packet) => self.on_connect.push(packet),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// Sends a packet at each `interval` (at least 1 ms) while connected, before queued packets. The first one
    /// leaves one `interval` after the connection was made. A second call replaces the first. By default nothing is
    /// sent.
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
    /// Returns an error if a packet of [`on_connect`](Self::on_connect) or [`keep_alive`](Self::keep_alive) cannot
    /// be encoded.
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
