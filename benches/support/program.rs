//! Peers that are not Rust, in the same run, where a C++ compiler and their headers are installed:
//! small programs, compiled now, that are told by a pipe what to do, and time themselves.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::harness::Contender;

/// A running program.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Compiles `NAME.cpp` of this directory with a library. `None`, and a word about it, where that
    /// is not possible.
    pub(crate) fn start(name: &str, library: &str, args: impl IntoIterator<Item = String>) -> Option<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/support");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}"));
        let mut compiler = Command::new("c++");
        compiler.args(["-O2", "-o"]).arg(&program).arg(directory.join(format!("{name}.cpp"))).arg(library);
        if !compiler.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            println!("{name} is absent: its goals are not measured (c++ and {library} are needed)");
            return None;
        }
        let mut command = Command::new(&program);
        let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, input, output })
    }

    /// Gives it a line that it does not answer.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap_or_else(|error| panic!("{error}"));
    }

    fn ask(&mut self, work: &str, times: u32) -> f64 {
        self.tell(&format!("{work} {times}"));
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap_or_else(|error| panic!("{error}"));
        answer.trim().parse().unwrap_or_else(|_| panic!("{work}: {answer}"))
    }
}

/// A contender that has the program do something; no number where there is no program.
pub(crate) fn does(program: &mut Option<Program>, work: String) -> Contender<'_> {
    Box::new(move |times| program.as_mut().map_or(f64::NAN, |program| program.ask(&work, times)))
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
