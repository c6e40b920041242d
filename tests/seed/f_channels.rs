//! F. Channels and framing: rows that the tests of streams do not cover.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio_osc::tools::FrameLoop;
use tokio_osc::{Channel, Client, Endpoint, Router, Server, State};

use super::LOOPBACK;

/// Row F02.
/// `auto_start=False`: sockets are bound when they are made, and nothing runs before `spawn`.
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

/// Row F05.
/// `monitor`: there, two of three ways to watch a socket never receive. Here every runtime watches it.
#[test]
fn a_socket_is_watched_by_every_kind_of_runtime() {
    async fn answered() {
        let channel = Channel::udp(LOOPBACK).await.unwrap();
        let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
        let server =
            Server::new(Router::new().route("/ping", || ("/pong", ()))).listen("udp", channel).spawn();
        for _ in 0..3 {
            // The server waits for its socket before each request comes.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            client.request(("/ping", ()), "/pong").await.unwrap();
        }
        server.shutdown().await;
    }
    Builder::new_current_thread().enable_all().build().unwrap().block_on(answered());
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(answered());
    FrameLoop::new().unwrap().block_on(answered()).unwrap();
}

/// Row F19.
/// There, a stream without a framing fails at its first byte. Here no stream can be made without one (see
/// `tests/compile/stream_without_framing.rs`), and a URL that names none has that of its scheme.
#[tokio::test]
async fn a_url_of_a_stream_has_the_framing_of_its_scheme() {
    for (scheme, frame) in
        [("osc.tcp", &b"\0\0\0\x08/a\0\0,\0\0\0"[..]), ("osc.tcp+slip", b"\xc0/a\0\0,\0\0\0\xc0")]
    {
        let endpoint: Endpoint = format!("{scheme}://{LOOPBACK}/").parse().unwrap();
        let mut channel = endpoint.bind().await.unwrap();
        let mut peer = TcpStream::connect(channel.local_addr().unwrap()).await.unwrap();
        peer.write_all(frame).await.unwrap();
        // Another framing would wait for the rest of a frame.
        let read = tokio::time::timeout(Duration::from_secs(10), channel.next()).await;
        let (packet, _) = read.expect(scheme).unwrap();
        assert_eq!(packet.unwrap().to_string(), "/a ,", "{scheme}");
    }
}
