//! `osc encode`: canonical lines to the bytes of a packet, or of a stream of packets.

use std::io;
use std::process::ExitCode;

use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::LineReader;

use crate::failure::{At as _, Failure};
use crate::framing::FramingOptions;
use crate::output;

/// Encode the canonical lines on stdin to the bytes of a packet
///
/// One message, or `#bundle TIMETAG` … `#end`; with --framing any number of them. A time tag is `0x`
/// and 16 hexadecimal digits, `now` (immediately) or `+SECONDS`. Blank lines and other lines that
/// begin with `#` are comments. Nothing is written unless the whole input is valid.
#[derive(clap::Args)]
pub(crate) struct Encode {
    #[command(flatten)]
    framing: FramingOptions,
}

impl Encode {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        output::write(self.read()?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The bytes of all packets, each in its frame.
    fn read(&self) -> Result<BytesMut, Failure> {
        let mut reader = LineReader::new();
        let mut stream = BytesMut::new();
        for (line, number) in io::stdin().lines().zip(1_u64..) {
            let place = format!("stdin: line {number}");
            let Some(packet) = reader.push(&line.at(&place)?).at("stdin")? else { continue };
            if self.framing.is_none() && !stream.is_empty() {
                return Err(Failure::at(place, "a second packet, only one can be written"));
            }
            self.framing.write(&packet, &mut stream).at(place)?;
        }
        reader.finish().at("stdin")?;
        if stream.is_empty() { Err(Failure::at("stdin", "no packet")) } else { Ok(stream) }
    }
}
