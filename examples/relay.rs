//! A relay between UDP and TCP with SLIP, in both directions: it connects a tablet that supports only UDP to a mixer that
//! supports only TCP. It ends by itself.
//!
//! ```text
//! cargo run --example relay
//! ```

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_osc::tools::Relay;
use tokio_osc::{Args, Bundle, Captures, Channel, Router, Server, Slip, State, TimeTag};

async fn heard(
    State(moved): State<mpsc::Sender<()>>,
    Captures(fader): Captures<u32>,
    Args(value): Args<f32>,
) {
    println!("  the tablet hears that fader {fader} is at {value}");
    // The receiver is gone when the program ends.
    let _ = moved.send(()).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A mixer with TCP, which reports when one of its faders has moved.
    let mixer = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    let mixer_address = mixer.local_addr()?;
    let router = Router::new().route("/fader/*", |Captures(fader): Captures<u32>, Args(value): Args<f32>| {
        println!("  the mixer moves fader {fader} to {value}");
        (format!("/moved/{fader}"), value)
    });
    let mixer = Server::new(router).listen("tcp", mixer).spawn();

    // A tablet with UDP, which receives on the port that it sends from.
    let tablet = Channel::udp("127.0.0.1:0").await?;
    let tablet_address = tablet.local_addr()?;
    let desk = Channel::udp("127.0.0.1:0").await?;
    let to_desk = tablet.client_to(desk.local_addr()?)?;
    let (moved, mut all_moved) = mpsc::channel(3);
    let router = Router::with_state(moved).route("/moved/*", heard);
    let tablet = Server::new(router).listen("udp", tablet).spawn();

    // Between them, the relay. On the mixer's side it is one connection, joined both ways; on the
    // tablet's side one socket, which receives as "desk" and sends to "tablet".
    let connection = tokio::net::TcpStream::connect(mixer_address).await?;
    let relay = Relay::new()
        .only("/fader/*")?
        .only("/moved/*")?
        .to("tablet", desk.client_to(tablet_address)?)
        .from("desk", desk)
        .both_ways("mixer", Channel::io(connection, Slip::new()))
        .spawn();

    to_desk.send(("/fader/1", 0.25_f32)).await?;
    to_desk.send(("/secret", "stays on this side")).await?;
    // The time tag arrives unchanged: the mixer waits, not the relay.
    let soon = TimeTag::after(Duration::from_millis(50));
    to_desk.send(Bundle::at(soon).with(("/fader/2", 0.5_f32)).with(("/fader/3", 0.75_f32))).await?;
    for _ in 0..3 {
        all_moved.recv().await;
    }

    let counts = relay.shutdown().await;
    println!("{} packets received, {} kept back", counts.received, counts.filtered);
    for to in counts.to {
        println!("  {}: {} sent, {} came from there", to.name, to.sent, to.returned);
    }
    tablet.shutdown().await;
    mixer.shutdown().await;
    Ok(())
}
