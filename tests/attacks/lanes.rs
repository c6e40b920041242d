//! Lanes of many workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_osc::dispatch::on;
use tokio_osc::{Message, Meta, Peer, Router, Server};

#[tokio::test]
async fn concurrent_starts_as_many_tasks_as_it_needs() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let handler = {
        let (running, most, gate) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
        move || {
            let (running, most, gate) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
            }
        }
    };
    let router = Router::new().route("/n", on(handler).concurrent(usize::MAX));
    let packets = (0..3).map(|n| (Ok(Message::new("/n", n).unwrap().into()), Meta::from_peer(Peer::LOCAL)));
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let server = Server::new(router).feed("feed", stream::iter(packets.collect::<Vec<_>>())).spawn();
    while running.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks(), before + 1 + 3, "the server, and a task for each message");
    gate.add_permits(3);
    server.wait().await;
    assert_eq!((server.stats().handled, most.load(Ordering::SeqCst)), (3, 3));
}
