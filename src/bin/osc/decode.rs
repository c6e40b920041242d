//! `osc decode`: the bytes of a packet to canonical lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use tokio_osc::Packet;
use tokio_osc::packet::DecodeOptions;

use crate::decoding::Decoding;
use crate::failure::{At as _, Failure};
use crate::framing::FramingOptions;
use crate::output::{self, ERROR, note, note_passed_over};

/// Print the packet in a file as canonical lines
///
/// A bundle is printed as `#bundle TIMETAG` … `#end`. Bytes that are not a packet end with exit code 2
/// and one line that says what is wrong and at which byte.
///
/// With --framing, every packet of a stream is printed. A bad frame is a line `frame N: …` on stderr;
/// if the framing allows it, decoding continues, and the exit code is 2 at the end.
#[derive(clap::Args)]
pub(crate) struct Decode {
    /// The file with the bytes of the packet, or of the stream [default: stdin]
    file: Option<PathBuf>,

    #[command(flatten)]
    decoding: Decoding,

    #[command(flatten)]
    framing: FramingOptions,
}

impl Decode {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let place = self.file.as_ref().map_or("stdin".into(), |file| file.display().to_string());
        let source = self.open().at(&place)?;
        if self.framing.is_none() { self.packet(&place, source) } else { self.stream(&place, source) }
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match &self.file {
            Some(file) => Box::new(File::open(file)?),
            None => Box::new(io::stdin().lock()),
        })
    }

    /// Reads at most one byte more than the longest packet has: decoding then says that it is too
    /// large.
    fn packet(&self, place: &str, source: impl Read) -> Result<ExitCode, Failure> {
        let mut frame = Vec::new();
        source.take(1 << 31).read_to_end(&mut frame).at(place)?;
        let (packet, repairs) = Packet::decode_with(frame.into(), &self.options()).at(place)?;
        output::write(format!("{packet}\n"))?;
        note_passed_over(place, &repairs);
        Ok(ExitCode::SUCCESS)
    }

    fn stream(&self, place: &str, source: impl Read) -> Result<ExitCode, Failure> {
        let mut number = 0_u64;
        let mut exit = ExitCode::SUCCESS;
        self.framing.read(place, source, self.options(), |frame| {
            number += 1;
            match frame {
                Ok((packet, repairs)) => {
                    output::write(format!("{packet}\n"))?;
                    note_passed_over(format_args!("{place}: frame {number}"), &repairs);
                }
                Err(error) => {
                    note(format_args!("frame {number}: {error}"));
                    exit = ExitCode::from(ERROR);
                }
            }
            Ok(())
        })?;
        Ok(exit)
    }

    /// Files are chosen by the user: the nesting that a peer is allowed is not the limit here.
    fn options(&self) -> DecodeOptions {
        self.decoding.options().max_bundle_depth(1_000).max_array_depth(255)
    }
}
