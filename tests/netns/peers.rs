//! Groups between hosts, with other OSC software at one end. It takes root and iproute2, on Linux,
//! and the peers: liblo's tools, Python. Without root, or without a peer, a test prints that it is
//! skipped.
#![cfg(all(feature = "net", target_os = "linux"))]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use futures::StreamExt;
use tokio::time::timeout;
use tokio_osc::{Channel, Multicast};

use crate::lab::{Lab, SOON};

const GROUP: ([u8; 4], u16) = ([239, 77, 1, 1], 9_000);
/// The group as `/proc/net/igmp` writes it.
const GROUP_IN_PROC: &str = "01014DEF";

/// Sends one message to the group, with no more than the standard library.
const PYTHON_SENDER: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))
s.sendto(b"/scene\0\0,i\0\0\0\0\0\3", ("239.77.1.1", 9000))
"#;

/// Prints one datagram of the group.
const PYTHON_RECEIVER: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("239.77.1.1", 9000))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.77.1.1") + socket.inet_aton("10.77.0.2"))
print(s.recv(65536))
"#;

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        println!("skipped: {program} is not installed");
    }
    found.is_ok()
}

fn hosts_with_routes() -> Option<Lab> {
    let lab = Lab::three_hosts()?;
    for host in ["a", "b", "c"] {
        lab.ip(host, "route add 224.0.0.0/4 dev eth0");
    }
    Some(lab)
}

fn members(lab: &Lab) -> [Channel; 2] {
    ["b", "c"].map(|host| lab.on(host, || Multicast::new(GROUP).interface("eth0").join().unwrap()))
}

async fn heard(channel: &mut Channel) -> String {
    let (packet, _) = timeout(SOON, channel.next()).await.expect("a packet comes").unwrap();
    packet.unwrap().to_string()
}

/// Runs a program on a host that listens to the group, and gives the first line that it prints of
/// what we send.
async fn told_by(lab: &Lab, command: &mut Command) -> String {
    let mut child = Killed(lab.on("b", || command.stdout(Stdio::piped()).spawn().unwrap()));
    let memberships = format!("/proc/{}/net/igmp", child.0.id());
    let begin = Instant::now();
    while !std::fs::read_to_string(&memberships).unwrap().contains(GROUP_IN_PROC) {
        assert!(begin.elapsed() < SOON, "the peer does not join");
        std::thread::yield_now();
    }
    let client = lab.on("a", || Multicast::new(GROUP).interface("eth0").client().unwrap());
    client.send(("/scene", 3)).await.unwrap();
    let stdout = child.0.stdout.take().unwrap();
    let line = tokio::task::spawn_blocking(|| BufReader::new(stdout).lines().next().unwrap().unwrap());
    timeout(SOON, line).await.expect("the peer prints").unwrap()
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn liblo_sends_to_a_group_that_we_hear() {
    if !is_there("oscsend") {
        return;
    }
    let Some(lab) = hosts_with_routes() else { return };
    let mut members = members(&lab);
    let command = || Command::new("oscsend").args(["osc.udp://239.77.1.1:9000", "/scene", "i", "3"]).status();
    assert!(lab.on("a", command).unwrap().success());
    for member in &mut members {
        assert_eq!(heard(member).await, "/scene ,i 3");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn liblo_hears_a_group_that_we_send_to() {
    if !is_there("oscdump") {
        return;
    }
    let Some(lab) = hosts_with_routes() else { return };
    let line = told_by(&lab, Command::new("oscdump").args(["-L", "osc.udp://239.77.1.1:9000"])).await;
    assert!(line.ends_with("/scene i 3"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sends_to_a_group_that_we_hear() {
    if !is_there("python3") {
        return;
    }
    let Some(lab) = hosts_with_routes() else { return };
    let mut members = members(&lab);
    let command = || Command::new("python3").args(["-c", PYTHON_SENDER]).status();
    assert!(lab.on("a", command).unwrap().success());
    for member in &mut members {
        assert_eq!(heard(member).await, "/scene ,i 3");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_hears_a_group_that_we_send_to() {
    if !is_there("python3") {
        return;
    }
    let Some(lab) = hosts_with_routes() else { return };
    let line = told_by(&lab, Command::new("python3").args(["-c", PYTHON_RECEIVER])).await;
    assert_eq!(line, r"b'/scene\x00\x00,i\x00\x00\x00\x00\x00\x03'");
}
