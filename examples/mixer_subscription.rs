//! A client of a mixer, which forgets its subscribers after ten seconds, and which is switched off
//! and on again: the client keeps its subscription alive and comes back by itself.
//!
//! The mixer is simulated in the same program, in seconds of 1/100.
//!
//! ```text
//! cargo run --example mixer_subscription
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::{interval, sleep};
use tokio_osc::channel::Outlet;
use tokio_osc::client::ClientState;
use tokio_osc::{Channel, Client, Router, Server, ServerHandle, Slip};

const SECOND: Duration = Duration::from_millis(10);

/// A mixer that pushes a meter each second to those who have asked within the last ten.
async fn mixer(
    address: SocketAddr,
) -> std::io::Result<(ServerHandle, tokio::task::JoinHandle<()>, SocketAddr)> {
    let channel = Channel::tcp(address, Slip::new()).await?;
    let (address, outlet) = (channel.local_addr()?, channel.outlet());
    let (asked, mut since) = tokio::sync::watch::channel(());
    let router = Router::new().route("/xremote", move || {
        // Nobody meters when the program ends.
        let _ = asked.send(());
    });
    let server = Server::new(router).listen("mixer", channel).spawn();
    let meters = tokio::spawn(async move {
        while since.changed().await.is_ok() {
            let _ = tokio::time::timeout(SECOND * 10, push_meters(&outlet)).await;
        }
    });
    Ok((server, meters, address))
}

async fn push_meters(outlet: &Outlet) {
    let mut second = interval(SECOND);
    for n in 0_i32.. {
        second.tick().await;
        if let Err(error) = outlet.broadcast(("/meters/1", n)) {
            eprintln!("{error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, meters, address) = mixer(SocketAddr::from(([127, 0, 0, 1], 0))).await?;

    let client = Client::reconnecting(address, Slip::new())
        .on_connect(("/xremote", ()))
        .keep_alive(SECOND * 9, ("/xremote", ()))
        .backoff(SECOND, SECOND * 10)
        .spawn()?;
    let mut states = client.states();
    let states = tokio::spawn(async move {
        while let Some(state) = states.next().await {
            match state {
                ClientState::Waiting { reason, retry_in, .. } => {
                    println!("lost: {reason}; again in {retry_in:?}");
                }
                state => println!("{state:?}"),
            }
        }
    });

    let mut faders = client.subscribe("/meters/*");
    println!("30 meters, longer than the mixer remembers us");
    (&mut faders).take(30).count().await;

    println!("the mixer is switched off");
    server.shutdown().await;
    meters.abort();
    sleep(SECOND * 5).await;
    println!("the mixer is switched on");
    let (server, meters, _) = mixer(address).await?;
    println!("first meter after that: {:?}", faders.next().await.map(|message| message.to_string()));

    client.close().await?;
    states.await?;
    server.shutdown().await;
    meters.abort();
    println!("{:?}", client.delivery());
    Ok(())
}
