//! Two processes whose clocks differ by a quarter of a second. One measures the clock of the other, and sends it a cue
//! that runs at the right time.
//!
//! The example starts the other process itself:
//!
//! ```sh
//! cargo run --example clock_sync
//! ```

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio_osc::schedule::{Clock, Reading, SystemClock};
use tokio_osc::tools::{ClockSync, TimedSender};
use tokio_osc::{Channel, Client, Meta, Router, Server};

/// The clock of a machine that was never set.
#[derive(Debug)]
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> Reading {
        let Reading { wall, monotonic } = SystemClock.now();
        Reading { wall: wall + Duration::from_millis(250), monotonic }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("stage") => stage().await,
        _ => desk().await,
    }
}

/// The machine on the stage: replies with its time, runs cues, and ends with its standard input.
async fn stage() -> Result<(), Box<dyn Error>> {
    let cues = Router::new().route("/cue/go", |meta: Meta| {
        ("/cue/went", (meta.lateness.as_secs_f64(), meta.schedule_id().is_some()))
    });
    let channel = Channel::udp("127.0.0.1:0").await?;
    println!("{}", channel.local_addr()?);
    let router = cues.merge(ClockSync::responder(Ahead));
    let server = Server::new(router).clock(Ahead).listen("udp", channel).spawn();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    server.shutdown().await;
    Ok(())
}

/// The desk, from which the show is run.
async fn desk() -> Result<(), Box<dyn Error>> {
    let mut stage = Command::new(std::env::current_exe()?)
        .arg("stage")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = stage.stdout.take().ok_or("the stage has no output")?;
    let address = BufReader::new(output).lines().next().ok_or("the stage said nothing")??;
    let client = Client::udp(address).await?;

    let estimate = ClockSync::new(client.clone()).measure().await?;
    println!("our clock minus the stage's: {} ± {:?}", estimate.offset, estimate.error);
    println!("quickest of {} answers: {:?}", estimate.answers, estimate.round_trip);

    for (name, offset) in [("without", tokio_osc::packet::ClockOffset::ZERO), ("with", estimate.offset)] {
        let sender = TimedSender::new(client.clone()).clock_offset(offset);
        let in_100_ms = SystemClock.now().wall + Duration::from_millis(100);
        let reply = client.request(sender.bundle_at(in_100_ms, ("/cue/go", ()))?, "/cue/went").await?;
        let (late, waited): (f64, bool) = reply.parse()?;
        println!("{name:>7} the offset the cue was {:.1} ms late; it waited: {waited}", late * 1e3);
    }

    drop(stage.stdin.take());
    stage.wait()?;
    Ok(())
}
