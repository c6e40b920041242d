//! The peers, each in its two parts: a listener prints what we send, a speaker sends what we say.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use tokio_osc::{Client, IntoPacket, Message};

use super::program::{Program, python};

/// A peer that prints a line for each message that it hears.
pub(crate) struct Listener {
    program: Program,
    /// Sends to the peer.
    pub(crate) client: Client,
    marks: i32,
}

impl Listener {
    pub(crate) async fn python_osc() -> Self {
        Self::driver("python_osc_peer.py").await
    }

    pub(crate) async fn osc4py3() -> Self {
        Self::driver("osc4py3_peer.py").await
    }

    async fn driver(name: &str) -> Self {
        let mut command = python(name);
        command.arg("serve");
        let (program, port) = Program::ready(command).await;
        Self { program, client: client_of(port).await, marks: 0 }
    }

    /// `oscdump` does not say when it is ready, nor can it choose a port: it is given a free one, and
    /// asked until it answers.
    pub(crate) async fn oscdump() -> Self {
        for _ in 0..3 {
            let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let mut command = Command::new("oscdump");
            command.args(["-L", &format!("osc.udp://:{port}")]);
            let program = Program::start(command);
            let mut listener = Self { program, client: client_of(port).await, marks: 0 };
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
        self.program.line().await
    }
}

async fn client_of(port: u16) -> Client {
    Client::udp((Ipv4Addr::LOCALHOST, port)).await.unwrap()
}

/// A peer that sends what it is told, from one socket.
pub(crate) struct Speaker {
    program: Program,
}

impl Speaker {
    pub(crate) async fn python_osc(port: u16) -> Self {
        Self::driver("python_osc_peer.py", port).await
    }

    pub(crate) async fn osc4py3(port: u16) -> Self {
        Self::driver("osc4py3_peer.py", port).await
    }

    async fn driver(name: &str, port: u16) -> Self {
        let mut command = python(name);
        command.args(["client", &port.to_string()]);
        Self { program: Program::ready(command).await.0 }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// The library refuses to: the name of its error.
    pub(crate) async fn send(&mut self, packet: impl IntoPacket) -> Result<(), String> {
        self.program.tell(&packet.into_packet().unwrap().to_string()).await;
        let answer = self.program.line().await;
        answer.strip_prefix("#refused ").map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    /// The next message that comes back to the peer's socket.
    pub(crate) async fn receive(&mut self) -> Message {
        self.program.tell("#receive").await;
        self.program.line().await.parse().unwrap()
    }
}
