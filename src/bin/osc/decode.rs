//! `osc decode`: the bytes of a packet to canonical lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use tokio_osc::{DecodeOptions, Packet};

use crate::failure::Failure;
use crate::notes::note_passed_over;
use crate::output;

/// Print the packet in a file as canonical lines
///
/// A bundle is printed as `#bundle TIMETAG` … `#end`. Bytes that are no packet end with exit code 2
/// and one line that says what is wrong and at which byte.
#[derive(clap::Args)]
pub(crate) struct Decode {
    /// The file that holds the packet's bytes, nothing else [default: stdin]
    file: Option<PathBuf>,

    /// Accept only OSC 1.0 to the letter
    #[arg(long)]
    strict: bool,

    /// Accept also what can be mended: no comma, no padding at the end, zeros behind it
    #[arg(long, conflicts_with = "strict")]
    lenient: bool,
}

impl Decode {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let place = self.file.as_ref().map_or("stdin".into(), |file| file.display().to_string());
        let frame = self.read().map_err(|error| Failure::at(&place, error))?;
        let (packet, repairs) =
            Packet::decode_with(frame.into(), &self.options()).map_err(|error| Failure::at(&place, error))?;
        output::write(format!("{packet}\n"))?;
        note_passed_over(place, &repairs);
        Ok(ExitCode::SUCCESS)
    }

    /// Files are chosen by the user: the nesting that a peer is allowed is not the limit here.
    fn options(&self) -> DecodeOptions {
        let options = match (self.strict, self.lenient) {
            (true, _) => DecodeOptions::strict(),
            (_, true) => DecodeOptions::lenient(),
            _ => DecodeOptions::default(),
        };
        options.max_bundle_depth(1_000).max_array_depth(255)
    }

    /// Reads at most one byte more than the longest packet has: decoding then says that it is too
    /// large.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut frame = Vec::new();
        let source: Box<dyn Read> = match &self.file {
            Some(file) => Box::new(File::open(file)?),
            None => Box::new(io::stdin().lock()),
        };
        source.take(1 << 31).read_to_end(&mut frame)?;
        Ok(frame)
    }
}
