//! `osc dump`: listens, and prints what arrives.

use std::future::pending;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use futures::stream::SelectAll;
use futures::{FutureExt, StreamExt};
use tokio::signal::ctrl_c;
use tokio::time::sleep;
use tokio_osc::{Channel, DecodeError, Endpoint, Meta, Packet, PacketRef};

use crate::failure::Failure;
use crate::held::{Held, Released};
use crate::notes::{note, note_passed_over};
use crate::output;
use crate::runtime;
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
    /// osc.tcp+slip://HOST:PORT/, osc.unix:///PATH, osc.unix+slip:///PATH; port 0 takes any free port; with options as in
    /// ?interface=eth0
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
        let mut channels = self.listen().await?;
        let mut timeout = pin!(elapse(self.timeout));
        let mut printer = Printer::new(&self);
        let exit = loop {
            // Not left to the timer alone: it would starve while packets arrive without a pause.
            printer.release_due()?;
            if printer.left == 0 {
                break ExitCode::SUCCESS;
            }
            tokio::select! {
                biased;
                _ = &mut interrupt => break ExitCode::SUCCESS,
                () = &mut timeout => break self.exit_on_timeout(),
                () = printer.held.due() => {}
                Some((packet, meta)) = channels.next() => printer.take(packet, meta)?,
            }
        };
        match printer.held.len() {
            0 => {}
            waiting => note(format_args!("osc: timed bundles that were not due yet: {waiting}")),
        }
        Ok(exit)
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

/// Prints packets until enough messages were printed.
struct Printer<'a> {
    options: &'a Dump,
    held: Held,
    /// Messages still to be printed.
    left: u64,
}

impl<'a> Printer<'a> {
    fn new(options: &'a Dump) -> Self {
        Self { options, held: Held::default(), left: options.count.unwrap_or(u64::MAX) }
    }

    fn take(&mut self, packet: Result<Packet, DecodeError>, meta: Meta) -> Result<(), Failure> {
        note_passed_over(meta.peer, &meta.repairs);
        match packet {
            Err(error) => {
                note(format_args!("osc: {}: {error}", meta.peer));
                Ok(())
            }
            Ok(packet) if self.options.schedule => {
                let released = self.held.admit(packet, meta, SystemTime::now());
                self.print_released(&released)
            }
            Ok(packet) => self.print(packet.as_ref(), &meta),
        }
    }

    fn release_due(&mut self) -> Result<(), Failure> {
        let now = SystemTime::now();
        while self.left > 0 {
            let Some(released) = self.held.release(now) else { break };
            self.print_released(&released)?;
        }
        Ok(())
    }

    fn print_released(&mut self, released: &Released) -> Result<(), Failure> {
        let Released { meta, messages, dropped } = released;
        if *dropped > 0 {
            note(format_args!("osc: {}: timed bundles dropped because too many wait: {dropped}", meta.peer));
        }
        messages.iter().try_for_each(|message| self.print(PacketRef::Message(message.as_ref()), meta))
    }

    fn print(&mut self, packet: PacketRef<'_>, meta: &Meta) -> Result<(), Failure> {
        self.left = self.left.saturating_sub(messages_in(packet));
        output::write(self.options.style.render(packet, meta))
    }
}

fn messages_in(packet: PacketRef<'_>) -> u64 {
    match packet {
        PacketRef::Message(_) => 1,
        PacketRef::Bundle(bundle) => bundle.elements().map(messages_in).sum(),
    }
}
