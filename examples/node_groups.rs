//! One node for an application: channels by name, groups of them, and the local router. It ends by itself.
//!
//! ```text
//! cargo run --example node_groups
//! ```

use std::time::Duration;

use tokio_osc::node::{ALL, HoldLimits, LOCAL, NodeError, UnknownNames};
use tokio_osc::{
    Args, Bundle, Captures, Channel, Client, Message, Meta, Node, Router, Server, ServerHandle, Slip, State,
    TimeTag,
};

/// A device that prints its messages.
fn device(name: &'static str, channel: Channel) -> ServerHandle {
    let heard = move |message: Message| println!("  {name:<6} hears {message}");
    Server::new(Router::new().fallback(heard)).listen("in", channel).spawn()
}

/// A cue from the desk, or from this program itself: the stage gets a scene, the audience the news.
async fn cue(
    State(node): State<Node>,
    Captures(cue): Captures<String>,
    Args(scene): Args<i32>,
    meta: Meta,
) -> Result<(), NodeError> {
    println!("cue {cue} by {}", meta.channel());
    let report = node.send(["stage", "audience"], ("/scene", scene)).await?;
    report.failed().for_each(|(name, error)| println!("  {name}: {error}"));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (lights, video) = (Channel::udp("127.0.0.1:0").await?, Channel::udp("127.0.0.1:0").await?);
    let sound = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    let audience = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    let (video_address, audience_address) = (video.local_addr()?, audience.local_addr()?);

    // One builder for everything: the channels, the destinations and their names.
    let builder = Node::builder();
    let router = Router::with_state(builder.node()).route("/cue/*", cue).route("/join", || ("/welcome", ()));
    let node = builder
        .router(router)
        .listen("audience", audience)
        .group("stage", ["pictures", "sound"])
        .group("pictures", ["lights", "video"])
        .add("lights", Client::udp(lights.local_addr()?).await?)
        .add("sound", Client::tcp(sound.local_addr()?, Slip::new()).await?)
        .unknown_names(UnknownNames::Hold(HoldLimits::new().time(Duration::from_secs(2))))
        .spawn()?;
    let devices = [device("lights", lights), device("video", video), device("sound", sound)];

    let guest = Client::tcp(audience_address, Slip::new()).await?;
    guest.request(("/join", ()), "/welcome").await?;

    println!("held for the projector, which is not there yet:");
    println!("  {}", node.send("video", ("/lamp", true)).await?);
    node.add("video", Client::udp(video_address).await?)?;

    println!("to the local router, now and in 50 ms:");
    let soon = TimeTag::after(Duration::from_millis(50));
    for packet in [Bundle::immediately().with(("/cue/now", 1)), Bundle::at(soon).with(("/cue/later", 2))] {
        println!("{}", node.send(LOCAL, packet).await?);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;

    println!("to everybody:");
    println!("{}", node.send(ALL, ("/blackout", ())).await?);
    tokio::time::sleep(Duration::from_millis(50)).await;

    println!("a name that there is not:");
    node.unknown_names(UnknownNames::Refuse);
    if let Err(error) = node.send("ligths", ("/scene", 3)).await {
        println!("  {error}");
    }

    let stats = node.shutdown().await;
    println!("{} packets received, {} handler calls", stats.received, stats.handled);
    for device in devices {
        device.shutdown().await;
    }
    Ok(())
}
