//! Two ported programs: the receive loop of a program that used rosc, and the simple server of python-osc's manual. The
//! original of each line is above it.
//!
//! ```text
//! cargo run --example ported
//! ```

use std::time::Duration;

use tokio_osc::dispatch::Extra;
use tokio_osc::{Args, Bundle, Channel, Client, Error, Message, Router, Server, on};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // rosc: let socket = UdpSocket::bind(addr)?; let mut buf = [0; rosc::decoder::MTU];
    let channel = Channel::udp("127.0.0.1:0").await?;
    let client = Client::udp(channel.local_addr()?).await?;
    client.send(("/gain", 0.5_f32)).await?;
    client.send(Bundle::immediately().with(("/name", "lead")).with(("/quit", ()))).await?;
    receive(channel).await?;

    // python-osc: server = BlockingOSCUDPServer((ip, port), dispatcher)
    let channel = Channel::udp("127.0.0.1:0").await?;
    let client = Client::udp(channel.local_addr()?).await?;
    // python-osc: server.serve_forever()
    let server = Server::new(dispatcher()).listen("udp", channel).spawn();
    client.send(("/filter", (1, "low"))).await?;
    client.send(("/volume", 0.8_f32)).await?;
    client.send(("/logvolume", 100.0_f32)).await?;
    client.send(("/logvolume", "loud")).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown().await;
    Ok(())
}

async fn receive(mut channel: Channel) -> Result<(), Error> {
    // rosc: loop { let (size, from) = socket.recv_from(&mut buf)?; …
    while let Some((packet, meta)) = channel.recv().await {
        // rosc: let (_, packet) = decoder::decode_udp(&buf[..size]).unwrap(); …a function that calls itself for bundles
        for message in packet?.messages() {
            // rosc: match (msg.addr.as_str(), &msg.args[..]) { ("/gain", [OscType::Float(gain)]) => …
            match message.address().to_str() {
                Ok("/gain") => println!("gain {} from {}", message.parse::<f32>()?, meta.peer),
                Ok("/quit") => return Ok(()),
                _ => println!("{message}"),
            }
        }
    }
    Ok(())
}

fn dispatcher() -> Router {
    Router::new()
        // python-osc: dispatcher.map("/filter", print)
        .route("/filter", |message: Message| println!("{message}"))
        // python-osc: dispatcher.map("/volume", print_volume_handler, "Volume")
        .route("/volume", on(print_volume).extra("Volume"))
        // python-osc: dispatcher.map("/logvolume", print_compute_handler, "Log volume", math.log)
        .route("/logvolume", on(print_compute).extra(Compute { name: "Log volume", function: f32::ln }))
        // python-osc: try: … except ValueError: pass
        .on_reject(|_, _, rejection| println!("{rejection}"))
}

fn print_volume(Extra(name): Extra<&'static str>, Args(volume): Args<f32>) {
    println!("[{name}] ~ {volume}");
}

struct Compute {
    name: &'static str,
    function: fn(f32) -> f32,
}

fn print_compute(Extra(compute): Extra<Compute>, Args(volume): Args<f32>) {
    println!("[{}] ~ {:.3}", compute.name, (compute.function)(volume));
}
