//! The command line tool beside liblo's: each prints what the other sends, and plays what the other has recorded.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::liblo::{oscsend, without_time};
use crate::program::{Program, limited, run};
use crate::support::unused_address;

/// What can be said in the form of liblo's recordings.
const LINES: &str = "/a ,ifs 1 2.5 \"saw\"\n/b ,TFNI true false nil impulse\n/c ,hd 7 0.5\n";

fn osc(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osc"));
    command.args(args);
    command
}

/// A command of the tool that listens on a free port until it has had enough.
struct Listening {
    child: Child,
    url: String,
}

impl Listening {
    async fn start(command: &str, args: &[&str]) -> Self {
        let mut command = osc(&[&[command, "osc.udp://127.0.0.1:0/"], args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = limited("osc listens", notes.next_line()).await.unwrap().unwrap();
        let url = listening.strip_prefix("listening ").unwrap().to_owned();
        // Its later output must be read, or it would wait.
        tokio::spawn(async move { while let Ok(Some(_)) = notes.next_line().await {} });
        Self { child, url }
    }

    fn port(&self) -> u16 {
        self.url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
    }

    async fn stdout(self) -> String {
        let output = limited("osc ends", self.child.wait_with_output()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"))
}

async fn send_lines(url: &str, lines: &'static str) {
    let path = file(&format!("interop-lines-{}", url.trim_end_matches('/').rsplit(':').next().unwrap()));
    std::fs::write(&path, lines).unwrap();
    // A recording without times is sent at once.
    assert!(run(osc(&["replay", &path, url])).await.status.success());
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn osc_dump_prints_what_oscsend_and_osc_send_send() {
    let dump = Listening::start("dump", &["-n", "2"]).await;
    oscsend(dump.port(), &["/synth/1/freq", "fs", "440", "saw"]).await.unwrap();
    let sent = run(osc(&["send", &dump.url, "/synth/1/freq", "fs", "440", "saw"])).await;
    assert!(sent.status.success());
    let line = "/synth/1/freq ,fs 440 \"saw\"\n";
    assert_eq!(dump.stdout().await, line.repeat(2));
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn osc_replay_sends_what_oscdump_has_printed() {
    let free = unused_address();
    let mut command = Command::new("oscdump");
    command.args(["-L", &free.port().to_string()]);
    let mut oscdump = Program::start(command);
    // It does not say when it listens: the first message that it prints does.
    while oscsend(free.port(), &["/ready", "i", "0"]).await.is_ok() {
        tokio::select! {
            line = oscdump.line() => {
                assert_eq!(without_time(&line), "/ready i 0");
                break;
            }
            () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {}
        }
    }
    send_lines(&format!("osc.udp://{free}/"), LINES).await;
    let mut printed = String::new();
    while printed.lines().count() < LINES.lines().count() {
        let line = oscdump.line().await;
        if !line.contains("/ready") {
            printed.extend([&*line, "\n"]);
        }
    }
    let recording = file("interop-oscdump.txt");
    std::fs::write(&recording, printed).unwrap();

    let dump = Listening::start("dump", &["-n", "3"]).await;
    assert!(run(osc(&["replay", &recording, &dump.url])).await.status.success());
    assert_eq!(dump.stdout().await, LINES);
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn oscsendfile_sends_what_osc_record_has_written() {
    let recording = file("interop-oscsendfile.txt");
    let record = Listening::start("record", &[&recording, "-n", "3", "--format", "oscdump"]).await;
    send_lines(&record.url, LINES).await;
    record.stdout().await;

    let dump = Listening::start("dump", &["-n", "3"]).await;
    let mut oscsendfile = Command::new("oscsendfile");
    oscsendfile.args(["127.0.0.1", &dump.port().to_string(), &recording]);
    assert!(run(oscsendfile).await.status.success());
    // It sends each message in a bundle of its own.
    let printed = dump.stdout().await;
    let messages: Vec<&str> = printed.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(messages, LINES.lines().collect::<Vec<_>>());
}
