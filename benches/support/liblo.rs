//! liblo in the same run, where a C++ compiler and its headers are installed: a small program,
//! compiled now, that is told by a pipe what to decode.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::harness::Contender;

/// The running program.
pub(crate) struct Liblo {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Liblo {
    /// `None` where it cannot be compiled.
    pub(crate) fn start(packets: &[Vec<u8>]) -> Option<Self> {
        let program = std::env::temp_dir().join(format!("tokio-osc-bench-liblo-{}", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/liblo.cpp");
        let compiled = Command::new("c++")
            .args(["-O2", "-o"])
            .arg(&program)
            .args([source, "-llo"])
            .output()
            .ok()?
            .status;
        if !compiled.success() {
            return None;
        }
        let mut command = Command::new(&program);
        command.args(packets.iter().map(|packet| hex(packet)));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let _ = std::fs::remove_file(&program);
        let mut child = child.ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, input, output })
    }

    /// A contender that has it decode a packet.
    pub(crate) fn decodes(&mut self, packet: usize) -> Contender<'_> {
        Box::new(move |times| self.ask(packet, times).unwrap_or(f64::NAN))
    }

    fn ask(&mut self, packet: usize, times: u32) -> Option<f64> {
        writeln!(self.input, "{packet} {times}").ok()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).ok()?;
        answer.trim().parse().ok()
    }
}

impl Drop for Liblo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
