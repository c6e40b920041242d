//! The command line tool beside liblo's: each prints what the other sends.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::liblo::oscsend;
use crate::program::{limited, run};

fn osc(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osc"));
    command.args(args);
    command
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn osc_dump_prints_what_oscsend_and_osc_send_send() {
    let mut dump = osc(&["dump", "osc.udp://127.0.0.1:0/", "-n", "2"]);
    let mut dump = dump.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut complaints = BufReader::new(dump.stderr.take().unwrap()).lines();
    let listening = limited("osc dump", complaints.next_line()).await.unwrap().unwrap();
    let url = listening.strip_prefix("listening ").unwrap();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();

    oscsend(port, &["/synth/1/freq", "fs", "440", "saw"]).await.unwrap();
    let sent = run(osc(&["send", url, "/synth/1/freq", "fs", "440", "saw"])).await;
    assert!(sent.status.success());

    let output = limited("osc dump", dump.wait_with_output()).await.unwrap();
    let line = "/synth/1/freq ,fs 440 \"saw\"\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), line.repeat(2));
}
