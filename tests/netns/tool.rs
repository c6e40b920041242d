//! `osc send` and `osc dump` between hosts: groups by interface and scope, TTL, broadcast. It takes
//! root and iproute2, on Linux; without root a test prints that it is skipped.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::capture::Capture;
use crate::lab::Lab;

fn osc(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osc"));
    command.args(args);
    command
}

/// `osc dump` on a host, once it listens.
fn dump(lab: &Lab, host: &str, url: &str) -> Child {
    lab.on(host, || {
        let mut command = osc(&["dump", url, "-n", "1", "--timeout", "10"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening "), "{url}: {line}");
        child
    })
}

fn send(lab: &Lab, url: &str) -> Result<(), String> {
    let output = lab.on("a", || osc(&["send", url, "/scene", "i", "3"]).output().unwrap());
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[test]
fn groups_and_broadcasts_reach_every_host() {
    let Some(lab) = Lab::three_hosts() else { return };
    let capture = lab.on("b", Capture::new);
    for (listen, to, address, hops) in [
        (
            "osc.udp://239.77.1.1:9000/?interface=eth0",
            "osc.udp://239.77.1.1:9000/?interface=eth0&ttl=3",
            "239.77.1.1:9000",
            3,
        ),
        ("osc.udp://[ff02::77%eth0]:9001/", "osc.udp://[ff02::77%eth0]:9001/", "[ff02::77]:9001", 1),
        (
            "osc.udp://[ff05::77]:9002/?interface=eth0",
            "osc.udp://[ff05::77]:9002/?interface=eth0&ttl=5",
            "[ff05::77]:9002",
            5,
        ),
        (
            "osc.udp://10.77.0.255:9003/?broadcast=true",
            "osc.udp://10.77.0.255:9003/?broadcast=true&ttl=7",
            "10.77.0.255:9003",
            7,
        ),
        (
            "osc.udp://255.255.255.255:9004/?broadcast=true",
            "osc.udp://255.255.255.255:9004/?broadcast=true&interface=eth0",
            "255.255.255.255:9004",
            64,
        ),
        ("osc.udp://10.77.0.2:9005/", "osc.udp://10.77.0.2:9005/?ttl=9", "10.77.0.2:9005", 9),
    ] {
        let hosts: &[&str] = if address.starts_with("10.77.0.2:") { &["b"] } else { &["b", "c"] };
        let dumps: Vec<_> = hosts.iter().map(|host| dump(&lab, host, listen)).collect();
        send(&lab, to).unwrap_or_else(|error| panic!("{to}: {error}"));
        assert_eq!(capture.next_to(address.parse().unwrap()).hops, hops, "{to}");
        for dump in dumps {
            let output = dump.wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), "/scene ,i 3\n", "{listen}");
        }
    }
}

#[test]
fn an_error_names_the_missing_option() {
    let Some(lab) = Lab::three_hosts() else { return };
    let error = send(&lab, "osc.udp://10.77.0.255:9000/").unwrap_err();
    assert!(error.contains("?broadcast=true"), "{error}");
    let error = send(&lab, "osc.udp://[ff02::77]:9000/").unwrap_err();
    assert!(error.starts_with("osc: osc.udp://[ff02::77]:9000/: "), "{error}");
    let error = send(&lab, "osc.udp://239.77.1.1:9000/?interface=eth7").unwrap_err();
    assert!(error.contains("eth7"), "{error}");
}
