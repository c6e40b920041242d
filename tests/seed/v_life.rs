//! V. Start and stop: rows that the tests of the life of a server do not cover.

#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::channel::mpsc;
use futures::stream;
use tokio_osc::dispatch::Inbox;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::tools::FrameLoop;
use tokio_osc::{Args, Bundle, Channel, Client, Endpoint, Router, Server, ServerHandle, Slip, State};

use super::{Item, LOOPBACK, item};

type Count = Arc<AtomicUsize>;

/// A server that counts, with a bundle that waits for three seconds.
async fn waiting(count: &Count) -> (ServerHandle, mpsc::UnboundedSender<Item>) {
    let router = Router::with_state(Arc::clone(count))
        .route("/a", |State(count): State<Count>| _ = count.fetch_add(1, SeqCst));
    let clock = TokioClock::new();
    let (sender, packets) = mpsc::unbounded();
    sender.unbounded_send(item(Bundle::at(clock.after(Duration::from_secs(3))).with(("/a", ())))).unwrap();
    let server = Server::new(router).feed("test", packets).clock(clock).spawn();
    while server.stats().schedule.pending < 1 {
        tokio::task::yield_now().await;
    }
    (server, sender)
}

/// Row V12.
/// There, the bundles of the old run call the old handlers in the new one.
#[tokio::test(start_paused = true)]
async fn a_restart_is_a_new_server() {
    let (old, new) = (Count::default(), Count::default());
    let (server, _sender) = waiting(&old).await;
    server.shutdown().await;
    let (server, _sender) = waiting(&new).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((old.load(SeqCst), new.load(SeqCst)), (0, 1));
    server.shutdown().await;
}

/// Row V07.
/// There, a misspelt parameter is ignored. Here an unknown option of a URL is refused by its name, and a
/// misspelt method does not compile (see `tests/compile/misspelt_option.rs`).
#[test]
fn an_unknown_option_is_refused_and_named() {
    for (text, scheme) in [
        ("osc.udp://127.0.0.1:9000/?buffer_size=65536", "osc.udp"),
        ("osc.tcp://127.0.0.1:9000/?buffer_size=65536", "osc.tcp"),
        ("osc.unix:///run/osc?buffer_size=65536", "osc.unix"),
    ] {
        let error = text.parse::<Endpoint>().unwrap_err().to_string();
        assert_eq!(error, format!("`buffer_size` is not an option of {scheme}"));
    }
}

/// Row V13.
/// There, `osc_process` before `osc_startup` fails. Here what a frame calls may be called at any time.
#[test]
fn a_frame_that_is_processed_before_anything_is_spawned_does_nothing_and_loses_nothing() {
    let mut frames = FrameLoop::new().unwrap();
    let mut inbox = Inbox::new(8);
    let router = Router::new().route("/n", inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n)));
    let mut seen = Vec::new();
    frames.process(Duration::ZERO).unwrap();
    inbox.process(&mut seen, Duration::ZERO);
    assert!(seen.is_empty());

    let server = frames
        .block_on(async { Server::new(router).feed("test", stream::iter([item(("/n", 7))])).spawn() })
        .unwrap();
    for _frame in 0..100 {
        frames.process(Duration::from_millis(1)).unwrap();
        inbox.process(&mut seen, Duration::from_millis(1));
    }
    assert_eq!(seen, [7]);
    frames.block_on(server.shutdown()).unwrap();
}

/// Row V16.
/// There, `select` ends at file 1,023. In a process of its own, which may open more.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_beyond_the_1024th_file_is_served() {
    if std::env::var_os("MANY_FILES").is_some() {
        return beyond_many_files();
    }
    let this = std::env::current_exe().unwrap();
    let name = "v_life::a_socket_beyond_the_1024th_file_is_served";
    let run = format!("ulimit -n 2048; MANY_FILES=1 exec '{}' --exact --nocapture {name}", this.display());
    let output = std::process::Command::new("sh").args(["-c", &run]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "it has run");
}

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn beyond_many_files() {
    let files: Vec<_> = (0..1_100).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
    assert!(files.iter().any(|file| file.as_raw_fd() > 1_024));
    let router = Router::new().route("/ping", || ("/pong", ()));
    let server = Server::new(router)
        .listen("udp", Channel::udp(LOOPBACK).await.unwrap())
        .listen("tcp", Channel::tcp(LOOPBACK, Slip::new()).await.unwrap())
        .spawn();
    let udp = Client::udp(server.local_addr("udp").unwrap()).await.unwrap();
    let tcp = Client::tcp(server.local_addr("tcp").unwrap(), Slip::new()).await.unwrap();
    for client in [udp, tcp] {
        client.request(("/ping", ()), "/pong").await.unwrap();
    }
    server.shutdown().await;
}
