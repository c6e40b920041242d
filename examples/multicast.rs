//! A multicast group: every member receives its packets.
//!
//! ```text
//! cargo run --example multicast                          both sides in one, over loopback
//! cargo run --example multicast -- listen INTERFACE      in one terminal
//! cargo run --example multicast -- send INTERFACE        in another, or on another host
//! ```
//!
//! INTERFACE is a name, a number or an address, such as `eth0` or `127.0.0.1`.

use std::error::Error;
use std::time::Duration;

use tokio_osc::channel::{BindError, Interface, PeerNames};
use tokio_osc::{Args, Channel, Client, Multicast, Router, Server};

const GROUP: ([u8; 4], u16) = ([239, 1, 2, 3], 9_001);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => alone().await,
        ["listen", interface] => {
            println!("listening at osc.udp://239.1.2.3:9001/?interface={interface}");
            Server::new(router("I")).listen("stage", join(*interface)?).run().await;
            Ok(())
        }
        ["send", interface] => ask(&client(*interface)?).await,
        _ => Err("usage: multicast [listen INTERFACE | send INTERFACE]".into()),
    }
}

/// Two receivers and a sender in one program.
async fn alone() -> Result<(), Box<dyn Error>> {
    println!("1. Two receivers join 239.1.2.3 on the loopback interface, at the same port.");
    let left = Server::new(router("left")).listen("stage", join("127.0.0.1")?).spawn();
    let right = Server::new(router("right")).listen("stage", join("127.0.0.1")?).spawn();

    println!("2. A client sends to the group once; both receive it, the first to answer is taken.");
    ask(&client("127.0.0.1")?).await?;

    for (name, server) in [("left", left), ("right", right)] {
        println!("3. What {name} has done:\n{}", server.shutdown().await);
    }
    Ok(())
}

fn join(interface: impl Into<Interface>) -> Result<Channel, BindError> {
    let names = PeerNames::new();
    names.insert([127, 0, 0, 1], "this host");
    Multicast::new(GROUP).interface(interface).peer_names(&names).join()
}

fn client(interface: impl Into<Interface>) -> Result<Client, BindError> {
    // A TTL of 1 keeps packets on the local network. It is also the default.
    Multicast::new(GROUP).interface(interface).ttl(1).client()
}

fn router(name: &'static str) -> Router {
    Router::new().route("/scene", move |Args(scene): Args<i32>, meta: tokio_osc::Meta| {
        let from = meta.peer_name().unwrap_or("an unknown member");
        println!("   {name}: {from} calls scene {scene}");
        ("/scene/set", scene)
    })
}

async fn ask(client: &Client) -> Result<(), Box<dyn Error>> {
    let reply = client.request(("/scene", 3), "/scene/set").timeout(Duration::from_secs(2)).await?;
    println!("   answered: {reply}");
    Ok(())
}
