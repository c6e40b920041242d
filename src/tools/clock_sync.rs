//! Measures the offset of a peer's clock with requests and replies over OSC.
//!
//! The peer writes each reply between the departure of the request and the arrival of the reply. The offset
//! is therefore between two bounds, however slow or asymmetric the network is. An offset that is common to
//! several replies is where all their bounds overlap. Slow replies have wide bounds and do not matter beside
//! a fast one. No other filter is needed.
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

/// Default addresses of requests and replies.
const PING: &str = "/clock/ping";
const PONG: &str = "/clock/pong";
/// Default number of requests per measurement.
const PINGS: usize = 8;
/// Maximum number of replies that are kept for later measurements.
const KEPT: usize = 64;
/// Default time to wait for a reply.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Two clocks drift apart by at most one part in this number: twice the drift of a poor quartz.
const DRIFT: u32 = 5_000;
/// If the wall clock moves by more than this between request and reply, it was set.
const STEP: Duration = Duration::from_millis(1);
/// Time tags are rounded to the nearest 233 ps.
const ROUNDING: i128 = 1;

/// Measures the offset of a peer's clock.
///
/// The request is a message with one number to [`/clock/ping`](ClockSync::addresses). The reply carries the
/// same number and the time of the peer as a time tag. The peer needs a route that replies:
/// [`ClockSync::responder`], or two lines in any other OSC library.
///
/// The true offset is within the reported error, even if requests take longer than replies, as long as
/// neither clock is set meanwhile and the clocks drift apart by less than 0.2 ms per second.
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

/// The bounds from one reply on our clock minus the peer's, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: i128,
    most: i128,
    round_trip: Duration,
    at: Instant,
}

/// The result of a [`ClockSync`].
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
    /// The round trip time of the fastest reply.
    pub round_trip: Duration,
    /// The number of replies used.
    pub answers: usize,
}

impl ClockSync {
    /// Creates a measurement with the peer of this client. Our clock is the system clock.
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

    /// Creates a router that replies with the time of this clock, for a [`Server`](crate::Server) or to be
    /// [merged](Router::merge) with other routes.
    pub fn responder(clock: impl Clock) -> Router<()> {
        Self::responder_at(PING, PONG, clock)
    }

    /// Same as [`responder`](Self::responder), with other addresses. If the router is [nested](Router::nest),
    /// the prefix applies to the request, not to the reply.
    ///
    /// # Panics
    /// Panics if `question` is not a valid address pattern.
    #[track_caller]
    pub fn responder_at(question: &str, answer: impl Into<String>, clock: impl Clock) -> Router<()> {
        let answer = answer.into();
        Router::new().route(question.to_owned(), move |Args(number): Args<i32>| {
            (answer.clone(), (number, clock.tag()))
        })
    }

    /// Sets the addresses of requests and replies. Default `/clock/ping` and `/clock/pong`.
    pub fn addresses(mut self, question: impl Into<String>, answer: impl Into<String>) -> Self {
        (self.question, self.answer) = (question.into(), answer.into());
        self
    }

    /// Sets our clock. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the number of requests per measurement. Default 8, at least 1.
    pub fn pings(mut self, pings: usize) -> Self {
        self.pings = pings.max(1);
        self
    }

    /// Sets the pause between two requests. Default zero.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sets how long to wait for each reply. Default 1 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the requests one after the other and estimates the offset from all replies, up to 64, including
    /// those of earlier measurements, whose bounds are widened for their age. Repeat the measurement from
    /// time to time to follow a drift.
    ///
    /// If the replies contradict each other, a clock was set, and the older replies are discarded.
    ///
    /// # Errors
    /// Returns an error if no request was answered.
    ///
    /// # Cancel safety
    /// If the future is dropped, the replies received so far count for the next measurement.
    ///
    /// # Panics
    /// Panics if the address of replies is not a valid pattern.
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

    /// Sends one request and returns the bounds from its reply, unless our clock was set meanwhile.
    async fn ask(&mut self) -> Result<Option<Bounds>, RequestError> {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        // Not `Client::request`: the next reply may belong to an older request that timed out. The
        // subscription starts before the request is sent, so that no reply is missed.
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
        // The wall clock and the monotonic clock disagree: our clock was set, so this reply and all earlier
        // ones say nothing about the present offset.
        let round_trip = after.monotonic.saturating_duration_since(before.monotonic);
        let by_wall = nanos_between(after.wall, before.wall);
        if by_wall.abs_diff(nanos(round_trip)) > STEP.as_nanos() {
            self.bounds.clear();
            return Ok(None);
        }
        // A time tag does not contain its era; the era nearest to our time is taken.
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
        // No offset fits all replies: a clock was set. The newest reply shows the present offset, so the
        // oldest ones are discarded.
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

/// The first number, random, so that clones of one client do not use the same numbers.
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
fn some_number() -> i32 {
    RandomState::new().hash_one(()) as i32
}

/// Intersects all bounds, each widened for its age.
fn overlap(all: &VecDeque<Bounds>, now: Instant) -> Option<(i128, i128)> {
    let widened = all.iter().map(|bounds| {
        let drift = nanos(now.saturating_duration_since(bounds.at) / DRIFT);
        (bounds.least - drift, bounds.most + drift)
    });
    widened.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))
}

/// The error of a measurement without a reply.
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
    /// The error of the last failed request. `None` if all were answered, but without a valid time.
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
