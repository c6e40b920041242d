//! Replies: return values of handlers, later replies, and their limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc};
use tokio_osc::dispatch::{Replies, ReplyError};
use tokio_osc::{Args, Bundle, Channel, IntoReply, Message, Packet, Reply, Router, Server, State, on};

use crate::support::LOOPBACK;

/// A server, and a socket that asks it.
async fn asking<S: Send + Sync + 'static>(router: Router<S>) -> (tokio_osc::ServerHandle, UdpSocket) {
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
    socket.connect(channel.local_addr().unwrap()).await.unwrap();
    (Server::new(router).listen("udp", channel).spawn(), socket)
}

async fn answer(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_536];
    let len = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer)).await.unwrap().unwrap();
    Packet::decode(buffer[..len].to_vec().into()).unwrap().to_string()
}

async fn ask(socket: &UdpSocket, address: &str) {
    socket.send(Message::new(address, ()).unwrap().as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_handle_answers_later_and_from_the_receiving_socket() {
    let measured = Arc::new(Notify::new());
    let router = Router::with_state(Arc::clone(&measured)).route(
        "/measure",
        |State(measured): State<Arc<Notify>>, reply: Reply| {
            assert!(reply.peer().address().is_some());
            tokio::spawn(async move {
                measured.notified().await;
                for n in 0..3 {
                    reply.send(("/measured", n)).await.unwrap();
                }
            });
        },
    );
    let (server, socket) = asking(router).await;
    ask(&socket, "/measure").await;
    while server.stats().handled < 1 {
        tokio::task::yield_now().await;
    }
    measured.notify_one();
    for n in 0..3 {
        assert_eq!(answer(&socket).await, format!("/measured ,i {n}"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn handlers_in_lanes_answer_too() {
    let router = Router::new()
        .route("/task", on(async |Args(n): Args<Option<i32>>| ("/task", n.unwrap_or(7))).on_task(4))
        .route("/concurrent", on(|| ("/concurrent", 8)).concurrent(2));
    let (server, socket) = asking(router).await;
    ask(&socket, "/task").await;
    assert_eq!(answer(&socket).await, "/task ,i 7");
    ask(&socket, "/concurrent").await;
    assert_eq!(answer(&socket).await, "/concurrent ,i 8");
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.replies), (2, 2));
}

/// Two messages, of a type that this crate does not know.
struct Both(&'static str, &'static str);

impl IntoReply for Both {
    fn into_reply(self) -> Replies {
        vec![(self.0, 1), (self.1, 2)].into_reply()
    }
}

/// None, of a type with a parameter.
struct Never<T>(T);

impl<T> IntoReply for Never<T> {
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}

#[tokio::test]
async fn a_type_of_another_crate_is_a_reply() {
    let router = Router::new()
        .route("/never", || Never("said"))
        .route("/now", || Both("/a", "/b"))
        .route("/later", async || Ok::<_, String>(Some(Both("/c", "/d"))));
    let (server, socket) = asking(router).await;
    for (address, replies) in [("/now", ["/a ,i 1", "/b ,i 2"]), ("/later", ["/c ,i 1", "/d ,i 2"])] {
        ask(&socket, "/never").await;
        ask(&socket, address).await;
        assert_eq!([answer(&socket).await, answer(&socket).await], replies);
    }
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.replies), (4, 4));
}

fn gives_up() -> ! {
    panic!("on purpose")
}

async fn gives_up_later() -> ! {
    panic!("on purpose")
}

#[tokio::test]
async fn a_function_that_only_panics_is_a_handler() {
    let router = Router::new()
        .route("/function", gives_up)
        .route("/future", gives_up_later)
        .route("/closure", || panic!("on purpose"));
    let (server, socket) = asking(router).await;
    for address in ["/function", "/future", "/closure"] {
        ask(&socket, address).await;
    }
    while server.stats().panicked < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.shutdown().await.replies, 0);
}

#[tokio::test]
async fn the_budget_is_one_for_all_handles_and_clones_of_a_packet() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let router = Router::with_state(report).route(
        "/flood",
        |State(report): State<mpsc::UnboundedSender<(usize, bool)>>, reply: Reply| async move {
            let mut sent = 0;
            let error = loop {
                match reply.clone().send(("/r", sent)).await {
                    Ok(()) => sent += 1,
                    Err(error) => break error,
                }
            };
            report.send((sent as usize, matches!(error, ReplyError::Budget))).unwrap();
        },
    );
    let (server, socket) = asking(router).await;
    ask(&socket, "/flood").await;
    assert_eq!(reports.recv().await, Some((64, true)));
    let twice = Bundle::immediately().with(("/flood", ())).with(("/flood", ())).build().unwrap();
    socket.send(twice.as_bytes()).await.unwrap();
    assert_eq!(reports.recv().await, Some((64, true)));
    assert_eq!(reports.recv().await, Some((0, true)), "the second message of the packet");
    server.shutdown().await;
}

#[tokio::test]
async fn one_packet_gets_64_replies_also_by_way_of_lanes() {
    let router = Router::new()
        .route("/a", || ("/r", 1))
        .route("/a", on(|| ("/r", 2)).on_task(1_000))
        .route("/a", on(|| ("/r", 3)).concurrent(4));
    let (server, socket) = asking(router).await;
    let bundle = (0..100).fold(Bundle::immediately(), |bundle, _| bundle.with(("/a", ())));
    socket.send(bundle.build().unwrap().as_bytes()).await.unwrap();
    while server.stats().handled < 300 {
        tokio::task::yield_now().await;
    }
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.replies, stats.replies_dropped), (300, 64, 236));
}
