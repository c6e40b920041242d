//! `osc replay`: sends the packets of a recording, at their times.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::{Instant, sleep_until};
use tokio_osc::{Client, Endpoint};

use crate::bar;
use crate::failure::{At as _, Failure};
use crate::interrupt::Interrupt;
use crate::output::note;
use crate::place::parse_peer;
use crate::recording::Player;
use crate::time::parse_duration;

/// Send the packets of a recording, at their times
///
/// Reads the output of `osc record` and of liblo's oscdump. The packets are sent unchanged, time tags
/// included. Ctrl-C ends it.
#[derive(clap::Args)]
pub(crate) struct Replay {
    /// The recording; `-` is stdin
    file: String,

    /// Where to send, as for `osc send`; each packet goes to every URL
    #[arg(required = true, value_name = "URL", value_parser = parse_peer)]
    urls: Vec<Endpoint>,

    /// The speed, for example 0.5 or 10; `inf` sends without pauses
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = parse_speed)]
    speed: f64,

    /// Repeat the recording, N times in all or until Ctrl-C
    #[arg(long = "loop", value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    times: Option<u64>,

    /// Skip the packets before S seconds of the recording
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    from: Option<Duration>,

    /// Skip the packets after S seconds of the recording
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    to: Option<Duration>,
}

impl Replay {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        if self.times.is_some() && self.file == "-" {
            return Err(Failure::at("--loop", "stdin cannot be read again"));
        }
        let mut interrupt = Interrupt::new()?;
        let mut clients = Vec::new();
        for url in &self.urls {
            clients.push((url, url.client().await.at(url)?));
        }
        let mut sent = 0;
        let ended = tokio::select! {
            biased;
            () = interrupt.pressed() => Ok(()),
            played = self.play(&clients, &mut sent) => played,
        };
        note(format_args!("osc: {sent} packets of {} sent", self.file));
        ended?;
        for (url, client) in &clients {
            client.close().await.at(url)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn play(&self, clients: &[(&Endpoint, Client)], sent: &mut u64) -> Result<(), Failure> {
        let bar = bar::of_steps(std::fs::metadata(&self.file).map_or(0, |file| file.len()));
        let mut round = 0;
        loop {
            round += 1;
            let before = *sent;
            self.play_once(clients, sent, &bar).await?;
            // A recording without packets would be read in an endless loop.
            if *sent == before || self.times.is_none_or(|times| times == round) {
                bar.finish_and_clear();
                return Ok(());
            }
        }
    }

    async fn play_once(
        &self,
        clients: &[(&Endpoint, Client)],
        sent: &mut u64,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let from = self.from.unwrap_or_default();
        let mut player = Player::new(self.file.clone(), self.open().at(&self.file)?);
        let begin = Instant::now();
        while let Some((time, packet)) = player.next()? {
            let Some(time_from) = time.checked_sub(from) else { continue };
            if self.to.is_some_and(|to| time > to) {
                break;
            }
            let pause = time_from.as_secs_f64() / self.speed;
            let due = Duration::try_from_secs_f64(pause).ok().and_then(|pause| begin.checked_add(pause));
            sleep_until(due.unwrap_or(begin)).await;
            for (url, client) in clients {
                client.send(&packet).await.at(url)?;
            }
            *sent += 1;
            bar.set_position(player.position);
            bar.set_message(format!("{sent} packets"));
        }
        Ok(())
    }

    fn open(&self) -> io::Result<Box<dyn BufRead>> {
        Ok(match &*self.file {
            "-" => Box::new(io::stdin().lock()),
            file => Box::new(BufReader::new(File::open(file)?)),
        })
    }
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| *speed > 0.0);
    speed.ok_or_else(|| format!("`{text}` is not a valid speed, such as 0.5, 10 or inf"))
}
