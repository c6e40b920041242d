//! The tour: a server with typed handlers, a client, a timed bundle, a reply. It uses the loopback interface, prints what
//! happens, and ends by itself.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio_osc::{Args, Bundle, Captures, Channel, Client, Meta, Router, Server, State, TimeTag};

/// Receives messages to any voice. The number of the voice is a part of the address.
async fn freq(
    State(hits): State<AtomicU32>,
    Captures(voice): Captures<u32>,
    Args((hz, wave)): Args<(f32, String)>,
    meta: Meta,
) {
    hits.fetch_add(1, Relaxed);
    let when = match meta.time_tag {
        Some(_) => format!("{:.1?} after its time", meta.lateness),
        None => "as soon as it came".to_owned(),
    };
    println!("   handler: voice {voice} plays {hz} Hz as \"{wave}\", {when}");
}

/// The return value of a handler goes to the sender.
async fn ping(Args(n): Args<i32>) -> (&'static str, i32) {
    ("/pong", n)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("1. A router: two routes, one of them a pattern, and a counter that handlers share.");
    let router = Router::with_state(AtomicU32::new(0)).route("/synth/*/freq", freq).route("/ping", ping);

    let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await?).spawn();
    let address = server.local_addr("udp").ok_or("the channel has no address")?;
    println!("2. A server listens at osc.udp://{address}/");

    let client = Client::udp(address).await?;
    println!("3. A client sends /synth/1/freq 440 \"saw\"");
    client.send(("/synth/1/freq", (440.0_f32, "saw"))).await?;

    let reply = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(500)).await?;
    println!("4. It asks /ping 7 and gets the reply: {reply}");

    println!("5. It sends a message whose arguments do not fit, and a pattern that meets no route");
    client.send(("/synth/1/freq", "loud")).await?;
    client.send(("/mixer/*", ())).await?;

    println!("6. It sends a bundle that is to run in 200 ms, and one message after it");
    let later = TimeTag::after(Duration::from_millis(200));
    client.send(Bundle::at(later).with(("/synth/2/freq", (220.0_f32, "later")))).await?;
    client.send(("/synth/3/freq", (330.0_f32, "sooner"))).await?;

    tokio::time::sleep(Duration::from_millis(300)).await;
    println!("7. The server shuts down, and says what it has done:");
    print!("{}", server.shutdown().await);
    Ok(())
}
