//! Routes that are added and removed while messages arrive: a recorder that is armed and disarmed, a scene that is loaded
//! and unloaded as a whole, and a device that learns new addresses. It uses the loopback interface, prints what happens,
//! and ends by itself.

use std::error::Error;
use std::sync::{Arc, Mutex};

use tokio_osc::dispatch::RouteGuard;
use tokio_osc::{Address, Args, Captures, Channel, Client, Router, Server, on};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("1. A server with one route, and one that answers, so that we can wait for it.");
    let router = Router::new().route("/sync", || ("/synced", ()));
    let live = router.live();
    let learned: Arc<Mutex<Vec<RouteGuard>>> = Arc::default();
    let router = router.route("/learn", {
        let (live, learned) = (live.clone(), Arc::clone(&learned));
        move |Args(address): Args<String>| {
            let route = live.route(address, |address: Address| println!("   learned: {address}"));
            learned.lock().map(|mut learned| learned.push(route.guard())).is_ok().then_some(("/learned", ()))
        }
    });
    let channel = Channel::udp("127.0.0.1:0").await?;
    let client = Client::udp(channel.local_addr()?).await?;
    let server = Server::new(router).listen("udp", channel).spawn();

    println!("2. No route takes /take/1 yet:");
    client.send(("/take/1", 0.1_f32)).await?;
    client.request(("/sync", ()), "/synced").await?;

    println!("3. The recorder is armed; now it hears /take/2:");
    let recorder = live.route("/take/*", |Captures(take): Captures<u32>, Args(level): Args<f32>| {
        println!("   recorder: take {take} at {level}");
    });
    client.send(("/take/2", 0.2_f32)).await?;
    client.request(("/sync", ()), "/synced").await?;

    println!("4. A scene of three routes is loaded, in one step; one of them has a task of its own:");
    let scene = live.merge(
        Router::new()
            .route("/scene/light", |Args(on): Args<bool>| println!("   scene: light {on}"))
            .route("/scene/fog", || println!("   scene: fog"))
            .route(
                "/scene/video",
                on(async |Args(file): Args<String>| println!("   scene: plays {file}")).on_task(16),
            ),
    );
    let scene = scene.guard();
    client.send(("/scene/{light,fog}", true)).await?;
    client.send(("/scene/video", "sky.mov")).await?;
    client.request(("/sync", ()), "/synced").await?;

    println!("5. The recorder is disarmed, the scene dropped; no route takes these:");
    recorder.remove();
    drop(scene);
    client.send(("/take/3", 0.3_f32)).await?;
    client.send(("/scene/fog", ())).await?;
    client.request(("/sync", ()), "/synced").await?;

    println!("6. A message adds a route to the router that it came by:");
    client.request(("/learn", "/new/*"), "/learned").await?;
    client.send(("/new/trick", ())).await?;
    client.request(("/sync", ()), "/synced").await?;

    println!("7. What the server has done; unmatched are those that no route took:");
    print!("{}", server.shutdown().await);
    Ok(())
}
