//! `osc dump`: listens, and prints what arrives.

use std::future::ready;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio::signal::ctrl_c;
use tokio::time::sleep;
use tokio_osc::packet::DecodeError;
use tokio_osc::{Channel, Endpoint, Meta, Packet};

use crate::failure::{At as _, Failure};
use crate::output::{self, note, note_passed_over};
use crate::schedule::Schedule;
use crate::style::Style;
use crate::time::parse_duration;

/// Listen, and print the packets that arrive
///
/// Prints `listening URL` on stderr for each URL once all are bound, then one canonical line per
/// message on stdout, bundles as `#bundle TIMETAG` … `#end`. A malformed packet is one line on
/// stderr. Ctrl-C ends it with exit code 0.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help shows it verbatim")]
pub(crate) struct Dump {
    /// Where to listen: osc.udp://HOST:PORT/ or HOST:PORT, osc.tcp://HOST:PORT/,
    /// osc.tcp+slip://HOST:PORT/, osc.unix:///PATH, osc.unix+slip:///PATH; port 0 takes any
    /// free port; with options as in ?interface=eth0
    #[arg(required = true, value_name = "URL")]
    urls: Vec<Endpoint>,

    /// End when N messages were printed; a packet is printed whole, even if it has more
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after so many seconds, with exit code 1 if -n asked for more messages
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Hold timed bundles until they are due; print messages only, each as one of its own
    #[arg(long)]
    schedule: bool,

    #[command(flatten)]
    style: Style,
}

impl Dump {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = pin!(ctrl_c());
        // The first poll installs it: Ctrl-C is heard from the announcement on.
        if let Some(Err(error)) = interrupt.as_mut().now_or_never() {
            return Err(Failure::at("Ctrl-C", error));
        }
        let (mut packets, schedule) = self.packets().await?;
        let mut timeout = pin!(sleep(self.timeout.unwrap_or(Duration::MAX)));
        let mut left = self.count.unwrap_or(u64::MAX);
        let exit = loop {
            if left == 0 {
                break ExitCode::SUCCESS;
            }
            tokio::select! {
                biased;
                _ = &mut interrupt => break ExitCode::SUCCESS,
                () = &mut timeout => break self.exit_on_timeout(),
                Some((packet, meta)) = packets.next() => {
                    left = left.saturating_sub(packet.as_ref().messages().count() as u64);
                    output::write(self.style.render(packet.as_ref(), &meta))?;
                }
            }
        };
        // The schedule hands nothing over any more, so that its end does not wait for a reader.
        drop(packets);
        if let Some(schedule) = schedule {
            schedule.end().await;
        }
        Ok(exit)
    }

    /// What is to be printed, and the schedule that it comes from if there is one.
    async fn packets(&self) -> Result<(BoxStream<'static, (Packet, Meta)>, Option<Schedule>), Failure> {
        let channels = self.listen().await?;
        let told = channels.inspect(|(packet, meta)| tell_faults(packet, meta));
        if self.schedule {
            let (schedule, due) = Schedule::of(told);
            return Ok((due.boxed(), Some(schedule)));
        }
        let arrived = told.filter_map(|(packet, meta)| ready(packet.ok().map(|packet| (packet, meta))));
        Ok((arrived.boxed(), None))
    }

    async fn listen(&self) -> Result<SelectAll<Channel>, Failure> {
        let mut channels = SelectAll::new();
        let mut bound = Vec::new();
        for url in &self.urls {
            let channel = url.bind().await.at(url)?;
            bound.push(channel.local_addr().map_or_else(|_| url.clone(), |address| url.at(address)));
            channels.push(channel);
        }
        for url in bound {
            note(format_args!("listening {url}"));
        }
        Ok(channels)
    }

    /// Without `-n` the timeout is the end that was asked for.
    fn exit_on_timeout(&self) -> ExitCode {
        if self.count.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// A line for a malformed packet, and for messages that are not shown.
fn tell_faults(packet: &Result<Packet, DecodeError>, meta: &Meta) {
    note_passed_over(meta.peer, meta.repairs());
    if let Err(error) = packet {
        note(format_args!("osc: {}: {error}", meta.peer));
    }
}
