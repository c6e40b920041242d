//! Pushes to subscribers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::{FutureExt, stream};
use tokio_osc::tools::{SubscribeError, Subscribers};
use tokio_osc::{Channel, Client, Message, Meta, Peer, Router, Server, ServerHandle, Slip, State};

fn meta(channel: &str, from: &str) -> Meta {
    let mut meta = Meta::from_peer(Peer::from(from.parse::<SocketAddr>().unwrap()));
    meta.set_channel(channel);
    meta
}

fn router(subscribers: &Subscribers) -> Router<Subscribers> {
    let moved = |State(all): State<Subscribers>, from: Peer, message: Message| {
        all.send_except(from, message).map(drop)
    };
    Router::with_state(subscribers.clone())
        .route("/subscribe", subscribers.subscribe())
        .route("/unsubscribe", subscribers.unsubscribe())
        .route("/fader/*", moved)
        .route("/sync", || ("/synced", ()))
}

async fn serve() -> (ServerHandle, Subscribers, SocketAddr, SocketAddr) {
    let udp = Channel::udp("127.0.0.1:0").await.unwrap();
    let tcp = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let addresses = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
    let subscribers = Subscribers::new().channel("udp", udp.outlet()).channel("tcp", tcp.outlet());
    let server = Server::new(router(&subscribers)).listen("udp", udp).listen("tcp", tcp).spawn();
    (server, subscribers, addresses.0, addresses.1)
}

async fn synced(client: &Client) {
    client.request(("/sync", ()), "/synced").await.unwrap();
}

#[tokio::test]
async fn what_one_moves_all_others_hear_by_their_channel_and_it_does_not_hear_itself() {
    let (server, subscribers, udp, tcp) = serve().await;
    let clients = [
        Client::udp(udp).await.unwrap(),
        Client::udp(udp).await.unwrap(),
        Client::tcp(tcp, Slip::new()).await.unwrap(),
    ];
    let mut heard = Vec::new();
    for client in &clients {
        heard.push(client.subscribe("/fader/*"));
        client.send(("/subscribe", ())).await.unwrap();
        synced(client).await;
    }
    assert_eq!(subscribers.peers().len(), 3);
    for (n, client) in clients.iter().enumerate() {
        client.send((format!("/fader/{n}"), 0.5_f32)).await.unwrap();
        synced(client).await;
    }
    for (n, mut heard) in heard.into_iter().enumerate() {
        for other in (0..3).filter(|other| *other != n) {
            assert_eq!(heard.recv().await.unwrap().to_string(), format!("/fader/{other} ,f 0.5"));
        }
        assert!(heard.recv().now_or_never().is_none(), "its own echo");
    }
    clients[0].send(("/unsubscribe", ())).await.unwrap();
    synced(&clients[0]).await;
    assert_eq!(subscribers.send(("/meter", 1)).unwrap().sent, 2);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_expires_unless_it_is_renewed() {
    let udp = Channel::udp("127.0.0.1:0").await.unwrap();
    let subscribers = Subscribers::new().channel("udp", udp.outlet());
    let (kept, forgotten) = (meta("udp", "127.0.0.1:1001"), meta("udp", "127.0.0.1:1002"));
    subscribers.add(&kept).unwrap();
    subscribers.add(&forgotten).unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    subscribers.add(&kept).unwrap();
    assert_eq!(subscribers.peers().len(), 2);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(subscribers.peers(), [kept.peer]);
    assert!(!subscribers.remove(&forgotten) && subscribers.remove(&kept));
    assert_eq!(subscribers.peers(), []);
    let forever = subscribers.expire_after(Duration::MAX);
    forever.add(&kept).unwrap();
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert_eq!(forever.peers(), [kept.peer]);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_bounded_in_all_and_for_each_network() {
    let udp = Channel::udp("127.0.0.1:0").await.unwrap();
    let subscribers = Subscribers::new().channel("udp", udp.outlet()).capacity(40).per_network(16);
    let from =
        |ip: &str, port: u16| meta("udp", &SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port).to_string());
    for port in 1..=16 {
        subscribers.add(&from("192.0.2.1", port)).unwrap();
        subscribers.add(&from(&format!("2001:db8::{port:x}"), 9_000)).unwrap();
    }
    assert_eq!(subscribers.add(&from("192.0.2.1", 17)), Err(SubscribeError::NetworkFull));
    assert_eq!(subscribers.add(&from("2001:db8::ffff", 9_000)), Err(SubscribeError::NetworkFull));
    for host in 1..=8 {
        subscribers.add(&from(&format!("198.51.100.{host}"), 9_000)).unwrap();
    }
    assert_eq!(subscribers.add(&from("203.0.113.1", 1)), Err(SubscribeError::Full));
    assert_eq!(subscribers.add(&from("192.0.2.1", 3)), Ok(()), "a renewal takes no place");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(subscribers.add(&from("203.0.113.1", 1)), Ok(()), "all others have expired");
    let other = subscribers.add(&meta("tcp", "192.0.2.1:1"));
    assert_eq!(other, Err(SubscribeError::OtherChannel("tcp".into())));
}

#[tokio::test]
async fn a_subscriber_whose_connection_has_ended_is_forgotten() {
    let (server, subscribers, _, tcp) = serve().await;
    let client = Client::tcp(tcp, Slip::new()).await.unwrap();
    client.send(("/subscribe", ())).await.unwrap();
    synced(&client).await;
    assert_eq!(subscribers.send(("/meter", 1)).unwrap().sent, 1);
    client.close().await.unwrap();
    while !subscribers.peers().is_empty() {
        let report = subscribers.send(("/meter", 1)).unwrap();
        assert_eq!(report.sent + report.failed.len(), 1);
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_a_failed_call() {
    let subscribers = Subscribers::new();
    let subscribe = (Ok(Message::new("/subscribe", ()).unwrap().into()), meta("feed", "192.0.2.1:1"));
    let server = Server::new(router(&subscribers)).feed("feed", stream::iter([subscribe])).spawn();
    server.wait().await;
    assert_eq!(server.shutdown().await.failed, 1);
}
