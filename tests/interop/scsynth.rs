//! The `scsynth` of `SuperCollider`, with JACK's dummy driver: answers that the arguments tell apart, and a server
//! that restarts.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_osc::client::ClientState;
use tokio_osc::{Bytes, Client, LengthPrefix};

use super::program::limited;
use crate::support::unused_port;

/// Makes the names of audio servers differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// `scsynth` and the audio server that it needs.
struct Scsynth {
    jack_name: String,
    jack: Child,
    synth: Option<Child>,
    port: u16,
}

impl Scsynth {
    /// Starts both; `None` where one of them is not installed, which is printed.
    async fn start(transport: &str, port: u16) -> Option<Self> {
        for program in ["scsynth", "jackd"] {
            let found = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.await.is_err() {
                println!("skipped: {program} is not installed (Debian: supercollider-server, jackd2)");
                return None;
            }
        }
        let jack_name =
            format!("tokio-osc-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut jack = Command::new("jackd");
        jack.args(["-r", "--name", &jack_name, "-d", "dummy", "-r", "48000", "-p", "256"]);
        let jack = jack.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut started = Self { jack_name, jack, synth: None, port };
        started.start_synth(transport).await;
        Some(started)
    }

    async fn start_synth(&mut self, transport: &str) {
        // JACK may need a moment before it lets anyone in: `scsynth` ends then, and is started again.
        for _ in 0..50 {
            let mut command = Command::new("scsynth");
            command.args([transport, &self.port.to_string(), "-B", "127.0.0.1"]);
            command.env("JACK_DEFAULT_SERVER", &self.jack_name).env("JACK_NO_START_SERVER", "1");
            let command = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
            let mut child = command.spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            while let Ok(Some(line)) = limited("scsynth says something", lines.next_line()).await {
                if line.contains("server ready") {
                    // Its later output must be read, or it would wait.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    self.synth = Some(child);
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("scsynth does not start");
    }

    async fn restart(&mut self, transport: &str) {
        self.synth.take().unwrap().kill().await.unwrap();
        self.start_synth(transport).await;
    }
}

impl Drop for Scsynth {
    /// Asks both to end. JACK has places for eight servers, and one that is killed keeps its place; and it can
    /// hang at its end when a client of it was killed a moment before.
    fn drop(&mut self) {
        if let Some(synth) = &mut self.synth {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let _ = socket.send_to(b"/quit\0\0\0,\0\0\0", (Ipv4Addr::LOCALHOST, self.port));
            ended(synth);
        }
        let pid = self.jack.id().unwrap_or_default().to_string();
        let _ = std::process::Command::new("kill").arg(pid).status();
        ended(&mut self.jack);
        let _ = std::fs::remove_file(format!("/dev/shm/SuperColliderServer_{}", self.port));
    }
}

/// Waits until a program has ended, for at most five seconds.
fn ended(child: &mut Child) {
    let mut ticks = 0..500;
    while matches!(child.try_wait(), Ok(None)) && ticks.next().is_some() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A definition with one control, `freq`, and no sound.
fn definition() -> Bytes {
    let mut bytes = b"SCgf\0\0\0\x01\0\x01\x05quiet".to_vec();
    bytes.extend_from_slice(b"\0\0\0\x01");
    bytes.extend_from_slice(&440_f32.to_be_bytes());
    bytes.extend_from_slice(b"\0\x01\x04freq\0\0");
    // One unit: a control at control rate, without input, with one output.
    bytes.extend_from_slice(b"\0\x01\x07Control\x01\0\0\0\x01\0\0\x01\0\0");
    bytes.into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs supercollider-server and jackd2"]
async fn scsynth_answers_requests_in_parallel_each_by_its_arguments() {
    let port = unused_port();
    let Some(_scsynth) = Scsynth::start("-u", port).await else { return };
    let client = Client::udp((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let syncs = (0..50).map(|n| client.request(("/sync", n), "/synced").echoing((n,)).into_future());
    for (n, synced) in (0..).zip(join_all(syncs).await) {
        assert_eq!(synced.unwrap().parse::<i32>().unwrap(), n);
    }
    // Only a client that sent `/notify` gets `/n_info`.
    client.request(("/notify", 1), "/done").await.unwrap();
    let loaded = client.request(("/d_recv", definition()), "/{done,fail}").await.unwrap();
    assert_eq!(loaded.to_string(), r#"/done ,s "/d_recv""#);
    for node in 1_000..1_020 {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        client.send(("/s_new", ("quiet", node, 0, 0, "freq", node as f32))).await.unwrap();
    }
    client.request(("/sync", 99), "/synced").echoing((99,)).await.unwrap();
    // All answers are `/n_set` and `/n_info`: their first argument tells them apart.
    let asking = (1_000..1_020).rev().map(|node| {
        let freq = client.request(("/s_get", (node, "freq")), "/n_set").echoing((node,));
        let info = client.request(("/n_query", node), "/n_info").matching(move |info| {
            info.parse::<(i32, tokio_osc::packet::Rest)>().is_ok_and(|(of, _)| of == node)
        });
        async move { (node, freq.await.unwrap(), info.await.unwrap()) }
    });
    for (node, freq, info) in join_all(asking).await {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let expected = (node, "freq".to_owned(), node as f32);
        assert_eq!(freq.parse::<(i32, String, f32)>().unwrap(), expected);
        assert_eq!(info.to_string(), format!("/n_info ,iiiii {node} 0 {}", neighbours(node)));
    }
}

/// New nodes stand at the head of their group.
fn neighbours(node: i32) -> String {
    let next = if node > 1_000 { node - 1 } else { -1 };
    let previous = if node < 1_019 { node + 1 } else { -1 };
    format!("{previous} {next} 0")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs supercollider-server and jackd2"]
async fn a_restart_of_scsynth_is_survived_over_tcp_and_over_udp() {
    let port = unused_port();
    let Some(mut scsynth) = Scsynth::start("-t", port).await else { return };
    let client = Client::reconnecting((Ipv4Addr::LOCALHOST, port), LengthPrefix::new())
        .on_connect(("/notify", 1))
        .backoff(Duration::from_millis(20), Duration::from_millis(100));
    let mut done = client.subscribe("/done");
    let client = client.spawn().unwrap();
    let mut states = client.states();
    for round in 0..3 {
        while !matches!(limited("the state", states.recv()).await.unwrap(), ClientState::Connected) {}
        let notified = limited("the answer to /notify", done.recv()).await.unwrap();
        assert!(notified.to_string().starts_with(r#"/done ,sii "/notify""#), "{notified}");
        let synced = client.request(("/sync", round), "/synced").echoing((round,)).await.unwrap();
        assert_eq!(synced.parse::<i32>().unwrap(), round);
        scsynth.restart("-t").await;
    }

    scsynth.restart("-u").await;
    let client = Client::udp((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let mut done = client.subscribe("/done");
    let registered = client.keep_alive(Duration::from_millis(100), ("/notify", 1)).unwrap();
    for _ in 0..2 {
        limited("the answer to /notify", done.recv()).await.unwrap();
        scsynth.restart("-u").await;
    }
    limited("the answer of the new one", done.recv()).await.unwrap();
    client.request(("/sync", 7), "/synced").echoing((7,)).retries(2).await.unwrap();
    drop(registered);
}
