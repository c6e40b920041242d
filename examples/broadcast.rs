//! Broadcast: every host of a network receives it, without joining anything.
//!
//! ```text
//! cargo run --example broadcast                    both sides in one, over loopback
//! cargo run --example broadcast -- listen          in one terminal
//! cargo run --example broadcast -- send ADDRESS    in another, or on another host
//! ```
//!
//! ADDRESS is the one of the network, such as 127.255.255.255 or 192.168.1.255.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio_osc::{Broadcast, Client, Meta, Router, Server};

const PORT: u16 = 9_002;
/// The broadcast address of the loopback network.
const LOOPBACK_NETWORK: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => alone().await,
        ["listen"] => {
            println!("listening at osc.udp://*:{PORT}/");
            let channel = Broadcast::new((Ipv4Addr::BROADCAST, PORT)).bind()?;
            Server::new(router()).listen("all", channel).run().await;
            Ok(())
        }
        ["send", address] => who_is_there(address.parse::<Ipv4Addr>()?, PORT).await,
        _ => Err("usage: broadcast [listen | send ADDRESS]".into()),
    }
}

/// A receiver and a sender in one program.
async fn alone() -> Result<(), Box<dyn Error>> {
    println!("1. A receiver listens at every address of this host.");
    let channel = Broadcast::new((LOOPBACK_NETWORK, 0)).bind()?;
    let port = channel.local_addr()?.port();
    let server = Server::new(router()).listen("all", channel).spawn();

    println!("2. A plain client may not send to all hosts. The error names the remedy:");
    let plain = Client::udp((LOOPBACK_NETWORK, port)).await?;
    if let Err(error) = plain.send(("/who", ())).await {
        println!("   {error}");
    }

    println!("3. A broadcast client asks who is there.");
    who_is_there(LOOPBACK_NETWORK, port).await?;
    println!("4. What the receiver has done:\n{}", server.shutdown().await);
    Ok(())
}

fn router() -> Router {
    Router::new().route("/who", |meta: Meta| {
        println!("   asked by {}", meta.peer);
        ("/here", std::process::id() as i32)
    })
}

async fn who_is_there(network: Ipv4Addr, port: u16) -> Result<(), Box<dyn Error>> {
    let client = Broadcast::new(SocketAddr::from((network, port))).client()?;
    let reply = client.request(("/who", ()), "/here").timeout(Duration::from_secs(2)).await?;
    println!("   the first to answer: {reply}");
    Ok(())
}
