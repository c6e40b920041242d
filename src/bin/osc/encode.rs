//! `osc encode`: canonical lines to the bytes of a packet.

use std::io;
use std::process::ExitCode;

use tokio_osc::{LineReader, Packet};

use crate::failure::Failure;
use crate::output;

/// Write the bytes of the packet whose canonical lines stand on stdin
///
/// One message, or `#bundle TIMETAG` … `#end`. A time tag is `0x` and 16 hexadecimal digits, `now`
/// (immediately) or `+SECONDS`. Blank lines and other lines that begin with `#` are comments.
/// Nothing is written unless the whole input is good.
#[derive(clap::Args)]
pub(crate) struct Encode {}

pub(crate) fn run() -> Result<ExitCode, Failure> {
    output::write(read_packet()?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn read_packet() -> Result<Packet, Failure> {
    let mut reader = LineReader::new();
    let mut found = None;
    for (line, number) in io::stdin().lines().zip(1_u64..) {
        let line = line.map_err(|error| Failure::at(format_args!("stdin: line {number}"), error))?;
        let packet = reader.push(&line).map_err(|error| Failure::at("stdin", error))?;
        if found.is_some() && packet.is_some() {
            return Err(Failure::at(
                format_args!("stdin: line {number}"),
                "a second packet, only one can be written",
            ));
        }
        found = found.or(packet);
    }
    reader.finish().map_err(|error| Failure::at("stdin", error))?;
    found.ok_or_else(|| Failure::at("stdin", "no packet"))
}
