//! A client of a mixer, which forgets its subscribers after ten seconds, and which is switched off
//! and on again: the client asks again in time, and so hears the mixer when it is back.
//!
//! The mixer is simulated in the same program, in seconds of 1/100.
//!
//! ```text
//! cargo run --example mixer_subscription
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{interval, timeout};
use tokio_osc::channel::Outlet;
use tokio_osc::{Channel, Client, Meta, Peer, Router, Server, ServerHandle};

const SECOND: Duration = Duration::from_millis(10);

/// A mixer that pushes a meter each second to the one that has asked within the last ten.
async fn mixer(
    address: SocketAddr,
) -> Result<(ServerHandle, tokio::task::JoinHandle<()>, SocketAddr), tokio_osc::Error> {
    let channel = Channel::udp(address).await?;
    let (address, outlet) = (channel.local_addr()?, channel.outlet());
    let (asked, mut since) = tokio::sync::watch::channel(Peer::LOCAL);
    let router = Router::new().route("/xremote", move |meta: Meta| {
        // The metering task ends with the program.
        let _ = asked.send(meta.peer);
    });
    let server = Server::new(router).listen("mixer", channel).spawn();
    let meters = tokio::spawn(async move {
        while since.changed().await.is_ok() {
            let peer = *since.borrow_and_update();
            let _ = timeout(SECOND * 10, push_meters(&outlet, peer)).await;
        }
    });
    Ok((server, meters, address))
}

async fn push_meters(outlet: &Outlet, peer: Peer) {
    let mut second = interval(SECOND);
    for n in 0_i32.. {
        second.tick().await;
        if let Err(error) = outlet.send_to(peer, ("/meters/1", n)).await {
            eprintln!("{error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, pushing, address) = mixer(SocketAddr::from(([127, 0, 0, 1], 0))).await?;

    let client = Client::udp(address).await?;
    let mut meters = client.subscribe("/meters/*");
    // Dropped at the end: then the mixer forgets this client.
    let _subscribed = client.keep_alive(SECOND * 9, ("/xremote", ()))?;

    println!("30 meters, longer than the mixer remembers us");
    for _ in 0..30 {
        meters.recv().await;
    }

    println!("the mixer is switched off");
    server.shutdown().await;
    pushing.abort();
    while let Ok(Some(_)) = timeout(SECOND * 5, meters.recv()).await {}
    println!("the mixer is switched on");
    let (server, pushing, _) = mixer(address).await?;
    println!("first meter after that: {:?}", meters.recv().await.map(|message| message.to_string()));

    server.shutdown().await;
    pushing.abort();
    Ok(())
}
