//! Closing delivers: an orderly end, from whichever side, destroys nothing that was sent, although the peer
//! pushes all the while.
#![cfg(feature = "net")]

use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_osc::channel::{Outlet, StreamOptions};
use tokio_osc::codec::Codec;
use tokio_osc::packet::SendErrorKind;
use tokio_osc::{Args, Channel, Client, Peer, Router, Server, Slip, State};
use tokio_util::codec::FramedRead;

const PACKETS: usize = 200;
const PUSH: &[u8] = b"\xc0/m\0\0,\0\0\0\xc0";

fn packet() -> (&'static str, Vec<u8>) {
    ("/blob", vec![7; 4_000])
}

/// Reads slowly, pushes until it has read everything, and then closes.
async fn pushing(stream: TcpStream) -> usize {
    let (reader, mut writer) = stream.into_split();
    let push = tokio::spawn(async move {
        for n in 1_u64.. {
            if writer.write_all(PUSH).await.is_err() {
                return;
            }
            if n % 64 == 0 {
                sleep(Duration::from_micros(50)).await;
            }
        }
    });
    let mut frames = FramedRead::new(reader, Codec::new(Slip::new()));
    let mut got = 0;
    while let Some(Ok(Ok(_))) = frames.next().await {
        got += 1;
        if got % 4 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    push.abort();
    got
}

/// With a small buffer, so that packets wait on the other side.
fn small() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1_024).unwrap();
    socket
}

fn pushing_listener() -> (SocketAddr, JoinHandle<usize>) {
    let socket = small();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(async move { pushing(listener.accept().await.unwrap().0).await }))
}

async fn pushing_client(to: SocketAddr) -> JoinHandle<usize> {
    let stream = small().connect(to).await.unwrap();
    tokio::spawn(pushing(stream))
}

#[tokio::test]
async fn a_client_that_is_closed_delivers() {
    let (to, got) = pushing_listener();
    let client = Client::tcp(to, Slip::new()).await.unwrap();
    for _ in 0..PACKETS {
        client.send(packet()).await.unwrap();
    }
    client.close().await.unwrap();
    assert_eq!(got.await.unwrap(), PACKETS);
}

#[tokio::test]
async fn a_reconnecting_client_that_is_closed_delivers() {
    let (to, got) = pushing_listener();
    let client = Client::reconnecting(to, Slip::new()).spawn().unwrap();
    for _ in 0..PACKETS {
        client.send(packet()).await.unwrap();
    }
    client.close().await.unwrap();
    assert_eq!(got.await.unwrap(), PACKETS);
}

/// A channel that is read by a task, and one connection to it whose queue holds all packets.
async fn crowded() -> (Outlet, JoinHandle<usize>) {
    let mut channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let outlet = channel.outlet();
    let got = pushing_client(channel.local_addr().unwrap()).await;
    // Something of it was read: the connection is there.
    channel.next().await.unwrap().0.unwrap();
    tokio::spawn(channel.for_each(|_| async {}));
    for _ in 0..PACKETS {
        assert_eq!(outlet.broadcast(packet()).unwrap().sent, 1);
    }
    (outlet, got)
}

#[tokio::test]
async fn a_connection_that_is_disconnected_delivers() {
    let (outlet, got) = crowded().await;
    assert!(outlet.disconnect(outlet.connections()[0]));
    assert_eq!(got.await.unwrap(), PACKETS);
    assert_eq!(outlet.unconfirmed(), 0);
}

#[tokio::test]
async fn a_channel_that_is_closed_delivers() {
    let (outlet, got) = crowded().await;
    outlet.close();
    assert_eq!(got.await.unwrap(), PACKETS);
    assert_eq!(outlet.unconfirmed(), 0);
}

#[tokio::test]
async fn a_server_that_is_shut_down_delivers() {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let (to, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let router = Router::with_state(outlet.clone()).route("/m", |_: Peer, State(_): State<Outlet>| ());
    let server = Server::new(router).listen("stage", channel).spawn();
    let got = pushing_client(to).await;
    while server.stats().received == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..PACKETS {
        assert_eq!(outlet.broadcast(packet()).unwrap().sent, 1);
    }
    server.shutdown().await;
    assert_eq!(got.await.unwrap(), PACKETS);
}

/// The reply was sent, but the peer never closes: whether it arrived is not known.
#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_close_is_an_error_of_close_after_the_limit() {
    let (here, _there) = tokio::io::duplex(1_024);
    let options = StreamOptions::default().linger(Duration::from_millis(300));
    let client = Client::io_with(here, Slip::new(), options);
    client.send(("/scene", 3)).await.unwrap();
    let start = Instant::now();
    let error = client.close().await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Io(std::io::ErrorKind::TimedOut));
    assert_eq!(start.elapsed(), Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_reconnecting_client_counts_what_no_connection_has_taken_as_an_error_of_close() {
    let never = || std::future::pending::<std::io::Result<tokio::io::DuplexStream>>();
    let client = Client::reconnecting_with(never, Slip::new()).spawn().unwrap();
    client.send(("/scene", 3)).await.unwrap();
    let error = client.close().await.unwrap_err();
    assert_eq!(error.to_string(), "no connection has taken 1 packets in time");
    assert_eq!(client.delivery().unwrap().queued, 1);
}

/// A stream that never ends by itself, such as a serial line.
#[tokio::test(start_paused = true)]
async fn without_a_linger_limit_a_close_waits_for_no_peer() {
    let (here, mut there) = tokio::io::duplex(1_024);
    let client = Client::io_with(here, Slip::new(), StreamOptions::default().linger(Duration::ZERO));
    client.send(("/scene", 3)).await.unwrap();
    let start = Instant::now();
    client.close().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let mut frame = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut there, &mut frame).await.unwrap();
    assert!(frame.starts_with(b"\xc0/scene"));
}

/// It sees the end of the server, and ends its side: the server does not wait for it.
#[tokio::test]
async fn a_client_that_waits_ends_its_side_when_the_peer_ends() {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let client = Client::tcp(channel.local_addr().unwrap(), Slip::new()).await.unwrap();
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("stage", channel).spawn();
    client.request(("/ping", 7), "/pong").await.unwrap();
    let closed = tokio::spawn(async move { client.closed().await });
    let start = Instant::now();
    server.shutdown().await;
    closed.await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}

/// The write failed, so there is nothing to be closed, and nothing to wait for.
#[tokio::test(start_paused = true)]
async fn a_close_after_a_failure_fails_at_once() {
    let (here, _there) = tokio::io::duplex(64);
    let client = Client::io(here, Slip::new());
    client.send(packet()).await.unwrap_err();
    let start = Instant::now();
    assert_eq!(client.close().await.unwrap_err().kind(), SendErrorKind::Closed);
    assert_eq!(start.elapsed(), Duration::ZERO);
}
