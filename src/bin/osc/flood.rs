//! `osc flood`: a bounded load, with the rate that was reached and the answers that are missing.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tokio::time::{sleep, sleep_until};
use tokio_osc::client::Subscription;
use tokio_osc::{Client, Endpoint, Message};

use crate::bar;
use crate::failure::{At as _, Failure};
use crate::interrupt::Interrupt;
use crate::output;
use crate::place::parse_peer;
use crate::reply::ReplyOptions;
use crate::values::Numbered;

/// The number of packets between two readings of the clock, at full speed.
const BURST: u64 = 32;

/// Send a number of messages at a rate or at full speed, and print the rate that was reached
///
/// Without TYPES each message carries its number as an int32. With --reply the answers are counted, and the
/// exit code is 1 if some are missing. Ctrl-C ends it early.
#[derive(clap::Args)]
pub(crate) struct Flood {
    /// Where to send, as for `osc send`
    #[arg(value_name = "URL", value_parser = parse_peer)]
    url: Endpoint,

    /// The address of the messages
    #[arg(default_value = "/flood")]
    address: String,

    #[command(flatten)]
    values: Numbered,

    /// The number of messages
    #[arg(short = 'n', long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    /// Messages a second [default: as many as can be sent]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    #[command(flatten)]
    reply: ReplyOptions,
}

impl Flood {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = Interrupt::new()?;
        self.message(0)?;
        let client = self.url.client().await.at(&self.url)?;
        let answered = Arc::new(AtomicU64::new(0));
        let answers = self.reply.answers(&client);
        let expects_answers = answers.is_some();
        if let Some(answers) = answers {
            tokio::spawn(count(answers, Arc::clone(&answered)));
        }
        let (mut sent, mut bytes) = (0, 0);
        let begin = Instant::now();
        let ended = tokio::select! {
            biased;
            () = interrupt.pressed() => Ok(()),
            ended = self.send(&client, &mut sent, &mut bytes) => ended,
        };
        let seconds = begin.elapsed().as_secs_f64().max(1e-9);
        #[expect(clippy::cast_precision_loss, reason = "rates are shown with few digits")]
        let (rate, throughput) = (sent as f64 / seconds, bytes as f64 / seconds / 1e6);
        output::write(format!(
            "{sent} messages, {bytes} bytes in {seconds:.3} s: {rate:.0} messages/s, {throughput:.1} MB/s\n"
        ))?;
        ended?;
        if !expects_answers {
            client.close().await.at(&self.url)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answers = self.wait_for_answers(sent, &answered).await;
        let lost = sent.saturating_sub(answers);
        output::write(format!("{answers} answers, {lost} lost ({}%)\n", 100 * lost / sent.max(1)))?;
        Ok(if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn send(&self, client: &Client, sent: &mut u64, bytes: &mut u64) -> Result<(), Failure> {
        let bar = bar::of_steps(self.count);
        let begin = tokio::time::Instant::now();
        while *sent < self.count {
            if let Some(rate) = self.rate {
                sleep_until(begin + Duration::from_secs_f64(to_f64(*sent) / f64::from(rate))).await;
            } else if *sent % BURST == 0 {
                // The answers are read by the same thread.
                tokio::task::yield_now().await;
            }
            let message = self.message(*sent)?;
            client.send(&message).await.at(&self.url)?;
            *sent += 1;
            *bytes += message.as_bytes().len() as u64;
            bar.set_position(*sent);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Waits until all answers have come, or until none has come for the timeout.
    async fn wait_for_answers(&self, sent: u64, answered: &AtomicU64) -> u64 {
        let mut seen = answered.load(Ordering::Relaxed);
        let mut last = Instant::now();
        while seen < sent && last.elapsed() < self.reply.timeout {
            sleep(Duration::from_millis(1)).await;
            let now = answered.load(Ordering::Relaxed);
            if now > seen {
                (seen, last) = (now, Instant::now());
            }
        }
        seen
    }

    /// Numbers wrap to 0 after 2^32.
    fn message(&self, number: u64) -> Result<Message, Failure> {
        self.values.message(&self.address, u32::try_from(number & 0xffff_ffff).unwrap_or_default())
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 messages take longer than anyone waits")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Counts answers. Answers that this side was too slow to read have arrived too, and count.
async fn count(mut answers: Subscription, answered: Arc<AtomicU64>) {
    let mut read = 0;
    while answers.next().await.is_some() {
        read += 1;
        answered.store(read + answers.missed(), Ordering::Relaxed);
    }
}
