//! `osc ping`: round trip times, printed as ping(8) prints them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tokio_osc::channel::StreamOptions;
use tokio_osc::client::RequestErrorKind;
use tokio_osc::packet::DecodeOptions;
use tokio_osc::{Client, Endpoint, Message, Pattern};

use crate::failure::{At as _, Failure};
use crate::interrupt::Interrupt;
use crate::place::parse_peer;
use crate::time::parse_duration;
use crate::values::Numbered;
use crate::{output, reply};

/// Round trip times that are kept for the percentiles.
const KEPT: usize = 1_000_000;

/// Maximum number of requests for which a late answer is recognised. Few, because other answers may begin with a
/// number too.
const GIVEN_UP: usize = 8;

/// Send a message again and again, and print how long each answer takes
///
/// Without TYPES the message carries its number as an int32; an answer that begins with the number of a
/// message that timed out is late, and ignored. Ctrl-C ends it. Exit code: 1 if no answer came.
#[derive(clap::Args)]
pub(crate) struct Ping {
    /// Where to send, as for `osc send`
    #[arg(value_name = "URL", value_parser = parse_peer)]
    url: Endpoint,

    /// The address of the message, for example /status of scsynth
    #[arg(default_value = "/ping")]
    address: String,

    #[command(flatten)]
    values: Numbered,

    /// The address of the answer [default: any]
    #[arg(long, value_name = "PATTERN", default_value = reply::ANY, hide_default_value = true)]
    reply: Pattern,

    /// End after N messages
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// Pause from one message to the next
    #[arg(short, long, value_name = "S", default_value = "1s", value_parser = parse_duration)]
    interval: Duration,

    /// How long to wait for an answer
    #[arg(short = 'W', long, value_name = "S", default_value = "1s", value_parser = parse_duration)]
    timeout: Duration,
}

impl Ping {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = Interrupt::new()?;
        let message = self.values.message(&self.address, 0)?;
        let decode = DecodeOptions::default().accept_bare_addresses(self.values.bare);
        let client = self.url.client_with(StreamOptions::default().decode(decode)).await.at(&self.url)?;
        output::write(format!("PING {} {message}\n", self.url))?;
        let mut trips = Trips::default();
        let mut ticks = interval(self.interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let begin = Instant::now();
        for number in 0..self.count.unwrap_or(u32::MAX) {
            tokio::select! {
                biased;
                () = interrupt.pressed() => break,
                pinged = async { ticks.tick().await; self.ping(&client, number, &mut trips).await } => pinged?,
            }
        }
        output::write(format!("\n--- {} ping statistics ---\n{}", self.url, trips.summary(begin.elapsed())))?;
        Ok(if trips.times.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn ping(&self, client: &Client, number: u32, trips: &mut Trips) -> Result<(), Failure> {
        let message = self.values.message(&self.address, number)?;
        let late = trips.given_up.clone();
        let is_late = move |answer: &Message| first_int(answer).is_some_and(|other| late.contains(&other));
        let request =
            client.request(message, self.reply.to_string()).matching(move |answer| !is_late(answer));
        trips.sent += 1;
        let begin = Instant::now();
        match request.timeout(self.timeout).await {
            Ok(answer) => {
                let time = begin.elapsed();
                trips.take(time);
                let milliseconds = time.as_secs_f64() * 1e3;
                output::write(format!("{answer}: seq={number} time={milliseconds:.3} ms\n"))
            }
            Err(error) if error.kind() == RequestErrorKind::Timeout => {
                if self.values.is_numbered() {
                    trips.give_up(number as i32);
                }
                output::write(format!("no answer: seq={number}\n"))
            }
            Err(error) => Err(Failure::at(&self.url, error)),
        }
    }
}

fn first_int(message: &Message) -> Option<i32> {
    match message.args().next() {
        Some(tokio_osc::packet::ArgRef::Int32(value)) => Some(value),
        _ => None,
    }
}

#[derive(Default)]
struct Trips {
    sent: u64,
    received: u64,
    /// The first million.
    times: Vec<Duration>,
    /// The numbers of the last messages that had no answer in time.
    given_up: VecDeque<i32>,
}

impl Trips {
    fn take(&mut self, time: Duration) {
        self.received += 1;
        if self.times.len() < KEPT {
            self.times.push(time);
        }
    }

    fn give_up(&mut self, number: i32) {
        self.given_up.truncate(GIVEN_UP - 1);
        self.given_up.push_front(number);
    }

    fn summary(&mut self, elapsed: Duration) -> String {
        let Self { sent, received, times, .. } = self;
        times.sort_unstable();
        let lost = 100 * (*sent - *received) / (*sent).max(1);
        let mut text =
            format!("{sent} sent, {received} answered, {lost}% lost, time {} ms\n", elapsed.as_millis());
        let at = |share: usize| times.get((times.len().saturating_sub(1)) * share / 100);
        if let (Some(min), Some(median), Some(p99), Some(max)) = (at(0), at(50), at(99), at(100)) {
            let [min, median, p99, max] = [min, median, p99, max].map(|time| time.as_secs_f64() * 1e3);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "rtt min/median/p99/max = {min:.3}/{median:.3}/{p99:.3}/{max:.3} ms");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_reads_as_that_of_ping() {
        let mut trips = Trips { sent: 200, ..Trips::default() };
        (1..=100).rev().for_each(|time| trips.take(Duration::from_millis(time)));
        let summary = trips.summary(Duration::from_secs(3));
        assert_eq!(
            summary,
            "200 sent, 100 answered, 50% lost, time 3000 ms\n\
             rtt min/median/p99/max = 1.000/50.000/99.000/100.000 ms\n"
        );
    }
}
