//! A bridge from an avatar to a video mapper with names like those of `VRChat` and `MadMapper`: spaces, any script, and
//! pattern characters. It simulates both sides.
//!
//! ```text
//! cargo run --example vrchat_bridge
//! ```

use std::time::Duration;

use tokio_osc::dispatch::Extra;
use tokio_osc::{Args, Captures, Channel, Client, Error, Message, Router, Server, State, on};

/// Parameters of the avatar, and the control of each.
const BRIDGED: [(&str, &str); 3] = [
    ("Öhr links", "/surfaces/Quad 1/opacity"),
    ("髪の色", "/surfaces/Fläche, oben/hue"),
    ("Tail #2/Wag", "/medias/a #2/speed"),
];

/// Forwards a parameter. A `bool` becomes 0 or 1, an integer its value.
async fn bridge(
    mapper: State<Client>,
    Extra(target): Extra<&'static str>,
    Args(value): Args<f32>,
) -> Result<(), Error> {
    Ok(mapper.send((*target, value)).await?)
}

fn router(mapper: Client) -> Router<Client> {
    let router =
        Router::with_state(mapper).route("/avatar/change", |Args(id): Args<String>| println!("avatar {id}"));
    BRIDGED.into_iter().fold(router, |router, (name, target)| {
        router.route(format!("/avatar/parameters/{name}"), on(bridge).extra(target))
    })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mapper = Channel::udp("127.0.0.1:0").await?;
    let bridge = Channel::udp("127.0.0.1:0").await?;
    let to_mapper = Client::udp(mapper.local_addr()?).await?;
    let avatar = Client::udp(bridge.local_addr()?).await?;

    let shown = Router::new()
        .route(
            "/surfaces/*/*",
            |Captures((surface, what)): Captures<(String, String)>, Args(x): Args<f32>| {
                println!("the {what} of the surface \"{surface}\" is {x}");
            },
        )
        .fallback(|message: Message| println!("the mapper hears {message}"));
    let mapper = Server::new(shown).listen("mapper", mapper).spawn();
    let bridge = Server::new(router(to_mapper)).listen("vrchat", bridge).spawn();

    avatar.send(("/avatar/change", "avtr_ひよこ")).await?;
    avatar.send(("/avatar/parameters/Öhr links", 0.5_f32)).await?;
    avatar.send(("/avatar/parameters/髪の色", true)).await?;
    avatar.send(("/avatar/parameters/Tail #2/Wag", 2)).await?;
    avatar.send(("/avatar/parameters/Nicht gemeint", 1)).await?;

    tokio::time::sleep(Duration::from_millis(100)).await;
    let (bridge, mapper) = (bridge.shutdown().await, mapper.shutdown().await);
    println!("{} bridged, {} without a route", mapper.handled, bridge.unmatched);
    Ok(())
}
