//! Requests: a message and its reply.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Client;
use super::inbox::{Condition, WaitFor, Waiter};
use super::request_error::{RequestError, RequestErrorKind, RequestFault};
use crate::channel::transport::{Taken, Transport};
use crate::packet::{EncodeError, IntoArgs, Message, Packet, Peer, SendError, SendErrorKind};
use crate::pattern::Pattern;

/// Default timeout of a request.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Replies that [`Request::all`] collects, and bytes of them together.
const MOST_REPLIES: usize = 1_024;
const MOST_BYTES: usize = 1_024 * 1_024;

/// A request. Await it for the reply. Created by [`Client::request`].
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::client::RequestErrorKind;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let silent = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(silent.local_addr()?).await?;
///
/// let request = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(20));
/// let error = request.await.unwrap_err();
/// assert_eq!(error.kind(), RequestErrorKind::Timeout);
/// println!("{error}");    // no reply to /ping matching /pong from 127.0.0.1:9000 within 20 ms
/// # Ok(()) }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    client: Client,
    packet: Result<Packet, EncodeError>,
    reply: Pattern,
    condition: Option<Condition>,
    timeout: Duration,
    retries: u32,
}

impl Request {
    pub(super) fn new(client: Client, packet: Result<Packet, EncodeError>, reply: Pattern) -> Self {
        Self { client, packet, reply, condition: None, timeout: DEFAULT_TIMEOUT, retries: 0 }
    }

    /// Sets how long to wait for the reply after the request was sent; with [`retries`](Self::retries), after
    /// each attempt. Default 5 s. The time for sending is not included: see [`Client::send`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the request again if no reply arrived in time, at most `retries` times. For UDP, which loses
    /// packets. The peer may receive the request more than once. Default 0.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::{Channel, Client};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let silent = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(silent.local_addr()?).await?;
    /// let request = client.request(("/ping", 7), "/pong");
    /// let error = request.timeout(Duration::from_millis(10)).retries(2).await.unwrap_err();
    /// // no reply to /ping matching /pong from 127.0.0.1:9000 within 10 ms, sent 3 times
    /// println!("{error}");
    /// # assert!(error.to_string().ends_with("within 10 ms, sent 3 times"));
    /// # Ok(()) }
    /// ```
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Adds a condition on the reply. Without a condition, the first matching message after the request was
    /// sent counts as the reply, even if the peer sent it earlier and it was still in transit. If there are
    /// several conditions, all must hold. A condition that panics counts as `false`.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// let request = client.request(("/ping", 7), "/pong");
    /// let reply = request.matching(|reply| reply.parse::<i32>().is_ok_and(|n| n > 5)).await?;
    /// assert_eq!(reply.to_string(), "/pong ,i 7");
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn matching(mut self, condition: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Self {
        let earlier = self.condition.take();
        self.condition = Some(Arc::new(move |reply| {
            earlier.as_ref().is_none_or(|earlier| earlier(reply)) && condition(reply)
        }));
        self
    }

    /// Accepts a reply only if its first arguments equal these, such as a number that the peer copies from
    /// the request. The types must be equal too.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let router = Router::new().route("/get", |Args(n): Args<i32>| ("/value", (n, 0.5_f32)));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// let (first, second) = tokio::join!(
    ///     client.request(("/get", 1), "/value").echoing(1),
    ///     client.request(("/get", 2), "/value").echoing(2),
    /// );
    /// assert_eq!(first?.to_string(), "/value ,if 1 0.5");
    /// assert_eq!(second?.to_string(), "/value ,if 2 0.5");
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn echoing(mut self, args: impl IntoArgs) -> Self {
        match Message::new("/", args) {
            Ok(expected) => self.matching(move |reply| {
                let mut args = reply.args();
                expected.args().all(|expected| args.next() == Some(expected))
            }),
            Err(error) => {
                self.packet = Err(error);
                self
            }
        }
    }

    /// Collects every reply until the [`timeout`](Self::timeout), each with its sender. Use it to find the devices of
    /// a group or a network. No reply is not an error. With [`retries`](Self::retries) the request is sent again
    /// after each timeout, and a peer that replies each time is listed each time. It returns early after 1,024
    /// replies or 1 MiB of them.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use std::time::Duration;
    /// use tokio_osc::{Broadcast, Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let channel = Channel::udp("0.0.0.0:0").await?;
    /// let port = channel.local_addr()?.port();
    /// let router = Router::new().route("/who", || ("/here", "stage left"));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// let everyone = Broadcast::new((Ipv4Addr::new(127, 255, 255, 255), port)).client()?;
    /// let who = everyone.request(("/who", ()), "/here").timeout(Duration::from_millis(100));
    /// for (reply, peer) in who.all().await? {
    ///     println!("{peer} is {}", reply.parse::<String>()?);
    /// }
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the request cannot be sent, or the connection ended before a reply arrived.
    ///
    /// # Cancel safety
    /// If the future is dropped, the replies collected so far are lost. No reply of another request is lost.
    pub async fn all(self) -> Result<Vec<(Message, Peer)>, RequestError> {
        let (mut replies, mut bytes) = (Vec::new(), 0);
        let asked = self.ask(MOST_REPLIES, |message, peer| {
            bytes += message.as_bytes().len();
            replies.push((message, peer));
            if replies.len() < MOST_REPLIES && bytes < MOST_BYTES { Continue(()) } else { Break(()) }
        });
        match asked.await {
            Err(error) if error.kind() != RequestErrorKind::Timeout && replies.is_empty() => Err(error),
            _ => Ok(replies),
        }
    }

    async fn run(self) -> Result<Message, RequestError> {
        self.ask(1, |message, _| Break(message)).await
    }

    /// Sends the request and passes each reply to `take` until that breaks. Errors name the packets that could not be
    /// read meanwhile.
    async fn ask<T>(
        &self,
        most: usize,
        take: impl FnMut(Message, Peer) -> ControlFlow<T>,
    ) -> Result<T, RequestError> {
        let (client, counters) = (&self.client, &self.client.inbox().counters);
        let (refusals, faults) = (client.refusals(), counters.faults());
        self.replies(most, take).await.map_err(|cause| {
            let refused = client.refusals() > refusals;
            RequestError::new(cause, self.name(), refused, counters.faults().since(&faults))
        })
    }

    async fn replies<T>(
        &self,
        most: usize,
        mut take: impl FnMut(Message, Peer) -> ControlFlow<T>,
    ) -> Result<T, RequestFault> {
        let client = &self.client;
        client.check_open()?;
        let (pattern, condition) = (self.reply.clone(), self.condition.clone());
        let waiter = client.inbox().join(WaitFor::Reply { pattern, condition, armed: false, most });
        let packet = self.packet.clone().map_err(SendError::from)?;
        for _ in 0..=self.retries {
            // Removed from the queue on drop: a request that nothing waits for must not be sent later.
            let _queued = send_armed(client, packet.clone(), &waiter).await?;
            let mut time_is_up = pin!(sleep(self.timeout));
            loop {
                tokio::select! {
                    // A reply that is there when the time is up still counts.
                    biased;
                    reply = poll_fn(|cx| waiter.poll(cx)) => {
                        let (message, peer) = reply.map_err(RequestFault::Closed)?;
                        if let Break(done) = take(message, peer) {
                            return Ok(done);
                        }
                    }
                    () = &mut time_is_up => break,
                }
            }
        }
        Err(RequestFault::Timeout(self.timeout, self.retries.saturating_add(1)))
    }

    /// The request in the text of errors: `/ping matching /pong from 127.0.0.1:9000`.
    fn name(&self) -> String {
        let sent = self.packet.as_ref().ok().and_then(|packet| packet.as_ref().messages().next());
        let sent = sent.map_or_else(|| "a bundle".to_owned(), |message| message.address().to_string());
        let from = self.client.peer_addr().map_or_else(|_| String::new(), |peer| format!(" from {peer}"));
        format!("{sent} matching {}{from}", self.reply)
    }
}

/// Sends a request. It is armed right before each attempt, and not while it waits for room: messages that
/// arrive meanwhile are not the reply. Once the transport took the frame it stays armed, because another
/// sender may send the rest and read the reply.
async fn send_armed<'a>(
    client: &'a Client,
    packet: Packet,
    waiter: &Waiter,
) -> Result<Option<Queued<'a>>, SendError> {
    tokio::task::coop::consume_budget().await;
    let Some(frame) = client.encode(packet)? else { return Ok(None) };
    let (transport, to) = client.transport();
    loop {
        waiter.arm();
        let (taken, mut wait) = match transport.try_send(&frame, to) {
            Ok(Taken::Done) => return Ok(None),
            Ok(Taken::Queued(number)) => return Ok(Some(Queued { transport, number })),
            Ok(Taken::Rest) => (true, transport.flush()),
            Err(error) if error.kind() == SendErrorKind::Full => {
                waiter.disarm();
                (false, transport.ready(&frame, to))
            }
            Err(error) => return Err(error),
        };
        let sent = poll_fn(|cx| {
            let sent = wait.as_mut().poll(cx);
            if sent.is_pending() {
                waiter.read(cx);
            }
            sent
        });
        sent.await?;
        if taken {
            return Ok(None);
        }
    }
}

/// A request that may be in the queue of a reconnecting client.
struct Queued<'a> {
    transport: &'a dyn Transport,
    number: u64,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.transport.withdraw(self.number);
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("packet", &self.packet)
            .field("reply", &self.reply)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Sends the request and waits for the reply.
///
/// # Cancel safety
/// If the future is dropped, no reply of another request is lost.
impl IntoFuture for Request {
    type Output = Result<Message, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
