//! Requests: a message sent, and the reply waited for.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use super::Client;
use super::events::Disconnect;
use super::hub::{Place, Wants, meanwhile};
use crate::packet::{EncodeError, Message, Packet, SendError};
use crate::pattern::Pattern;

/// How long a request waits for its reply by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A request on its way: await it for the reply. What [`Client::request`] returns.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Channel, Client, RequestError};
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
#[derive(Debug)]
pub struct Request {
    client: Client,
    packet: Result<Packet, EncodeError>,
    reply: Pattern,
    timeout: Duration,
}

impl Request {
    pub(super) fn new(client: Client, packet: Result<Packet, EncodeError>, reply: Pattern) -> Self {
        Self { client, packet, reply, timeout: DEFAULT_TIMEOUT }
    }

    /// How long to wait for the reply, once the request is sent. Default 5 s. Sending may take its own
    /// time: see [`Client::send`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn run(self) -> Result<Message, RequestError> {
        let packet = self.packet.map_err(SendError::from)?;
        let place = Place::take(self.client.hub(), Wants::Reply(self.reply));
        meanwhile(self.client.send(packet), |cx| place.take_in(cx)).await?;
        let answered = tokio::time::timeout(self.timeout, poll_fn(|cx| place.poll(cx))).await;
        answered.map_err(|_| RequestError::Timeout(self.timeout))?.map_err(RequestError::Closed)
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
/// use tokio_osc::RequestError;
///
/// let error = RequestError::Timeout(Duration::from_millis(500));
/// assert_eq!(error.to_string(), "no reply within 500ms");
/// ```
#[derive(Debug)]
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

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Send(error) => error.source(),
            Self::Closed(Disconnect::Failed(error)) => error.source(),
            Self::Timeout(_) | Self::Closed(_) => None,
        }
    }
}
