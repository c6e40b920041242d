//! OSC 1.1 over TCP: a server that replies, broadcasts to all clients, and reports connects and disconnects.
//!
//! ```text
//! cargo run --example tcp_slip
//! ```

use futures::StreamExt;
use tokio_osc::channel::Outlet;
use tokio_osc::{Args, Channel, Client, Message, Meta, Router, Server, Slip, State};

async fn chat(
    State(all): State<Outlet>,
    Args(text): Args<String>,
    meta: Meta,
) -> Result<(), tokio_osc::packet::SendError> {
    let name = meta.connection_name().unwrap_or_default();
    all.broadcast(("/said", (name, text))).map(drop)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    let (address, outlet) = (channel.local_addr()?, channel.outlet());
    println!("listening on osc.tcp+slip://{address}/");

    let mut events = channel.events();
    let told = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            println!("  {event:?}");
        }
    });

    let router =
        Router::with_state(outlet).route("/ping", |Args(n): Args<i32>| ("/pong", n)).route("/chat", chat);
    let server = Server::new(router).listen("stage", channel).spawn();

    let anna = Client::tcp(address, Slip::new()).await?;
    let bert = Client::tcp(address, Slip::new()).await?;
    println!("{}", anna.request(("/ping", 7), "/pong").await?);
    println!("{}", bert.request(("/ping", 8), "/pong").await?);

    let heard = anna.subscribe("/said");
    bert.send_all(["one", "two", "three"].map(|word| ("/chat", word))).await?;
    heard.take(3).for_each(async |said: Message| println!("anna hears {said}")).await;

    server.shutdown().await;
    println!("bert's connection ended: {}", bert.closed().await);
    told.abort();
    Ok(())
}
