//! Other OSC software, run as programs that are told over their standard input what to do.
//!
//! `receive N` handles N packets, which wait in the socket already, and `ping N` makes N round trips;
//! both answer with nanoseconds.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio_osc::Message;

use crate::{LOOPBACK, METHODS, message};

pub(super) struct Peer {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    sender: Sender,
}

impl Peer {
    /// liblo, if it can be compiled here.
    pub(super) fn liblo() -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/udp/liblo.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("udp-liblo");
        let mut cc = Command::new("cc");
        cc.arg("-O2").args([&source, Path::new("-o"), &program]).arg("-llo").stderr(Stdio::null());
        let compiled = cc.status().is_ok_and(|status| status.success());
        compiled.then(|| Self::start("liblo", &mut Command::new(program)))?
    }

    /// A Python package, if it is installed.
    pub(super) fn python(name: &'static str, package: &str) -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/udp/python.py");
        let python = std::env::var("OSC_INTEROP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        Self::start(name, Command::new(python).arg(source).arg(package).stderr(Stdio::null()))
    }

    fn start(name: &'static str, command: &mut Command) -> Option<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (input, mut output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut port = String::new();
        output.read_line(&mut port).ok()?;
        let port: u16 = port.trim().parse().ok()?;
        let sender = Sender::to(([127, 0, 0, 1], port).into());
        Some(Self { name, child, input, output, sender })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Nanoseconds of CPU per packet received and handled.
    pub(super) fn receive(&mut self, packets: usize) -> f64 {
        self.sender.fill(packets);
        self.ask(&format!("receive {packets}")) / packets as f64
    }

    /// The median of round trips, in nanoseconds.
    pub(super) fn round_trip(&mut self, pings: usize) -> f64 {
        self.ask(&format!("ping {pings}"))
    }

    fn ask(&mut self, command: &str) -> f64 {
        writeln!(self.input, "{command}").expect("it listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        answer.trim().parse().unwrap_or_else(|_| panic!("{}: {answer}", self.name))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends packets to each method in turn.
struct Sender {
    socket: UdpSocket,
    address: SocketAddr,
    messages: Vec<Message>,
}

impl Sender {
    fn to(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(LOOPBACK).expect("a socket");
        Self { socket, address, messages: (0..METHODS).map(message).collect() }
    }

    fn fill(&self, packets: usize) {
        for message in self.messages.iter().cycle().take(packets) {
            self.socket.send_to(message.as_bytes(), self.address).expect("it is sent");
        }
    }
}
