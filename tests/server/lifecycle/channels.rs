//! Channels that come and go, and their names.

use futures::{FutureExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_osc::channel::StreamOptions;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::server::{ChannelErrorKind, ChannelEventKind};
use tokio_osc::{Args, Bundle, Channel, Client, Server, ServerHandle, Slip, State, on};

use super::*;

fn ping() -> Router {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

async fn udp() -> Channel {
    Channel::udp(LOOPBACK).await.unwrap()
}

async fn answers(server: &ServerHandle, name: &str) {
    let client = Client::udp(server.local_addr(name).unwrap()).await.unwrap();
    assert_eq!(client.request(("/ping", 7), "/pong").await.unwrap().parse::<i32>().unwrap(), 7);
}

#[tokio::test]
async fn a_channel_that_is_added_is_heard_and_one_that_is_removed_is_not() {
    let server = Server::new(ping()).listen("first", udp().await).spawn();
    server.listen("second", udp().await).unwrap();
    assert_eq!(server.channels().iter().map(|name| &**name).collect::<Vec<_>>(), ["first", "second"]);
    answers(&server, "first").await;
    answers(&server, "second").await;

    let address = server.local_addr("first").unwrap();
    let last = server.remove("first").await.unwrap();
    assert_eq!((&*last.name, last.local_addr, last.received, last.replies), ("first", Some(address), 1, 1));
    assert!(last.udp.is_some(), "as it was read last");
    assert_eq!(server.local_addr("first"), None);
    answers(&server, "second").await;

    let again = Channel::udp(address).await.expect("the port is free");
    server.listen("first", again).unwrap();
    answers(&server, "first").await;
    let report = server.report();
    assert_eq!((report.server.received, report.server.replies), (4, 4), "all that ever was");
    assert_eq!(report.channel("first").unwrap().received, 1, "since it was added");
    server.shutdown().await;
}

#[tokio::test]
async fn the_last_channel_that_is_removed_does_not_end_the_server() {
    let server = Server::new(ping()).listen("only", udp().await).spawn();
    server.remove("only").await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    server.listen("only", udp().await).unwrap();
    answers(&server, "only").await;
    server.shutdown().await;
}

#[tokio::test]
async fn what_a_removed_channel_has_received_runs_and_is_answered() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Arc::new(Server::new(waiting(&gate)).listen("udp", udp().await).spawn());
    let address = server.local_addr("udp").unwrap();
    let client = Client::udp(address).await.unwrap();
    let asked = tokio::spawn(async move { client.request(("/wait", ()), "/waited").await });
    until(|| server.stats().received == 1).await;
    let removal = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.remove("udp").await })
    };
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!removal.is_finished(), "a handler waits");
    gate.add_permits(1);
    assert!(soon(asked).await.unwrap().is_ok());
    let last = soon(removal).await.unwrap().unwrap();
    assert_eq!((last.handled, last.replies), (1, 1));
    Channel::udp(address).await.expect("the port is free");
}

#[tokio::test]
async fn connections_of_a_removed_channel_get_their_answers_and_are_closed() {
    let gate = Arc::new(Semaphore::new(0));
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Arc::new(Server::new(waiting(&gate)).listen("stage", channel).spawn());
    let mut idle = TcpStream::connect(address).await.unwrap();
    let client = Client::tcp(address, Slip::new()).await.unwrap();
    let asked = tokio::spawn(async move { client.request(("/wait", ()), "/waited").await });
    until(|| server.stats().received == 1).await;
    let removal = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.remove("stage").await })
    };
    until(|| server.report().channel("stage").is_some_and(|stage| stage.connected == 2)).await;
    gate.add_permits(1);
    assert!(soon(asked).await.unwrap().is_ok());
    let last = soon(removal).await.unwrap().unwrap();
    assert_eq!((last.connected, last.disconnected), (2, 2));
    assert_eq!(soon(idle.read(&mut [0; 8])).await.unwrap(), 0);
    Channel::tcp(address, Slip::new()).await.expect("the port is free");
}

#[tokio::test(start_paused = true)]
async fn bundles_of_a_removed_channel_are_dropped_and_those_of_others_are_not() {
    let clock = TokioClock::new();
    let (one, packets_of_one) = feed();
    let (two, packets_of_two) = feed();
    let server = Server::new(Router::new()).clock(clock);
    let server = server.feed("one", packets_of_one).feed("two", packets_of_two).spawn();
    for feed in [&one, &one, &two] {
        feed.unbounded_send(item(Bundle::at(clock.after(ms(100))).with(("/n", ())))).unwrap();
    }
    until(|| server.stats().schedule.pending == 3).await;
    assert_eq!(server.remove("one").await.unwrap().discarded, 2);
    assert_eq!(server.pending().len(), 1);
    tokio::time::sleep(ms(200)).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.discarded, stats.schedule.run), (2, 1));
    assert_balanced(&stats);
}

#[tokio::test]
async fn a_removal_goes_on_when_its_future_is_dropped() {
    let server = Server::new(ping()).listen("udp", udp().await).spawn();
    assert!(server.remove("udp").now_or_never().is_none());
    until(|| server.channels().is_empty()).await;
    server.shutdown().await;
}

/// Removes `late` when an event comes, in the midst of whatever has told it.
struct Remover(Arc<ServerHandle>);

impl std::task::Wake for Remover {
    fn wake(self: Arc<Self>) {
        assert!(self.0.remove("late").now_or_never().is_none(), "it is listed, and removed");
    }
}

#[tokio::test]
async fn a_channel_that_is_removed_while_it_is_added_is_closed() {
    let server = Arc::new(Server::new(ping()).feed("test", futures::stream::pending()).spawn());
    let mut events = server.events();
    tokio::task::yield_now().await;
    while events.next().now_or_never().is_some() {}
    let waker = Arc::new(Remover(Arc::clone(&server))).into();
    assert!(events.poll_next_unpin(&mut std::task::Context::from_waker(&waker)).is_pending());
    server.feed("late", futures::stream::pending()).unwrap();
    until(|| server.channels().len() == 1).await;
}

/// Adds `again` from another thread when an event comes, and gives it some time for that.
struct Adder(Arc<ServerHandle>, std::sync::mpsc::SyncSender<bool>);

impl std::task::Wake for Adder {
    fn wake(self: Arc<Self>) {
        let (done, is_done) = std::sync::mpsc::sync_channel::<()>(1);
        std::thread::spawn(move || {
            self.1.send(self.0.feed("again", futures::stream::pending()).is_ok()).unwrap();
            drop(done);
        });
        is_done.recv_timeout(ms(50)).ok();
    }
}

#[tokio::test]
async fn the_name_of_a_channel_is_free_when_its_closed_event_arrives() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server::new(waiting(&gate)).feed("test", futures::stream::pending());
    let packets = futures::stream::iter([item(("/wait", ()))]).chain(futures::stream::pending());
    let server = Arc::new(server.feed("again", packets).spawn());
    until(|| server.stats().ran == 1).await;
    let mut events = server.events();
    let mut removal = std::pin::pin!(server.remove("again"));
    assert!(removal.as_mut().now_or_never().is_none());
    assert!(matches!(events.next().await.unwrap().kind, ChannelEventKind::Closing));
    let (added, was_added) = std::sync::mpsc::sync_channel(1);
    let waker = Arc::new(Adder(Arc::clone(&server), added)).into();
    assert!(events.poll_next_unpin(&mut std::task::Context::from_waker(&waker)).is_pending());
    gate.add_permits(1);
    removal.await.unwrap();
    assert!(was_added.recv().unwrap());
}

#[tokio::test]
async fn names_are_checked_wherever_there_is_one() {
    let server = Server::new(ping()).listen("udp", udp().await).spawn();
    for (name, kind) in [
        ("udp", ChannelErrorKind::Duplicate),
        ("", ChannelErrorKind::Empty),
        ("a/b", ChannelErrorKind::IllegalCharacter('/')),
        ("_events", ChannelErrorKind::Reserved),
    ] {
        assert_eq!(server.listen(name, udp().await).unwrap_err().kind(), kind, "{name:?}");
        let error = server.feed(name, futures::stream::empty()).unwrap_err();
        assert_eq!((error.kind(), error.name()), (kind, name));
        let fresh = Server::new(ping()).listen("udp", udp().await);
        assert_eq!(fresh.try_listen(name, udp().await).unwrap_err().kind(), kind, "{name:?}");
        let fresh = Server::new(ping()).listen("udp", udp().await);
        assert_eq!(fresh.try_feed(name, futures::stream::empty()).unwrap_err().kind(), kind, "{name:?}");
    }
    assert_eq!(server.remove("desk").await.unwrap_err().kind(), ChannelErrorKind::Unknown);
    assert_eq!(server.channels().len(), 1, "what was refused is not there");
    answers(&server, "udp").await;
    server.shutdown().await;
}

#[tokio::test]
#[should_panic(expected = "the name \"a b\" holds ' ', which no part of an address holds")]
async fn a_wrong_literal_panics() {
    let _ = Server::new(ping()).listen("a b", udp().await);
}

#[tokio::test]
#[should_panic(expected = "a channel or group has the name \"a\" already")]
async fn a_second_channel_of_a_name_panics() {
    let _ = Server::new(ping()).feed("a", futures::stream::empty()).feed("a", futures::stream::empty());
}

#[tokio::test]
async fn a_server_that_has_ended_takes_no_channel() {
    let server = Server::new(ping()).feed("test", futures::stream::empty()).spawn();
    server.wait().await;
    let channel = udp().await;
    let address = channel.local_addr().unwrap();
    assert_eq!(server.listen("udp", channel).unwrap_err().kind(), ChannelErrorKind::Ended);
    Channel::udp(address).await.expect("the channel is closed");
    assert_eq!(server.channels().len(), 0);
}

/// Its last handler still runs; but nothing would read the channel any more.
#[tokio::test]
async fn a_server_whose_channels_have_ended_takes_no_channel() {
    let router = Router::new().route("/wait", on(std::future::pending::<()>).on_task(1));
    let server = Server::new(router).feed("test", futures::stream::iter([item(("/wait", ()))]));
    let mut events = server.events();
    let server = server.spawn();
    while !matches!(events.next().await.unwrap().kind, ChannelEventKind::Closing) {}
    assert!(!server.is_finished());
    assert_eq!(server.listen("udp", udp().await).unwrap_err().kind(), ChannelErrorKind::Ended);
}

/// 300 channels come and go beside one that is always busy and loses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_come_and_go_under_load() {
    const LOAD: i32 = 100_000;
    let next = Arc::new(std::sync::Mutex::new(0));
    let router = Router::with_state(Arc::clone(&next))
        .route("/load", |State(next): State<Arc<std::sync::Mutex<i32>>>, Args(n): Args<i32>| {
            let mut next = next.lock().unwrap();
            assert_eq!(n, *next, "in order");
            *next += 1;
        })
        .merge(ping());
    // It stays open: the server would end if it were the last one, and had ended by itself.
    let load = futures::stream::iter((0..LOAD).map(|n| item(("/load", n))));
    let server = Server::new(router).feed("load", load.chain(futures::stream::pending())).spawn();
    for _ in 0..150 {
        server.listen("udp", udp().await).unwrap();
        answers(&server, "udp").await;
        let options = StreamOptions::default().linger(Duration::from_millis(1)); // the client does not close first
        let channel = Channel::tcp_with(LOOPBACK, Slip::new(), options).await.unwrap();
        let client = Client::tcp(channel.local_addr().unwrap(), Slip::new()).await.unwrap();
        server.listen("tcp", channel).unwrap();
        assert!(client.request(("/ping", 7), "/pong").await.is_ok());
        assert_eq!(server.remove("tcp").await.unwrap().handled, 1);
        assert_eq!(server.remove("udp").await.unwrap().handled, 1);
    }
    until(|| *next.lock().unwrap() == LOAD).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.panicked), (LOAD as u64 + 300, 0));
    assert_balanced(&stats);
}
