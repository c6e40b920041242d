//! `osc dump`: listens, and prints incoming packets.

use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use tokio::time::{interval, sleep};
use tokio_osc::channel::StreamOptions;
use tokio_osc::packet::DecodeError;
use tokio_osc::{Meta, Packet, Pattern};

use crate::decoding::Decoding;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::listen::{Drops, Listening, Malformed, tell_faults};
use crate::output::{self, note};
use crate::place::Listen;
use crate::plot::Plot;
use crate::rates::Rates;
use crate::schedule::Schedule;
use crate::select::selects;
use crate::style::Style;
use crate::time::parse_duration;

/// Bytes of text that are written together at most.
const BATCH: usize = 64 * 1_024;

/// Listen, and print the packets that arrive
///
/// Prints `listening URL` on stderr for each URL once all are bound, then one canonical line per
/// message on stdout, and bundles as `#bundle TIMETAG` … `#end`. Malformed packets, broken
/// connections and datagrams dropped by the kernel are reported on stderr. Ctrl-C ends it with exit
/// code 0.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help shows it verbatim")]
pub(crate) struct Dump {
    /// Where to listen: PORT, HOST:PORT, or a URL
    ///
    /// PORT alone listens on every address of this host; port 0 takes any free port. URLs are osc.udp://HOST:PORT/,
    /// osc.tcp://HOST:PORT/, osc.tcp+slip://HOST:PORT/, osc.unix:///PATH and osc.unix+slip:///PATH, with options
    /// as in ?interface=eth0.
    #[arg(required = true, value_name = "URL")]
    urls: Vec<Listen>,

    /// End when N messages were printed; a packet is printed whole, even if it has more
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after S seconds, with exit code 1 if fewer than -n messages were printed
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Print only packets with a message whose address matches
    #[arg(long, value_name = "PATTERN")]
    filter: Option<Pattern>,

    /// Hold timed bundles until they are due, then print their messages one by one
    #[arg(long)]
    schedule: bool,

    /// Print a line of rates each second instead of the packets
    #[arg(long, conflicts_with_all = ["json", "raw", "peer", "time"])]
    stats: bool,

    /// Draw the first number of the messages of this address instead of printing packets
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["json", "raw", "peer", "time", "stats"])]
    plot: Option<Pattern>,

    #[command(flatten)]
    style: Style,

    #[command(flatten)]
    decoding: Decoding,
}

type Item = (Result<Packet, DecodeError>, Meta);

impl Dump {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = Interrupt::new()?;
        let malformed = Malformed::new(self.decoding.options());
        let listening = Listening::on(&self.urls, &self.stream_options(&malformed)).await?;
        let drops = listening.drops.clone();
        let (mut packets, schedule) = self.packets(listening);
        let mut timeout = pin!(sleep(self.timeout.unwrap_or(Duration::MAX)));
        let mut printer = Printer::new(&self, malformed, drops.clone());
        let mut tick = interval(printer.view.period());
        tick.tick().await;
        let exit = loop {
            if printer.left == 0 {
                break ExitCode::SUCCESS;
            }
            tokio::select! {
                biased;
                () = interrupt.pressed() => {
                    printer.tell_summary();
                    break ExitCode::SUCCESS;
                }
                () = &mut timeout => break self.exit_on_timeout(),
                _ = tick.tick() => output::write(printer.view.tick())?,
                Some(first) = packets.next() => output::write(printer.batch(first, &mut packets))?,
            }
        };
        output::write(printer.view.end())?;
        drops.tell();
        // The schedule hands nothing over any more, so that its end does not wait for a reader.
        drop(packets);
        if let Some(schedule) = schedule {
            schedule.end().await;
        }
        Ok(exit)
    }

    fn stream_options(&self, malformed: &Malformed) -> StreamOptions {
        let options = StreamOptions::default().decode(self.decoding.options());
        // It decodes twice: only where the bytes are shown.
        if self.style.raw { options.middleware(malformed.clone()) } else { options }
    }

    /// The packets to print, and the schedule that they come from if there is one.
    fn packets(&self, listening: Listening) -> (BoxStream<'static, Item>, Option<Schedule>) {
        let told = listening.packets().inspect(|(packet, meta)| tell_faults(packet, meta));
        if self.schedule {
            let (schedule, due) = Schedule::of(told);
            return (due.map(|(packet, meta)| (Ok(packet), meta)).boxed(), Some(schedule));
        }
        (told.boxed(), None)
    }

    /// Without `-n`, reaching the timeout is a success.
    fn exit_on_timeout(&self) -> ExitCode {
        if self.count.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Turns packets into text, and counts them.
struct Printer<'a> {
    filter: Option<&'a Pattern>,
    view: View<'a>,
    /// Messages that are left to print.
    left: u64,
    packets: u64,
    messages: u64,
    begin: Instant,
}

enum View<'a> {
    Packets(&'a Style, Malformed),
    Rates(Rates),
    Plot(Plot),
}

impl<'a> Printer<'a> {
    fn new(dump: &'a Dump, malformed: Malformed, drops: Drops) -> Self {
        let view = match &dump.plot {
            Some(address) => View::Plot(Plot::of(address.clone())),
            None if dump.stats => View::Rates(Rates::new(drops)),
            None => View::Packets(&dump.style, malformed),
        };
        let left = dump.count.unwrap_or(u64::MAX);
        let filter = dump.filter.as_ref();
        Self { filter, view, left, packets: 0, messages: 0, begin: Instant::now() }
    }

    /// The text of a packet and of the packets that have arrived behind it: one write for all of them.
    fn batch(&mut self, first: Item, packets: &mut BoxStream<'static, Item>) -> String {
        let mut text = String::new();
        let mut next = Some(first);
        while let Some((packet, meta)) = next {
            self.take(packet, &meta, &mut text);
            if self.left == 0 || text.len() >= BATCH {
                break;
            }
            next = packets.next().now_or_never().flatten();
        }
        text
    }

    fn take(&mut self, packet: Result<Packet, DecodeError>, meta: &Meta, text: &mut String) {
        let packet = match packet {
            Ok(packet) => packet,
            Err(error) => return self.view.malformed(error, meta, text),
        };
        if self.filter.is_some_and(|filter| !selects(filter, packet.as_ref())) {
            return;
        }
        let messages = packet.as_ref().messages().count() as u64;
        self.left = self.left.saturating_sub(messages);
        self.packets += 1;
        self.messages += messages;
        match &mut self.view {
            View::Packets(style, _) => style.render(&packet, meta, text),
            View::Rates(rates) => rates.take(&packet),
            View::Plot(plot) => plot.take(&packet),
        }
    }

    /// The summary for a user who has stopped it; nothing if no packet came.
    fn tell_summary(&self) {
        if self.packets > 0 {
            let seconds = self.begin.elapsed().as_secs_f64();
            note(format_args!("osc: {} packets, {} messages in {seconds:.1} s", self.packets, self.messages));
        }
    }
}

impl View<'_> {
    fn malformed(&mut self, error: DecodeError, meta: &Meta, text: &mut String) {
        match self {
            View::Packets(style, malformed) => {
                if let Some(bytes) = malformed.take(meta.peer, error) {
                    style.bytes(&bytes, meta, text);
                }
            }
            View::Rates(rates) => rates.malformed(),
            View::Plot(_) => {}
        }
    }

    /// The interval at which lines are printed even if no packet arrives.
    fn period(&self) -> Duration {
        match self {
            View::Packets(..) => Duration::from_secs(3_600),
            View::Rates(_) => Duration::from_secs(1),
            View::Plot(_) => Duration::from_millis(50),
        }
    }

    fn tick(&mut self) -> String {
        match self {
            View::Packets(..) => String::new(),
            View::Rates(rates) => rates.line(),
            View::Plot(plot) => plot.redraw(),
        }
    }

    fn end(&mut self) -> String {
        match self {
            View::Plot(plot) => plot.end(),
            _ => String::new(),
        }
    }
}
