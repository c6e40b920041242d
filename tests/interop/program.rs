//! Programs under test: found, started, read line by line, and ended by their own handle.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// What to do when a program is missing.
pub(crate) const INSTALL: &str =
    "run `bash .ci/install`, then the tests with OSC_INTEROP_PYTHON=target/interop-venv/bin/python";

/// How long a program may take for all it does.
const LIMIT: Duration = Duration::from_secs(10);

/// One of the Python drivers beside this file, by the Python that has the libraries.
pub(crate) fn python(driver: &str) -> Command {
    let python = std::env::var("OSC_INTEROP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(source(driver)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A C program beside this file, compiled and linked with liblo, once.
pub(crate) async fn compiled_with_liblo(name: &'static str) -> Command {
    static COMPILED: Mutex<BTreeSet<&str>> = Mutex::const_new(BTreeSet::new());
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut compiled = COMPILED.lock().await;
    if !compiled.insert(name) {
        return Command::new(program);
    }
    let mut compile = Command::new("cc");
    compile.arg(source(&format!("{name}.c"))).arg("-o").arg(&program).arg("-llo");
    let output = run(compile).await;
    assert!(output.status.success(), "{}\n{INSTALL}", String::from_utf8_lossy(&output.stderr));
    Command::new(program)
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Runs a program to its end.
pub(crate) async fn run(mut command: Command) -> Output {
    let name = format!("{:?}", command.as_std());
    command.kill_on_drop(true);
    let output = limited(&name, command.output()).await;
    output.unwrap_or_else(|error| cannot_start(&name, &error))
}

/// A program that runs, and is killed when this is dropped.
pub(crate) struct Program {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    deadline: Instant,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let name = format!("{:?}", command.as_std());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| cannot_start(&name, &error));
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { name, child, input, lines, deadline: Instant::now() + LIMIT }
    }

    /// Starts a program that says `#ready PORT` when it is; returns the port with it.
    pub(crate) async fn ready(command: Command) -> (Self, u16) {
        let mut program = Self::start(command);
        let line = program.line().await;
        let port = line.strip_prefix("#ready ").and_then(|port| port.parse().ok());
        (program, port.unwrap_or_else(|| panic!("not ready: {line}")))
    }

    /// The next line that the program prints.
    pub(crate) async fn line(&mut self) -> String {
        if let Some(line) = self.line_if_any().await {
            return line;
        }
        let last_words = self.last_words().await;
        panic!("{} ended: {last_words}\n{INSTALL}", self.name)
    }

    /// The next line that the program prints; none if it has ended. Cancel safe.
    pub(crate) async fn line_if_any(&mut self) -> Option<String> {
        within(self.deadline, &self.name, self.lines.next_line()).await.unwrap()
    }

    /// Gives the program text on its standard input.
    pub(crate) async fn tell(&mut self, text: &str) {
        let lines = format!("{text}\n");
        within(self.deadline, &self.name, self.input.write_all(lines.as_bytes())).await.unwrap();
    }

    /// Kills the program and waits until it has ended.
    pub(crate) async fn end(mut self) {
        within(self.deadline, &self.name, self.child.kill()).await.unwrap();
    }

    async fn last_words(&mut self) -> String {
        let mut words = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        within(self.deadline, &self.name, stderr.read_to_string(&mut words)).await.unwrap();
        words
    }
}

/// Waits for something of our own, as long as for a program.
pub(crate) async fn limited<T>(what: &str, work: impl Future<Output = T>) -> T {
    within(Instant::now() + LIMIT, what, work).await
}

async fn within<T>(deadline: Instant, name: &str, work: impl Future<Output = T>) -> T {
    timeout_at(deadline, work).await.unwrap_or_else(|_| panic!("{name} took over {LIMIT:?}"))
}

fn cannot_start(name: &str, error: &std::io::Error) -> ! {
    panic!("{name}: {error}\n{INSTALL}")
}
