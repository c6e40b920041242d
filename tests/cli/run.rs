//! Running `osc`: to its end, or as a listener beside the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::process::{Child, ChildStderr, Command, Stdio};

/// How a command ended, and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The command succeeded and had nothing to complain of.
    #[track_caller]
    pub(crate) fn stdout(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// The command ended with exit code 2, printed nothing and complained in one line.
    #[track_caller]
    pub(crate) fn complaint(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        let line = self.stderr.strip_prefix("osc: ").and_then(|line| line.strip_suffix('\n'));
        let line = line.unwrap_or_else(|| panic!("not a line: {:?}", self.stderr));
        assert!(!line.contains('\n'), "more than a line: {line}");
        line.to_owned()
    }
}

fn spawn(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_osc"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a command to its end; gives its stdout as bytes.
pub(crate) fn osc_bytes(args: &[&str], stdin: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    let mut child = spawn(args);
    let mut input = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A command that reads no stdin may be gone already; one that answers at once is read meanwhile.
        scope.spawn(move || input.write_all(stdin));
        child.wait_with_output().unwrap()
    });
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

/// Runs a command to its end.
pub(crate) fn osc(args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
    let (code, stdout, stderr) = osc_bytes(args, stdin.as_ref());
    Ended { code, stdout: String::from_utf8(stdout).unwrap(), stderr }
}

/// `osc decode` whose reader goes away before the packet comes.
pub(crate) fn decode_unread(packet: &[u8]) -> Ended {
    let mut child = spawn(&["decode"]);
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(packet).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code(), stdout: String::new(), stderr }
}

/// A running `osc dump`. It ends by itself after some seconds, and with the test.
pub(crate) struct Dump {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The URLs it listens on, as it announced them.
    pub(crate) urls: Vec<String>,
}

impl Dump {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::listen(&["osc.udp://127.0.0.1:0/"], options)
    }

    pub(crate) fn listen(urls: &[&str], options: &[&str]) -> Self {
        let limit: &[&str] = if options.contains(&"--timeout") { &[] } else { &["--timeout", "10"] };
        Self::command("dump", urls, &[options, limit].concat())
    }

    /// Another command that prints where it listens.
    pub(crate) fn command(name: &str, urls: &[&str], options: &[&str]) -> Self {
        let mut child = spawn(&[&[name], urls, options].concat());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let urls = urls.iter().map(|_| announced(&mut stderr)).collect();
        Self { child, stderr, urls }
    }

    /// A further URL that it announces.
    pub(crate) fn next_url(&mut self) -> String {
        announced(&mut self.stderr)
    }

    pub(crate) fn url(&self) -> &str {
        &self.urls[0]
    }

    /// Sends it a message of its own making.
    pub(crate) fn send(&self, args: &[&str]) {
        osc(&[&["send", self.url()], args].concat(), "").stdout();
    }

    /// Sends it packets as canonical lines.
    pub(crate) fn send_lines(&self, lines: &str) {
        osc(&["send", self.url(), "-"], lines).stdout();
    }

    /// Sends it a datagram from a socket.
    pub(crate) fn send_from(&self, socket: &UdpSocket, datagram: &[u8]) {
        let address = self.url().trim_start_matches("osc.udp://").trim_end_matches('/');
        socket.send_to(datagram, address).unwrap();
    }

    /// Closes the reading end of its stdout.
    pub(crate) fn close_stdout(&mut self) {
        drop(self.child.stdout.take());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        self.stderr.read_to_string(&mut stderr).unwrap();
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

fn announced(stderr: &mut impl BufRead) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let url = line.strip_prefix("listening ").and_then(|line| line.strip_suffix('\n'));
    url.unwrap_or_else(|| panic!("no announcement: {line:?}")).to_owned()
}

impl Drop for Dump {
    fn drop(&mut self) {
        // It has ended already if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
