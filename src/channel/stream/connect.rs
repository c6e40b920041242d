//! Opens byte streams, again after each failure, for reconnecting clients and channels that dial out.

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::options::StreamOptions;
use crate::user_function::{Panicked, UserFunction};

/// How long an attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The shortest pause between attempts to connect.
const SHORTEST: Duration = Duration::from_millis(1);

/// Opens the byte stream of a reconnecting client or channel. Implemented for functions that return a future of
/// one.
///
/// A panic counts as a failed attempt; the function is called again after the pause.
///
/// ```
/// use tokio::net::TcpStream;
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let connect = || TcpStream::connect("127.0.0.1:9000");
/// let client = Client::reconnecting_with(connect, Slip::new()).spawn()?;
/// # drop(client);
/// # Ok(()) }
/// ```
pub trait Connect: Send + 'static {
    /// The byte stream.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Opens it.
    fn connect(&mut self, options: &StreamOptions) -> BoxFuture<'static, io::Result<Self::Io>>;
}

impl<C, O, I> Connect for C
where
    C: FnMut() -> O + Send + 'static,
    O: Future<Output = io::Result<I>> + Send + 'static,
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Io = I;

    fn connect(&mut self, _options: &StreamOptions) -> BoxFuture<'static, io::Result<I>> {
        self().boxed()
    }
}

/// Attempts to connect, and the pauses between them.
pub(crate) struct Attempts<C> {
    connect: C,
    function: Arc<UserFunction>,
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl<C: Connect> Attempts<C> {
    pub(crate) fn new(connect: C) -> Self {
        let function = Arc::new(UserFunction::new("Connect::connect"));
        let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(10));
        Self { connect, function, shortest, longest, next: shortest }
    }

    /// Sets the shortest pause, and the longest one.
    pub(crate) fn backoff(&mut self, shortest: Duration, longest: Duration) {
        self.shortest = shortest.max(SHORTEST);
        self.longest = longest.max(self.shortest);
        self.next = self.shortest;
    }

    /// Connects, within 10 s.
    pub(crate) fn attempt(&mut self, options: &StreamOptions) -> BoxFuture<'static, io::Result<C::Io>> {
        let panicked = |Panicked| io::Error::other("the function that connects panicked");
        let opening = self.function.call(|| self.connect.connect(options));
        let function = Arc::clone(&self.function);
        async move {
            let opening = opening.map_err(panicked)?;
            match timeout(CONNECT, function.wait(opening)).await {
                Ok(opened) => opened.map_err(panicked)?,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        }
        .boxed()
    }

    /// The pause after a connection that lasted for this time; zero for a failed attempt. It doubles each time, and
    /// starts over after a connection that lasted longer than the pause it would lead to: a peer that accepts and
    /// closes at once is not dialled without a pause.
    pub(crate) fn pause_after(&mut self, lasted: Duration) -> Duration {
        if lasted > self.next {
            self.next = self.shortest;
        }
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        with_jitter(pause)
    }
}

/// Between half of it and all, so that clients that lost the same server do not reconnect at the same moment.
fn with_jitter(pause: Duration) -> Duration {
    let per_mille = u32::try_from(RandomState::new().build_hasher().finish() % 1_001).unwrap_or_default();
    pause / 2 + pause / 2_000 * per_mille
}
