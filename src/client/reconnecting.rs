//! A client that connects again: the one client with a task and a queue behind it.

use std::convert::Infallible;
use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::unfold;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::inbox::{ClientInbox, Source, WaitFor};
use super::subscription::Subscription;
use super::{Client, ClientShared, awaited, legal};
use crate::channel::stream::connect::Attempts;
use crate::channel::stream::connection::{Connection, Sink};
use crate::channel::stream::outbox::Outbox;
use crate::channel::transport::{Taken, Transport};
use crate::channel::{Connect, Delivery, Disconnect, Events, StreamOptions};
use crate::codec::{Codec, Framing, ReadPacket};
use crate::middleware::Chain;
use crate::packet::{EncodeError, IntoPacket, Overflow, Packet, Peer, SendError, SendErrorKind};
use crate::pattern::{Pattern, PatternError};

/// How long a client that is closed may take, at least, to send what waits.
const CLOSE: Duration = Duration::from_secs(1);
/// How long a packet waits for a connection.
const MAX_AGE: Duration = Duration::from_secs(10);
/// The least time between keep-alives.
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
    /// [`dropped`](Delivery::dropped). Default 10 s: a cue that was meant for a moment must not fire minutes
    /// later, when the peer is back. `Duration::MAX` keeps packets for as long as it takes.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Refuses packets while there is no connection, with an error of the kind
    /// [`NotConnected`](io::ErrorKind::NotConnected). Default: they wait, for [`max_age`](Self::max_age) at most.
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

    /// Sends a packet each `interval`, at least 1 ms, while connected, before those that wait; for the
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
    /// Outside of a Tokio runtime with time enabled.
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

    async fn run(mut self, life: Life) {
        // As long as a connection may take to send what waits and to be read to its end.
        let patience = self.options.linger.max(CLOSE);
        let closed = async {
            life.outbox.closed().await;
            sleep(patience).await;
        };
        tokio::select! {
            // First: a connection that has just passed its limit says so itself.
            biased;
            () = self.connect_again(&life) => {}
            () = closed => {
                if matches!(*life.states.borrow(), ClientState::Connected) {
                    life.outbox.note_unconfirmed_end();
                }
            }
        }
    }

    /// One connection after the other, until the client is closed.
    async fn connect_again(&mut self, Life { outbox, inbox, states }: &Life) {
        while !outbox.is_closed() {
            states.send_if_modified(|state| {
                !matches!(std::mem::replace(state, ClientState::Connecting), ClientState::Connecting)
            });
            let sent = outbox.delivery().sent;
            let (reason, lasted) = match self.attempts.attempt(&self.options).await {
                Ok(io) => {
                    states.send_replace(ClientState::Connected);
                    let start = Instant::now();
                    (self.serve(io, outbox, inbox).await, start.elapsed())
                }
                Err(error) => (error.into(), Duration::ZERO),
            };
            if outbox.is_closed() {
                break;
            }
            let retry_in = self.attempts.pause_after(lasted);
            let unconfirmed = outbox.delivery().sent - sent;
            outbox.note_unconfirmed(unconfirmed);
            states.send_replace(ClientState::Waiting { reason, retry_in, unconfirmed });
            tokio::select! {
                () = sleep(retry_in) => {}
                () = outbox.closed() => {}
            }
        }
    }

    /// One connection, from its first packet to its end.
    async fn serve(&mut self, io: C::Io, outbox: &Arc<Outbox>, inbox: &Arc<ClientInbox>) -> Disconnect {
        for packet in self.on_connect.iter().rev() {
            outbox.write_own(packet, &self.options.chain, Peer::LOCAL);
        }
        let sink = ToInbox(Arc::clone(inbox));
        let codec = Codec::with_options(self.framing.clone(), self.options.decode.clone())
            .chain(self.options.chain.clone());
        let connection = Connection::new(io, codec, sink, Arc::clone(outbox), &self.options);
        tokio::select! {
            reason = connection => reason,
            never = stay_alive(self.keep_alive.as_ref(), &self.options.chain, outbox) => match never {},
        }
    }
}

/// What the task shares with the client. When the task ends, in whatever way, so does the client.
struct Life {
    outbox: Arc<Outbox>,
    inbox: Arc<ClientInbox>,
    states: watch::Sender<ClientState>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.outbox.close();
        self.states.send_replace(ClientState::Closed);
        self.inbox.end(Disconnect::ByUs);
    }
}

async fn stay_alive(keep_alive: Option<&(Duration, Packet)>, chain: &Chain, outbox: &Outbox) -> Infallible {
    let Some((every, packet)) = keep_alive else { return pending().await };
    loop {
        sleep(*every).await;
        if !outbox.has_own() {
            outbox.write_own(packet, chain, Peer::LOCAL);
        }
    }
}

impl<C, F: fmt::Debug> fmt::Debug for Reconnecting<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("framing", &self.framing).finish_non_exhaustive()
    }
}

struct ToInbox(Arc<ClientInbox>);

impl Sink for ToInbox {
    fn put(&mut self, packet: ReadPacket) {
        self.0.deliver(packet);
    }

    fn is_full(&self) -> bool {
        false
    }

    /// A peer that waits until its pushes are read would take nothing of what is to be sent.
    fn causes_replies(&self) -> bool {
        false
    }
}

/// What a reconnecting client is doing: an item of [`Client::states`].
///
/// ```
/// use tokio_osc::client::ClientState;
///
/// fn lamp(state: &ClientState) -> &'static str {
///     match state {
///         ClientState::Connected => "green",
///         ClientState::Closed => "off",
///         _ => "red",
///     }
/// }
/// assert_eq!(lamp(&ClientState::Connecting), "red");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientState {
    /// It tries to connect.
    Connecting,
    /// It is connected.
    Connected,
    /// There is no connection, and it waits before it tries again.
    Waiting {
        /// Why there is none.
        reason: Disconnect,
        /// How long it waits.
        retry_in: Duration,
        /// Packets that were handed to the operating system on the connection that broke; the last
        /// of them may be lost: OSC has no acknowledgement.
        unconfirmed: u64,
    },
    /// It was closed.
    Closed,
}

/// The transport of a reconnecting client: a queue, which stays while the connections change.
pub(super) struct Background {
    outbox: Arc<Outbox>,
    inbox: Arc<ClientInbox>,
    overflow: Overflow,
    refuses_offline: bool,
    chain: Chain,
    states: watch::Receiver<ClientState>,
    task: AbortHandle,
}

impl Background {
    pub(super) fn delivery(&self) -> Delivery {
        self.outbox.delivery()
    }

    pub(super) fn states(&self) -> Events<ClientState> {
        let mut states = self.states.clone();
        states.mark_changed();
        Events::new(unfold(states, async |mut states| {
            states.changed().await.ok()?;
            let state = states.borrow_and_update().clone();
            Some((state, states))
        }))
    }

    async fn closed(&self) -> Result<(), SendError> {
        let end = self.inbox.join(WaitFor::End);
        while poll_fn(|cx| end.poll(cx)).await.is_ok() {}
        let lost = match self.outbox.delivery().queued {
            0 if !self.outbox.is_end_unconfirmed() => return Ok(()),
            0 => "the peer has not closed the connection in time: what was sent last may be lost".to_owned(),
            queued => format!("no connection has taken {queued} packets in time"),
        };
        Err(io::Error::new(io::ErrorKind::TimedOut, lost).into())
    }
}

impl Transport for Background {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn try_send(&self, frame: &Bytes, _to: Peer) -> Result<Taken, SendError> {
        if self.refuses_offline && !matches!(*self.states.borrow(), ClientState::Connected) {
            let text = "the client is not connected";
            return Err(io::Error::new(io::ErrorKind::NotConnected, text).into());
        }
        // A copy of exactly its size: what waits must not keep the sender's buffer alive.
        let frame = Bytes::copy_from_slice(frame);
        match self.overflow {
            Overflow::DropOldest => self.outbox.push_over_oldest(&frame).map(Taken::Queued),
            Overflow::DropNewest | Overflow::Wait => self.outbox.push(frame).map(Taken::Queued),
        }
    }

    fn ready<'a>(&'a self, frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            if self.overflow != Overflow::Wait {
                return Err(SendErrorKind::Full.into());
            }
            self.outbox.space(frame.len()).await;
            Ok(())
        }
        .boxed()
    }

    fn withdraw(&self, queued: u64) {
        self.outbox.withdraw(queued);
    }

    fn close(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.outbox.close();
        self.closed().boxed()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task reads, and delivers.
struct ReadByTask;

impl Source for ReadByTask {
    fn poll_packet(&mut self, _cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>> {
        Poll::Pending
    }
}
