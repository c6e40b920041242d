//! Requests: a message sent, and the reply waited for.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::inbox::{Condition, WaitFor, Waiter};
use crate::channel::Disconnect;
use crate::channel::transport::Taken;
use crate::packet::{EncodeError, Message, Packet, SendError, SendErrorKind};
use crate::pattern::Pattern;

/// How long a request waits for its reply by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A request on its way: await it for the reply. What [`Client::request`] returns.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::client::RequestError;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let silent = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(silent.local_addr()?).await?;
///
/// let request = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(20));
/// assert!(matches!(request.await, Err(RequestError::Timeout(_))));
/// # Ok(()) }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    client: Client,
    packet: Result<Packet, EncodeError>,
    reply: Pattern,
    condition: Option<Condition>,
    timeout: Duration,
}

impl Request {
    pub(super) fn new(client: Client, packet: Result<Packet, EncodeError>, reply: Pattern) -> Self {
        Self { client, packet, reply, condition: None, timeout: DEFAULT_TIMEOUT }
    }

    /// How long to wait for the reply, once the request is sent. Default 5 s. Sending may take its own
    /// time: see [`Client::send`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A condition on the reply, such as an argument that the peer returns. Without one, the first message
    /// that matches after the request was sent is taken for the reply: also one that the peer had sent
    /// before, and that was still on its way. A condition that panics does not hold.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// let request = client.request(("/ping", 7), "/pong");
    /// let reply = request.accept_if(|reply| reply.parse::<i32>() == Ok(7)).await?;
    /// assert_eq!(reply.to_string(), "/pong ,i 7");
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn accept_if(mut self, condition: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Self {
        self.condition = Some(Arc::new(condition));
        self
    }

    async fn run(self) -> Result<Message, RequestError> {
        let Self { client, packet, reply: pattern, condition, timeout } = self;
        client.check_open()?;
        let waiter = client.inbox().join(WaitFor::Reply { pattern, condition, armed: false });
        send_armed(&client, packet.map_err(SendError::from)?, &waiter).await?;
        let answered = tokio::time::timeout(timeout, poll_fn(|cx| waiter.poll(cx))).await;
        answered.map_err(|_| RequestError::Timeout(timeout))?.map_err(RequestError::Closed)
    }
}

/// Sends a request, armed right before each attempt, and not while it waits for room: what comes meanwhile is
/// not the reply. Once the frame is taken it stays armed: another sender may send its rest, and read its reply.
async fn send_armed(client: &Client, packet: Packet, waiter: &Waiter) -> Result<(), SendError> {
    tokio::task::coop::consume_budget().await;
    let Some(frame) = client.encode(packet)? else { return Ok(()) };
    let (transport, to) = client.transport();
    loop {
        waiter.arm();
        let (taken, mut wait) = match transport.try_send(&frame, to) {
            Ok(Taken::Done) => return Ok(()),
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
            return Ok(());
        }
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
/// A dropped request takes nothing that belongs to another one.
impl IntoFuture for Request {
    type Output = Result<Message, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Why a request has no reply: the error of a [`Request`].
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::client::RequestError;
///
/// let error = RequestError::Timeout(Duration::from_millis(500));
/// assert_eq!(error.to_string(), "no reply within 500ms");
/// ```
#[non_exhaustive]
pub enum RequestError {
    /// The request could not be sent.
    Send(SendError),
    /// No reply came in this time.
    Timeout(Duration),
    /// The connection ended before a reply came.
    Closed(Disconnect),
}

impl From<SendError> for RequestError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => write!(f, "the request was not sent: {error}"),
            Self::Timeout(timeout) => write!(f, "no reply within {timeout:?}"),
            Self::Closed(reason) => write!(f, "no reply, the connection was lost: {reason}"),
        }
    }
}

readable! { enum RequestError { Send(error), Timeout(timeout), Closed(reason) } }

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Send(error) => error.source(),
            Self::Closed(Disconnect::Failed(error)) => error.source(),
            Self::Timeout(_) | Self::Closed(_) => None,
        }
    }
}
