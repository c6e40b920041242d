//! Tools to test an application without a socket and in paused time.
//!
//! | to | use |
//! |----|-----|
//! | call routes, and check the replies | [`Router::call`](crate::Router::call) |
//! | run a whole server, timed bundles included | [`TestServer`] |
//! | see what an application sends | [`pair`] |
//! | record the messages of a route, with their times | [`Recording`] |
//! | compare packets, and print where they differ | [`assert_lines`] |
//!
//! ```
//! use std::time::Duration;
//! use tokio_osc::testing::{Recording, TestServer, assert_lines};
//! use tokio_osc::{Bundle, Router, Server};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! // In a test: #[tokio::test(start_paused = true)]
//! const HOUR: Duration = Duration::from_secs(3_600);
//!
//! let cues = Recording::new();
//! let test = TestServer::new(Server::new(Router::new().route("/cue", cues.handler())));
//! test.client.send(Bundle::at(test.after(HOUR)).with(("/cue", 7))).await?;
//!
//! let heard = cues.reaches(1).await;                  // an hour later, which takes no time
//! assert_lines(&heard, ["/cue ,i 7"]);
//! assert_eq!(heard[0].at, HOUR);
//! # Ok::<(), tokio_osc::Error>(()) }).unwrap();
//! ```
//!
//! [The guide](crate::guide::testing) tests a whole application with them.

mod lines;
mod recording;

pub use lines::assert_lines;
pub use recording::{Recorded, Recording};

use std::time::Duration;

use crate::schedule::{Clock as _, TokioClock};
use crate::{Channel, Client, Server, ServerHandle, Slip, TimeTag};

/// Bytes that each direction of a [`pair`] holds before the sender waits.
const BUFFER: usize = 64 * 1_024;

/// Creates a channel and a client that are connected in memory. Each receives the packets that the other sends.
///
/// Give the client to the code under test, and read the channel to check what it sends. Or add the channel to a
/// server.
///
/// ```
/// use tokio_osc::testing::pair;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let (mut desk, client) = pair();
/// client.send(("/fader/1", 0.75_f32)).await?;
/// let (packet, _) = desk.recv().await.expect("the client is there");
/// assert_eq!(packet?.to_string(), "/fader/1 ,f 0.75");
/// # Ok(()) }
/// ```
pub fn pair() -> (Channel, Client) {
    let (here, there) = tokio::io::duplex(BUFFER);
    (Channel::io(here, Slip::new()), Client::io(there, Slip::new()))
}

/// A running server, a client of it that is joined in memory, and the clock of both.
///
/// With paused time (`#[tokio::test(start_paused = true)]`), time jumps to the time tag of the next bundle as soon
/// as the test has nothing else to do. Without it, the clock runs in real time.
///
/// ```
/// use tokio_osc::testing::{TestServer, assert_lines};
/// use tokio_osc::{Args, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// let test = TestServer::new(Server::new(router));
/// let reply = test.client.request(("/ping", 7), "/pong").await?;
/// assert_lines([reply], ["/pong ,i 7"]);
/// assert_eq!(test.server.shutdown().await.handled, 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping it stops the server"]
#[non_exhaustive]
pub struct TestServer {
    /// The server.
    pub server: ServerHandle,
    /// A client of the server. It receives the replies. Its channel is named `test`.
    pub client: Client,
    /// The clock of the server. It starts at 2026-01-01 00:00:00 UTC, and follows Tokio's time.
    pub clock: TokioClock,
}

impl TestServer {
    /// Spawns the server with a clock and a channel for tests.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime, and if the server has a channel named `test`.
    #[track_caller]
    pub fn new(server: Server) -> Self {
        let clock = TokioClock::new();
        let (channel, client) = pair();
        Self { server: server.listen("test", channel).clock(clock).spawn(), client, clock }
    }

    /// Returns the time tag `delay` after the present time of the server's clock.
    pub fn after(&self, delay: Duration) -> TimeTag {
        self.clock.after(delay)
    }
}
