//! How far a peer's clock lies from ours, measured by questions and answers over OSC.
//!
//! Each answer was written between the question's departure and the answer's arrival, so the offset
//! lies between two bounds, whatever the network did and however asymmetric it is. The offset that
//! is common to several answers lies where all their bounds overlap. Answers that took long have
//! wide bounds and so count for nothing beside a quick one: that is the filter.
//!
//! ```text
//! slow answer     |-------------------------------|
//! quick answer              |--------|
//! another             |----------|
//! estimate                  |-*--|           the middle, with half the width as its error
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::{Instant, timeout};

use super::nanos::{nanos, nanos_between};
use crate::client::RequestError;
use crate::packet::ClockOffset;
use crate::schedule::{Clock, SystemClock};
use crate::{Args, Client, Router, TimeTag};

/// The addresses of questions and answers by default.
const PING: &str = "/clock/ping";
const PONG: &str = "/clock/pong";
/// Questions per measurement by default.
const PINGS: usize = 8;
/// Answers that are kept for later measurements, at most.
const KEPT: usize = 64;
/// How long to wait for an answer by default.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Two clocks drift apart by at most one part in so many of the time that passes: twice what a poor
/// quartz does.
const DRIFT: u32 = 5_000;
/// A wall clock that moves by more than this between question and answer was set.
const STEP: Duration = Duration::from_millis(1);
/// Time tags are rounded to the nearest 233 ps.
const ROUNDING: i128 = 1;

/// Measures how far a peer's clock lies from ours.
///
/// The question is a message with one number, to [`/clock/ping`](ClockSync::addresses); the answer
/// has the same number and the peer's time as a time tag. The peer needs a route that answers:
/// [`ClockSync::responder`], or two lines in any other OSC library.
///
/// The truth lies within the stated error, also when questions take longer than answers, as long
/// as neither clock is set meanwhile and the clocks drift apart by less than 0.2 ms per second.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::SystemClock;
/// use tokio_osc::tools::{ClockSync, TimedSender};
/// use tokio_osc::{Channel, Client, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// let stage = Server::new(ClockSync::responder(SystemClock)).listen("udp", channel).spawn();
///
/// let estimate = ClockSync::new(client.clone()).measure().await?;
/// println!("our clock is ahead of the stage's by {} ± {:?}", estimate.offset, estimate.error);
///
/// let sender = TimedSender::new(client).clock_offset(estimate.offset);
/// sender.send_in(Duration::from_millis(200), ("/cue/7/go", ())).await?;
/// # stage.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ClockSync {
    client: Client,
    clock: Arc<dyn Clock>,
    question: String,
    answer: String,
    pings: usize,
    pause: Duration,
    timeout: Duration,
    next_number: i32,
    bounds: VecDeque<Bounds>,
}

/// What one answer says: our clock minus the peer's, in nanoseconds, lies between these.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: i128,
    most: i128,
    round_trip: Duration,
    at: Instant,
}

/// What a [`ClockSync`] found.
///
/// ```
/// use tokio_osc::schedule::SystemClock;
/// use tokio_osc::tools::ClockSync;
/// use tokio_osc::{Channel, Client, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// let peer = Server::new(ClockSync::responder(SystemClock)).listen("udp", channel).spawn();
/// let estimate = ClockSync::new(client).measure().await?;
/// assert!(estimate.error <= estimate.round_trip, "{estimate:?}");
/// # peer.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockEstimate {
    /// Our clock minus the peer's: for [`TimeOptions::clock_offset`](crate::schedule::TimeOptions::clock_offset)
    /// and [`TimedSender::clock_offset`](crate::tools::TimedSender::clock_offset).
    pub offset: ClockOffset,
    /// The true offset is at most this far from it.
    pub error: Duration,
    /// The quickest answer took this long.
    pub round_trip: Duration,
    /// The answers that it is made of.
    pub answers: usize,
}

impl ClockSync {
    /// Asks the peer of this client. The system clock is ours.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            clock: Arc::new(SystemClock),
            question: PING.to_owned(),
            answer: PONG.to_owned(),
            pings: PINGS,
            pause: Duration::ZERO,
            timeout: TIMEOUT,
            next_number: some_number(),
            bounds: VecDeque::new(),
        }
    }

    /// Routes that answer, with the time of a server's own clock: for a [`Server`](crate::Server),
    /// or to be [merged](Router::merge) with other routes.
    pub fn responder(clock: impl Clock) -> Router<()> {
        Self::responder_at(PING, PONG, clock)
    }

    /// As [`responder`](Self::responder), with addresses of your own. A prefix under which the
    /// routes are [nested](Router::nest) counts for the question, not for the answer.
    ///
    /// # Panics
    /// `question` is not a valid address pattern.
    #[track_caller]
    pub fn responder_at(question: &str, answer: impl Into<String>, clock: impl Clock) -> Router<()> {
        let answer = answer.into();
        Router::new().route(question.to_owned(), move |Args(number): Args<i32>| {
            (answer.clone(), (number, clock.tag()))
        })
    }

    /// The addresses of questions and answers. Default `/clock/ping` and `/clock/pong`.
    pub fn addresses(mut self, question: impl Into<String>, answer: impl Into<String>) -> Self {
        (self.question, self.answer) = (question.into(), answer.into());
        self
    }

    /// Our clock. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many questions a measurement asks. Default 8, at least 1.
    pub fn pings(mut self, pings: usize) -> Self {
        self.pings = pings.max(1);
        self
    }

    /// How long to wait between two questions. Default zero.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How long to wait for each answer. Default 1 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks, one question after the other, and estimates from all answers, those of the
    /// measurements before included: up to 64, their bounds widened for their age. Repeat it from
    /// time to time to follow a drift.
    ///
    /// When the answers contradict each other, a clock was set, and the older ones are forgotten.
    ///
    /// # Errors
    /// No question was answered.
    ///
    /// # Cancel safety
    /// The answers that came before a drop count for the next measurement.
    ///
    /// # Panics
    /// The address of answers is not a valid pattern.
    pub async fn measure(&mut self) -> Result<ClockEstimate, ClockSyncError> {
        let mut last_error = None;
        let mut answered = 0;
        for number in 0..self.pings {
            if number > 0 && !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
            match self.ask().await {
                Ok(Some(bounds)) => {
                    answered += 1;
                    self.keep(bounds);
                }
                Ok(None) => {}
                Err(error) => last_error = Some(error),
            }
        }
        if answered == 0 {
            return Err(ClockSyncError { asked: self.pings, last_error });
        }
        self.estimate().ok_or(ClockSyncError { asked: self.pings, last_error: None })
    }

    /// One question; what its answer says, unless our clock was set meanwhile.
    async fn ask(&mut self) -> Result<Option<Bounds>, RequestError> {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        // Not a request: the next answer may be that to an older question, which came too late. It is
        // subscribed to before the question leaves, so that no answer is missed.
        let mut answers = self.client.subscribe(&self.answer).filter_map(|answer| {
            ready(answer.parse().ok().filter(|(answered, _): &(i32, TimeTag)| *answered == number))
        });
        let before = self.clock.now();
        self.client.send((self.question.as_str(), number)).await?;
        let answer = timeout(self.timeout, answers.next()).await;
        let Some((_, theirs)) = answer.map_err(|_| RequestError::timed_out(self.timeout))? else {
            return Err(self.client.closed().await.into());
        };
        let after = self.clock.now();
        // The wall clock and the monotonic one disagree: our clock was set, so that this answer and all
        // before it say nothing about the offset now.
        let round_trip = after.monotonic.saturating_duration_since(before.monotonic);
        let by_wall = nanos_between(after.wall, before.wall);
        if by_wall.abs_diff(nanos(round_trip)) > STEP.as_nanos() {
            self.bounds.clear();
            return Ok(None);
        }
        // A time tag says its era only by being near to ours.
        let theirs = theirs.near(before.wall);
        Ok(Some(Bounds {
            least: nanos_between(before.wall, theirs) - ROUNDING,
            most: nanos_between(after.wall, theirs) + ROUNDING,
            round_trip,
            at: after.monotonic,
        }))
    }

    fn keep(&mut self, bounds: Bounds) {
        if self.bounds.len() == KEPT {
            self.bounds.pop_front();
        }
        self.bounds.push_back(bounds);
        // No offset fits all answers: a clock was set. The newest knows the present, so the oldest go.
        while overlap(&self.bounds, bounds.at).is_some_and(|(least, most)| least > most) {
            self.bounds.pop_front();
        }
    }

    fn estimate(&self) -> Option<ClockEstimate> {
        let (least, most) = overlap(&self.bounds, self.bounds.back()?.at)?;
        let middle = i64::try_from((least + most).div_euclid(2)).unwrap_or(i64::MAX);
        let half = u64::try_from((most - least + 1) / 2).unwrap_or(u64::MAX);
        Some(ClockEstimate {
            offset: ClockOffset::from_nanos(middle),
            error: Duration::from_nanos(half),
            round_trip: self.bounds.iter().map(|bounds| bounds.round_trip).min()?,
            answers: self.bounds.len(),
        })
    }
}

/// Where to begin to count: elsewhere than others who ask through clones of the same client.
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
fn some_number() -> i32 {
    RandomState::new().hash_one(()) as i32
}

/// Where all bounds overlap, each widened for its age.
fn overlap(all: &VecDeque<Bounds>, now: Instant) -> Option<(i128, i128)> {
    let widened = all.iter().map(|bounds| {
        let drift = nanos(now.saturating_duration_since(bounds.at) / DRIFT);
        (bounds.least - drift, bounds.most + drift)
    });
    widened.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))
}

/// No question of a measurement was answered.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::tools::ClockSync;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let silent = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(silent.local_addr()?).await?;
/// let mut sync = ClockSync::new(client).pings(1).timeout(Duration::from_millis(20));
/// let error = sync.measure().await.unwrap_err();
/// assert_eq!(error.to_string(), "none of 1 questions for the time was answered: no reply within 20 ms");
/// # Ok(()) }
/// ```
pub struct ClockSyncError {
    asked: usize,
    last_error: Option<RequestError>,
}

impl ClockSyncError {
    /// Why the last question without an answer failed; `None` if all were answered, but without a valid
    /// time.
    pub const fn last_error(&self) -> Option<&RequestError> {
        self.last_error.as_ref()
    }
}

impl fmt::Display for ClockSyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "none of {} questions for the time was answered", self.asked)?;
        self.last_error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

readable! { struct ClockSyncError { asked, last_error } }

impl std::error::Error for ClockSyncError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.last_error.as_ref()?.source()
    }
}
