//! `in_a_service` as a process of its own: values set over OSC are read over HTTP and the other way round, a
//! console over TCP receives both, and one SIGINT shuts all of it down.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio_osc::{Message, Packet};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_service_speaks_both_and_ends_both_on_sigint() {
    let mut service = Service::start();
    let (http, osc) = (service.address("http://"), service.address("osc.udp://"));

    assert_eq!(set(osc, "/fader/3", 0.5), "/fader/3 ,f 0.5");
    let seen = ask(http, "GET /fader/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(seen.starts_with("HTTP/1.1 200 ") && seen.ends_with("\r\n0.5"), "{seen}");
    let unseen = ask(http, "GET /fader/4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(unseen.starts_with("HTTP/1.1 404 "), "{unseen}");

    // A request that is being handled when the signal comes: its body is still to follow.
    let mut open = connect(http);
    let head = "PUT /fader/4 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    open.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    open.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    while !service.catches(Signal::INT) {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&service.child), Signal::INT).unwrap();
    assert_eq!(service.line(), "the OSC server has stopped, 1 messages handled");
    UdpSocket::bind(osc).expect("its port is free");
    open.write_all(b"0.25").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert_eq!(service.line(), "the HTTP server has stopped");
    assert!(service.child.wait().unwrap().success());
    assert!(service.out.next().is_none());
    let received = service.console.take().unwrap().join().unwrap();
    for message in ["/fader/3", "/fader/4"] {
        assert!(received.windows(8).any(|bytes| bytes == message.as_bytes()), "{message} in {received:?}");
    }
    assert!(TcpStream::connect(http).is_err(), "the port is closed");
}

struct Service {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    /// What the console has heard when its connection has ended.
    console: Option<JoinHandle<Vec<u8>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let console = listener.local_addr().unwrap().to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_in_a_service"))
            .args(["127.0.0.1:0", "127.0.0.1:0", &console])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let console = Some(std::thread::spawn(move || hear(&listener)));
        Self { child, out, console }
    }

    fn line(&mut self) -> String {
        self.out.next().expect("it says something").unwrap()
    }

    /// Whether the process has a handler for a signal.
    fn catches(&self, signal: Signal) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
    }

    fn address(&mut self, scheme: &str) -> SocketAddr {
        let line = self.line();
        let (address, _) = line.strip_prefix(scheme).unwrap().split_once('/').unwrap();
        address.parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that comes on one connection.
fn hear(listener: &TcpListener) -> Vec<u8> {
    let mut heard = Vec::new();
    listener.accept().unwrap().0.read_to_end(&mut heard).unwrap();
    heard
}

/// Sets a fader by OSC, and waits for the answer.
fn set(osc: SocketAddr, address: &str, level: f32) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(Message::new(address, level).unwrap().as_bytes(), osc).unwrap();
    let mut datagram = [0; 1_024];
    let (length, from) = socket.recv_from(&mut datagram).unwrap();
    assert_eq!(from, osc);
    Packet::decode(datagram[..length].to_vec().into()).unwrap().to_string()
}

fn connect(http: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn ask(http: SocketAddr, request: &str) -> String {
    let mut stream = connect(http);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
