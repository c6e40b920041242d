//! `osc dump`: listens, and prints what arrives.

use std::future::pending;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio::signal::ctrl_c;
use tokio::time::sleep;
use tokio_osc::{Channel, DecodeError, Endpoint, Meta, Packet, PacketRef};

use crate::failure::Failure;
use crate::notes::{note, note_passed_over};
use crate::output;
use crate::runtime;
use crate::schedule::Schedule;
use crate::style::Style;
use crate::time::parse_duration;

/// Listen, and print the packets that arrive
///
/// Prints `listening URL` on stderr for each URL once all are bound, then one canonical line per
/// message on stdout, bundles as `#bundle TIMETAG` … `#end`. A malformed packet is one line on
/// stderr. Ctrl-C ends it with exit code 0.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help shows it as it stands")]
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
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        runtime::block_on(self.dump())
    }

    async fn dump(self) -> Result<ExitCode, Failure> {
        let mut interrupt = pin!(ctrl_c());
        // The first poll installs it: Ctrl-C is heard from the announcement on.
        if let Some(Err(error)) = interrupt.as_mut().now_or_never() {
            return Err(Failure::at("Ctrl-C", error));
        }
        let mut packets = self.packets().await?;
        let mut timeout = pin!(elapse(self.timeout));
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
                    left = left.saturating_sub(messages_in(packet.as_ref()));
                    output::write(self.style.render(packet.as_ref(), &meta))?;
                }
            }
        };
        packets.end().await;
        Ok(exit)
    }

    /// What is to be printed.
    async fn packets(&self) -> Result<Packets, Failure> {
        let channels = self.listen().await?;
        let told = channels.inspect(|(packet, meta)| tell_faults(packet, meta));
        Ok(if self.schedule {
            Packets::WhenDue(Schedule::of(told))
        } else {
            Packets::AsTheyArrive(told.boxed())
        })
    }

    async fn listen(&self) -> Result<SelectAll<Channel>, Failure> {
        let mut channels = SelectAll::new();
        let mut bound = Vec::new();
        for url in &self.urls {
            let channel = url.bind().await.map_err(|error| Failure::at(url, error))?;
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

/// Waits so long, or for ever.
async fn elapse(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// The packets that are to be printed.
enum Packets {
    AsTheyArrive(BoxStream<'static, (Result<Packet, DecodeError>, Meta)>),
    WhenDue(Schedule),
}

impl Packets {
    /// Cancel safe.
    async fn next(&mut self) -> Option<(Packet, Meta)> {
        match self {
            Self::WhenDue(schedule) => schedule.next().await,
            Self::AsTheyArrive(packets) => loop {
                if let (Ok(packet), meta) = packets.next().await? {
                    return Some((packet, meta));
                }
            },
        }
    }

    async fn end(self) {
        if let Self::WhenDue(schedule) = self {
            schedule.end().await;
        }
    }
}

/// A line for a malformed packet, and for messages that are not shown.
fn tell_faults(packet: &Result<Packet, DecodeError>, meta: &Meta) {
    note_passed_over(meta.peer, meta.repairs());
    if let Err(error) = packet {
        note(format_args!("osc: {}: {error}", meta.peer));
    }
}

fn messages_in(packet: PacketRef<'_>) -> u64 {
    match packet {
        PacketRef::Message(_) => 1,
        PacketRef::Bundle(bundle) => bundle.elements().map(messages_in).sum(),
    }
}
