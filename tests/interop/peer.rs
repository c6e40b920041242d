//! The peers, each in its two parts: a listener prints what we send, a speaker sends what we say.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{sleep, timeout};
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Client, Message, Packet};

use super::liblo::{from_hex, to_hex};
use super::program::{Program, compiled_with_liblo, python};
use super::transport::{Transport, unix_path};

/// A peer that prints a line for each message that it receives.
pub(crate) struct Listener {
    program: Program,
    /// Sends to the peer.
    pub(crate) client: Client,
    /// What a line means.
    read: fn(String) -> String,
    marks: i32,
}

impl Listener {
    pub(crate) async fn python_osc(transport: Transport) -> Self {
        let mut command = python("python_osc_peer.py");
        command.args(["serve", transport.python_name()]);
        Self::started(command, transport, |line| line).await
    }

    pub(crate) async fn osc4py3() -> Self {
        let mut command = python("osc4py3_peer.py");
        command.arg("serve");
        Self::started(command, Transport::Udp, |line| line).await
    }

    /// liblo's library; over TCP its servers see by themselves which framing a client has.
    pub(crate) async fn liblo(transport: Transport) -> Self {
        let mut command = compiled_with_liblo("liblo_peer").await;
        command.args(["serve", transport.liblo_scheme()]);
        if transport == Transport::Unix {
            command.arg(unix_path(1));
        }
        Self::started(command, transport, |line| from_hex(&line)).await
    }

    async fn started(command: Command, transport: Transport, read: fn(String) -> String) -> Self {
        let (program, port) = Program::ready(command).await;
        Self { program, client: transport.client(port).await.unwrap(), read, marks: 0 }
    }

    /// `oscdump` does not say when it is ready, nor can it choose a port: it is given a free one, and
    /// asked until it answers.
    pub(crate) async fn oscdump(transport: Transport) -> Self {
        for _ in 0..3 {
            let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let mut command = Command::new("oscdump");
            command.args(["-L", &format!("{}://:{port}", transport.liblo_scheme())]);
            let program = Program::start(command);
            let Some(client) = connected(transport, port).await else { continue };
            let mut listener = Self { program, client, read: |line| line, marks: 0 };
            if listener.answers().await {
                listener.hear(("/are/you/there", ())).await;
                return listener;
            }
        }
        panic!("oscdump found no port free, three times");
    }

    /// Asks until there is an answer; false if the program has ended.
    async fn answers(&mut self) -> bool {
        for _ in 0..200 {
            self.client.send(("/are/you/there", ())).await.unwrap();
            let answer = timeout(Duration::from_millis(25), self.program.line_if_any()).await;
            if let Ok(answer) = answer {
                return answer.is_some();
            }
        }
        panic!("oscdump does not answer");
    }

    /// Sends a packet, and returns the lines that the peer prints for it.
    pub(crate) async fn hear(&mut self, packet: impl IntoPacket) -> Vec<String> {
        self.marks += 1;
        self.client.send(packet).await.unwrap();
        self.client.send((format!("/mark/{}", self.marks), ())).await.unwrap();
        let mark = format!("/mark/{} ", self.marks);
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            if line.contains(&mark) {
                return lines;
            }
            lines.push(line);
        }
    }

    /// The next line that the peer prints.
    pub(crate) async fn line(&mut self) -> String {
        (self.read)(self.program.line().await)
    }
}

/// A client of a program that has just been started.
async fn connected(transport: Transport, port: u16) -> Option<Client> {
    for _ in 0..100 {
        if let Ok(client) = transport.client(port).await {
            return Some(client);
        }
        sleep(Duration::from_millis(20)).await;
    }
    None
}

/// A peer that sends the given messages from one socket.
pub(crate) struct Speaker {
    program: Program,
    /// How it receives its orders.
    write: fn(&Packet) -> String,
    read: fn(String) -> String,
}

impl Speaker {
    pub(crate) async fn python_osc(transport: Transport, port: u16) -> Self {
        let mut command = python("python_osc_peer.py");
        command.args(["client", transport.python_name(), &port.to_string()]);
        Self::started(command, Packet::to_string, |line| line).await
    }

    pub(crate) async fn osc4py3(port: u16) -> Self {
        let mut command = python("osc4py3_peer.py");
        command.args(["client", &port.to_string()]);
        Self::started(command, Packet::to_string, |line| line).await
    }

    /// liblo's library.
    pub(crate) async fn liblo(transport: Transport, port: u16) -> Self {
        let mut command = compiled_with_liblo("liblo_peer").await;
        command.args(["send", &transport.liblo_url(port)]);
        if transport.is_slip() {
            command.arg("slip");
        }
        Self::started(command, to_hex, |line| from_hex(&line)).await
    }

    async fn started(command: Command, write: fn(&Packet) -> String, read: fn(String) -> String) -> Self {
        Self { program: Program::ready(command).await.0, write, read }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// The library refuses to: the name of its error.
    pub(crate) async fn send(&mut self, packet: impl IntoPacket) -> Result<(), String> {
        self.program.tell(&(self.write)(&packet.into_packet().unwrap())).await;
        let answer = self.program.line().await;
        answer.strip_prefix("#refused ").map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    /// The next message that comes back to the peer's socket.
    pub(crate) async fn receive(&mut self) -> Message {
        self.program.tell("#receive").await;
        (self.read)(self.program.line().await).parse().unwrap()
    }
}
