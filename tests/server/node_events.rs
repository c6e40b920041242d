//! What a node tells of its names and of the clients behind them.

use tokio_osc::channel::Events;
use tokio_osc::client::ClientState;
use tokio_osc::node::{NodeEvent, NodeEventKind};
use tokio_osc::{Channel, Client, Node, Slip};

/// The next event, in short.
async fn told(events: &mut Events<NodeEvent>) -> String {
    let NodeEvent { name, kind, .. } = events.recv().await.unwrap();
    let kind = match kind {
        NodeEventKind::Client(ClientState::Waiting { .. }) => "Waiting".to_owned(),
        NodeEventKind::Client(state) => format!("{state:?}"),
        kind => format!("{kind:?}"),
    };
    format!("{name} {kind}")
}

async fn until(events: &mut Events<NodeEvent>, wanted: &str) {
    while told(events).await != wanted {}
}

#[tokio::test]
async fn names_come_and_go_and_their_clients_connect_and_wait() {
    let node = Node::new();
    let udp = Channel::udp("127.0.0.1:0").await.unwrap();
    let plain = Client::udp(udp.local_addr().unwrap()).await.unwrap();
    let mut console = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let desk = Client::reconnecting(console.local_addr().unwrap(), Slip::new()).spawn().unwrap();
    node.add("early", desk.clone()).unwrap();

    let mut events = node.events();
    until(&mut events, "early Connected").await;
    node.add("lights", plain.clone()).unwrap();
    node.group("stage", ["lights", "desk"]).unwrap();
    node.replace("lights", plain).unwrap();
    node.add("desk", desk).unwrap();
    for event in ["lights Added", "stage Added", "lights Replaced", "desk Added", "desk Connected"] {
        assert_eq!(told(&mut events).await, event);
    }
    assert!(node.send("desk", ("/scene", 3)).await.unwrap().is_complete());
    assert!(console.recv().await.unwrap().0.is_ok());
    drop(console);
    until(&mut events, "early Waiting").await;
    assert!(node.remove("desk") && !node.remove("desk"));
    until(&mut events, "desk Removed").await;
    // The events keep neither the node nor its clients alive.
    drop(node);
    let mut last = Vec::new();
    while let Some(NodeEvent { name, kind, .. }) = events.recv().await {
        last.push((name, kind));
    }
    let closed = last.iter().filter(|(_, kind)| matches!(kind, NodeEventKind::Client(ClientState::Closed)));
    assert_eq!(closed.count(), 2, "{last:?}");
}

#[tokio::test]
async fn a_slow_reader_of_node_events_gets_the_number_it_missed() {
    let node = Node::new();
    let mut events = node.events();
    for n in 0..300 {
        node.group(format!("g{n}"), ["a"]).unwrap();
    }
    assert_eq!(told(&mut events).await, " Missed(44)");
    assert_eq!(told(&mut events).await, "g44 Added");
}
