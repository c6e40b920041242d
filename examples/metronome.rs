//! A metronome over the network: clicks are sent 60 ms ahead, over a network that delays each by 5 to 45 ms, and run on
//! the beat. It ends by itself after three seconds.
//!
//! ```sh
//! cargo run --example metronome
//! cargo run --example metronome --features fine
//! ```

use std::time::Duration;

use tokio_osc::schedule::Precision;
use tokio_osc::tools::{Ticker, TimedSender};
use tokio_osc::{Args, Channel, Client, Meta, Router, Server};

const BEATS: u64 = 60;
const PERIOD: Duration = Duration::from_millis(50);
const LOOKAHEAD: Duration = Duration::from_millis(60);

#[cfg(feature = "fine")]
const PRECISION: Precision = Precision::Fine;
#[cfg(not(feature = "fine"))]
const PRECISION: Precision = Precision::Tokio;

fn click(Args(beat): Args<i32>, Meta { lateness, .. }: Meta) {
    if beat % 10 == 0 {
        println!("beat {beat:>2}, {:>4} µs late", lateness.as_micros());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let channel = Channel::udp("127.0.0.1:0").await?;
    let sender = TimedSender::new(Client::udp(channel.local_addr()?).await?);
    let router = Router::new().route("/click", click);
    let server = Server::new(router).listen("udp", channel).precision(PRECISION).spawn();

    let mut ticker = Ticker::new(PERIOD).lookahead(LOOKAHEAD);
    for _ in 0..BEATS {
        let tick = ticker.tick().await;
        // The delays do not matter as long as the lookahead covers them.
        let on_the_way = Duration::from_millis(5 + tick.number * 17 % 40);
        let sender = sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(on_the_way).await;
            let beat = i32::try_from(tick.number).unwrap_or(i32::MAX);
            if let Err(error) = sender.send_at(tick.due, ("/click", beat)).await {
                eprintln!("beat {beat} was not sent: {error}");
            }
        });
    }
    tokio::time::sleep(LOOKAHEAD + PERIOD).await;

    let stats = server.shutdown().await;
    let lateness = stats.schedule.lateness;
    println!("\nlateness of {} clicks, by {PRECISION:?}:\n{lateness}", lateness.count());
    println!("{} came too late to wait for their time", stats.schedule.late);
    Ok(())
}
