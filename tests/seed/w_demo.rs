//! W05. The demo of osc4py3, `rundemo.py`: its channels, its handlers, and each entry of its menu.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_osc::node::{ALL, LOCAL};
use tokio_osc::{Broadcast, Bundle, Channel, Client, Message, Meta, Multicast, Node, Router, State, TimeTag};

use super::LOOPBACK;

/// What arrived, each message with the channel that it came by.
type Seen = Arc<Mutex<Vec<String>>>;

/// Row W05.
#[tokio::test]
async fn the_demo_of_osc4py3_runs() {
    let group = |port| Multicast::new(([239, 255, 78, 5], port)).interface(Ipv4Addr::LOCALHOST);
    let all = |port| Broadcast::new(([127, 255, 255, 255], port));
    let udp = Channel::udp(LOOPBACK).await.unwrap();
    let multicast = group(0).join().unwrap();
    let broadcast = all(0).bind().unwrap();
    let port = |channel: &Channel| channel.local_addr().unwrap().port();
    let clients = (
        Client::udp(udp.local_addr().unwrap()).await.unwrap(),
        group(port(&multicast)).client().unwrap(),
        all(port(&broadcast)).client().unwrap(),
    );

    let seen = Seen::default();
    let router = Router::with_state(Arc::clone(&seen)).route_prefix(
        "/test",
        |State(seen): State<Seen>, meta: Meta, message: Message| {
            let channel = meta.channel();
            seen.lock().unwrap().push(format!("{channel}: {message}"));
        },
    );
    let application = Node::builder()
        .router(router)
        .listen("udplisten", udp)
        .listen("mcastlisten", multicast)
        .listen("bcastlisten", broadcast)
        .add("udpclient", clients.0)
        .add("mcastclient", clients.1)
        .add("bcastclient", clients.2)
        .spawn()
        .unwrap();
    let node = application.node();
    let arrived = async |count: usize| {
        while seen.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
        let mut lines = std::mem::take(&mut *seen.lock().unwrap());
        lines.sort();
        lines
    };

    // A single message, and several.
    let message = Message::new("/test/me", ("text", 672, 8.871_f32)).unwrap();
    assert!(node.send("udpclient", &message).await.unwrap().is_complete());
    assert_eq!(arrived(1).await, [format!("udplisten: {message}")]);
    for n in 0..5 {
        assert!(node.send("udpclient", ("/test/n", n)).await.unwrap().is_complete());
    }
    assert_eq!(arrived(5).await, [0, 1, 2, 3, 4].map(|n| format!("udplisten: /test/n ,i {n}")));

    // A bundle at once, and one for later.
    let later = TimeTag::after(Duration::from_millis(50));
    for time_tag in [later, TimeTag::IMMEDIATELY] {
        let bundle = Bundle::at(time_tag).with(("/test/a", 1)).with(("/test/b", 2));
        assert!(node.send("udpclient", bundle).await.unwrap().is_complete());
    }
    let now = arrived(2).await;
    assert_eq!(now, ["udplisten: /test/a ,i 1", "udplisten: /test/b ,i 2"]);
    assert!(TimeTag::now() < later, "it did not wait for the other one");
    assert_eq!(arrived(2).await, now);
    assert!(TimeTag::now() >= later);

    // To oneself, a hundred times, and to everyone.
    for n in 0..100 {
        assert!(node.send(LOCAL, ("/test/local", n)).await.unwrap().is_complete());
    }
    assert_eq!(arrived(100).await[7], "local: /test/local ,i 15");
    assert_eq!(node.send(ALL, ("/test/all", ())).await.unwrap().sent(), 3);
    let to_all = ["bcastlisten", "mcastlisten", "udplisten"].map(|channel| format!("{channel}: /test/all ,"));
    assert_eq!(arrived(3).await, to_all);
    let stats = application.shutdown().await;
    assert_eq!((stats.handled, stats.unmatched, stats.panicked), (1 + 5 + 4 + 100 + 3, 0, 0));
}
