//! A gateway for sensors over a network with varying delay. Each reading is tagged with its time; the gateway runs all of
//! them 100 ms later, in the order of their tags, and drops those that arrive after that.
//!
//! ```text
//! cargo run --example sensor_gateway
//! ```

use std::time::{Duration, SystemTime};

use tokio::time::sleep;
use tokio_osc::schedule::{LatePolicy, TimeOptions};
use tokio_osc::tools::TimedSender;
use tokio_osc::{Args, Captures, Channel, Client, Error, Router, Server};

/// The longest network delay of a reading.
const WINDOW: Duration = Duration::from_millis(100);

fn reading(Captures(sensor): Captures<String>, Args((number, celsius)): Args<(u8, f32)>) {
    println!("{sensor}: reading {number}, {celsius:.1} °C");
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let channel = Channel::udp("127.0.0.1:0").await?;
    let sensor = TimedSender::new(Client::udp(channel.local_addr()?).await?);
    let router = Router::new().route("/sensor/*/temperature", reading);
    let time = TimeOptions::new().delay(WINDOW).late(LatePolicy::DropLateArrivals(Duration::ZERO));
    let gateway = Server::new(router).time(time).listen("sensors", channel).spawn();

    // The network delay of each reading, in milliseconds: most overtake others, the fourth is too late.
    for (number, way) in (1_u8..).zip([50, 5, 30, 200, 1, 10]) {
        let (sensor, taken) = (sensor.clone(), SystemTime::now());
        tokio::spawn(async move {
            sleep(Duration::from_millis(way)).await;
            if let Err(error) =
                sensor.send_at(taken, ("/sensor/hall 2/temperature", (number, 20.5_f32))).await
            {
                eprintln!("reading {number} was not sent: {error}");
            }
        });
        sleep(Duration::from_millis(2)).await;
    }
    sleep(Duration::from_millis(300)).await;

    let stats = gateway.shutdown().await;
    println!("{} readings in order, {} too late", stats.handled, stats.late_dropped);
    Ok(())
}
