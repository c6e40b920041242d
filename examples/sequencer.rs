//! A sequencer that plays four voices over the network: each step is one message to a pattern, `{1,3}` or
//! `*`, in a bundle that is sent ahead and runs on the beat.
//!
//! ```text
//! cargo run --example sequencer
//! ```

use std::time::Duration;

use tokio_osc::tools::Ticker;
use tokio_osc::{Args, Bundle, Captures, Channel, Client, Error, Meta, Router, Server, on};

const STEP: Duration = Duration::from_millis(120);
const LOOKAHEAD: Duration = Duration::from_millis(60);

/// The voices, and the note.
const SCORE: [(&str, u8); 5] = [
    ("/synth/1/note", 48),
    ("/synth/{1,3}/note", 60),
    ("/synth/[2-4]/note", 64),
    ("/synth/[!1]/note", 67),
    ("/synth/*/note", 72),
];

/// One call for each voice that the sender's pattern reaches, with the number of the voice.
fn note(Captures(voice): Captures<u8>, Args(note): Args<u8>, Meta { lateness, .. }: Meta) {
    let on_time = if lateness < Duration::from_millis(10) { "on time" } else { "late" };
    println!("   voice {voice} plays note {note}, {on_time}");
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let channel = Channel::udp("127.0.0.1:0").await?;
    let synth = Client::udp(channel.local_addr()?).await?;
    let router = Router::new().route("/synth/*/note", on(note).instances(1..=4));
    let server = Server::new(router).listen("synth", channel).spawn();

    let mut ticker = Ticker::new(STEP).lookahead(LOOKAHEAD);
    for (voices, note) in SCORE {
        let tick = ticker.tick().await;
        println!("step {} is sent ahead: {voices}", tick.number);
        synth.send(Bundle::at(tick.tag).with((voices, note))).await?;
    }
    tokio::time::sleep(LOOKAHEAD + STEP).await;
    println!("{} notes", server.shutdown().await.handled);
    Ok(())
}
