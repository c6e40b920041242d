//! `osc record`: listens, and writes incoming packets to a file, with their times.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tokio::time::sleep;
use tokio_osc::Pattern;
use tokio_osc::channel::StreamOptions;

use crate::bar;
use crate::decoding::Decoding;
use crate::failure::{At as _, Failure};
use crate::interrupt::Interrupt;
use crate::listen::{Listening, tell_faults};
use crate::output::note;
use crate::place::Listen;
use crate::recording::{Format, Recorder};
use crate::select::selects;
use crate::time::parse_duration;

/// Write incoming packets to a file, with their times
///
/// The file holds canonical lines, and before each packet a comment `#time SECONDS` with its time after
/// the first. `osc replay` sends it again; the packets are the same, byte for byte. Ctrl-C
/// ends the recording.
#[derive(clap::Args)]
pub(crate) struct Record {
    /// Where to listen, as for `osc dump`
    #[arg(required = true, value_name = "URL")]
    urls: Vec<Listen>,

    /// The file to write; `-` is stdout
    file: String,

    /// End when N packets were written
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after S seconds, with exit code 1 if fewer than -n packets were written
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Write only packets with a message whose address matches
    #[arg(long, value_name = "PATTERN")]
    filter: Option<Pattern>,

    /// The format of the file
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    decoding: Decoding,
}

impl Record {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = Interrupt::new()?;
        let options = StreamOptions::default().decode(self.decoding.options());
        let listening = Listening::on(&self.urls, &options).await?;
        let mut recorder = Recorder::new(self.create().at(&self.file)?, self.format);
        let drops = listening.drops.clone();
        let mut packets = listening.packets();
        let mut timeout = pin!(sleep(self.timeout.unwrap_or(Duration::MAX)));
        let bar = bar::without_end();
        let mut written = 0;
        while self.count.is_none_or(|count| written < count) {
            let mut item = packets.next().now_or_never();
            if item.is_none() {
                // What was written can be read by others while nothing comes.
                self.written(recorder.flush())?;
                item = tokio::select! {
                    biased;
                    () = interrupt.pressed() => break,
                    () = &mut timeout => break,
                    item = packets.next() => Some(item),
                };
            }
            let Some(Some((packet, meta))) = item else { break };
            tell_faults(&packet, &meta);
            let Ok(packet) = packet else { continue };
            if self.filter.as_ref().is_none_or(|filter| selects(filter, packet.as_ref())) {
                self.written(recorder.write(&packet, &meta))?;
                written += 1;
                bar.set_message(format!("{written} packets"));
            }
        }
        self.written(recorder.flush())?;
        bar.finish_and_clear();
        drops.tell();
        note(format_args!("osc: {written} packets in {}", self.file));
        if recorder.left_out > 0 {
            note(format_args!(
                "osc: {} messages left out: liblo's form has no words for them",
                recorder.left_out
            ));
        }
        let is_complete = self.count.is_none_or(|count| written >= count);
        Ok(if is_complete || timeout.as_mut().now_or_never().is_none() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// That the reader of stdout has gone is a quiet end, as for every command.
    fn written(&self, result: io::Result<()>) -> Result<(), Failure> {
        match &*self.file {
            "-" => result.map_err(|error| Failure::of_stdout(&error)),
            file => result.at(file),
        }
    }

    fn create(&self) -> io::Result<BufWriter<Box<dyn Write>>> {
        Ok(BufWriter::new(match &*self.file {
            "-" => Box::new(io::stdout()),
            file => Box::new(File::create(file)?),
        }))
    }
}
