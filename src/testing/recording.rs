//! A handler that records its messages.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::lock::lock;
use crate::{Message, Meta};

/// Maximum number of recorded messages.
const KEPT: usize = 65_536;

/// Longer than a server holds a bundle by default.
const PATIENCE: Duration = Duration::from_secs(8 * 24 * 3_600);

/// Records the messages that its handlers receive, with their times. Clones share one recording.
///
/// It keeps 65,536 messages. For further messages its handlers return an error, which a server counts and traces.
///
/// ```
/// use tokio_osc::testing::{Recording, assert_lines};
/// use tokio_osc::{Router, on};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let notes = Recording::new();
/// let router = Router::new().route("/note/*", on(notes.handler()).tags("i"));
/// router.call(("/note/1", 60)).await;
/// router.call(("/note/2", "loud")).await;
/// assert_lines(notes.all(), ["/note/1 ,i 60"]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recording {
    shared: Arc<Shared>,
}

/// A recorded message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The message that the handler was called with.
    pub message: Message,
    /// Its metadata.
    pub meta: Meta,
    /// The time at which the handler ran: Tokio's time since the recording was created.
    pub at: Duration,
}

#[derive(Debug)]
struct Shared {
    begin: Instant,
    recorded: Mutex<Vec<Recorded>>,
    has_grown: Notify,
}

impl Recording {
    /// Creates an empty recording.
    pub fn new() -> Self {
        let shared = Shared { begin: Instant::now(), recorded: Mutex::default(), has_grown: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a handler for any route. Can be called repeatedly, for several routes.
    pub fn handler(&self) -> impl Fn(Message, Meta) -> Result<(), String> + Clone + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move |message, meta| shared.note(message, meta)
    }

    /// Returns the messages recorded so far.
    pub fn all(&self) -> Vec<Recorded> {
        lock(&self.shared.recorded).clone()
    }

    /// Waits for `count` messages, and returns all recorded ones.
    ///
    /// # Panics
    /// Panics after eight days of Tokio's time, and prints the messages so far. With paused time that takes no
    /// time.
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn reaches(&self, count: usize) -> Vec<Recorded> {
        let waited = timeout(PATIENCE, self.shared.reaches(count)).await;
        let all = self.all();
        #[expect(clippy::panic, reason = "an assertion of a test; documented")]
        if waited.is_err() {
            let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
            panic!("{} of {count} messages were recorded:\n    {}", all.len(), lines.join("\n    "));
        }
        all
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self::new()
    }
}

/// The canonical line of the message.
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl Shared {
    fn note(&self, message: Message, meta: Meta) -> Result<(), String> {
        let mut recorded = lock(&self.recorded);
        if recorded.len() == KEPT {
            return Err(format!("the recording is full: {KEPT} messages"));
        }
        recorded.push(Recorded { message, meta, at: self.begin.elapsed() });
        drop(recorded);
        self.has_grown.notify_waiters();
        Ok(())
    }

    async fn reaches(&self, count: usize) {
        loop {
            // Made before the look, so that a message that comes in between wakes it.
            let has_grown = self.has_grown.notified();
            if lock(&self.recorded).len() >= count {
                return;
            }
            has_grown.await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Bundle, Router, Server, TimeTag};

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn messages_are_noted_with_their_time() {
        let recording = Recording::new();
        let server = Server::new(Router::new().route("//", recording.handler()));
        let test = crate::testing::TestServer::new(server);
        let packet = |delay, n: i32| Bundle::at(test.after(delay)).with(("/n", n));
        test.client.send(packet(HOUR * 2, 2)).await.unwrap();
        test.client.send(packet(HOUR, 1)).await.unwrap();
        test.client.send(("/n", 0)).await.unwrap();
        let times: Vec<_> =
            recording.reaches(3).await.iter().map(|noted| (noted.to_string(), noted.at)).collect();
        let expected = [("/n ,i 0", Duration::ZERO), ("/n ,i 1", HOUR), ("/n ,i 2", HOUR * 2)];
        assert_eq!(times, expected.map(|(line, at)| (line.to_owned(), at)));
        let tag = recording.all()[1].meta.time_tag;
        assert_eq!(tag, Some(TimeTag::new(0xed00_3780 + 3_600, 0)));
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "1 of 2 messages were recorded:\n    /n ,i 7")]
    async fn messages_that_do_not_come_end_the_test_at_once() {
        let recording = Recording::new();
        Router::new().route("/n", recording.handler()).call(("/n", 7)).await;
        recording.reaches(2).await;
    }

    #[tokio::test]
    async fn a_full_recording_fails_further_messages() {
        let recording = Recording::new();
        let router = Router::new().route("/n", recording.handler());
        for n in 0..65_536 {
            router.call(("/n", n)).await;
        }
        let report = router.call(("/n", -1)).report().await;
        assert_eq!(report.failed, [("/n".to_owned(), "the recording is full: 65536 messages".to_owned())]);
        assert_eq!(recording.all().len(), 65_536);
    }
}
