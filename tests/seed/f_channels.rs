//! F. Channels and framing: what is not among the tests of streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio_osc::{Channel, Client, Router, Server, State};

use super::LOOPBACK;

/// Row F02.
/// `auto_start=False`: what is made is bound, and nothing runs before it is told to.
#[tokio::test]
async fn a_server_handles_nothing_before_it_is_spawned() {
    let count = Arc::new(AtomicUsize::new(0));
    let router = Router::with_state(Arc::clone(&count))
        .route("/a", |State(count): State<Arc<AtomicUsize>>| _ = count.fetch_add(1, SeqCst));
    let server = Server::new(router).listen("udp", Channel::udp(LOOPBACK).await.unwrap());
    let client = Client::udp(server.local_addr("udp").unwrap()).await.unwrap();
    client.send(("/a", ())).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count.load(SeqCst), 0);

    let server = server.spawn();
    while server.stats().handled < 1 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    assert_eq!(count.load(SeqCst), 1, "what had come before is handled");
}
