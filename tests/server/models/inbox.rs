//! I/O in the background, handlers where the owner polls.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use futures::channel::mpsc;
use futures::stream;
use tokio_osc::dispatch::{Budget, Inbox};
use tokio_osc::packet::Overflow;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::server::Stats;
use tokio_osc::{
    Args, Bundle, Bytes, Captures, Channel, Client, Message, Meta, Packet, Peer, Reply, Router, Server,
    ServerHandle, TimeTag,
};

use super::{Item, item, ms};

/// Packets for a server that stays open.
fn feed() -> (mpsc::UnboundedSender<Item>, mpsc::UnboundedReceiver<Item>) {
    mpsc::unbounded()
}

/// An inbox that notes numbers, and its server.
fn noting(inbox: &mut Inbox<Vec<i32>>) -> (mpsc::UnboundedSender<Item>, ServerHandle) {
    let note = inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n));
    let (sender, packets) = feed();
    let router = Router::new().route("/n", note).route("/sync", || {});
    (sender, Server::new(router).feed("test", packets).spawn())
}

async fn until(server: &ServerHandle, reached: impl Fn(&Stats) -> bool) {
    while !reached(&server.stats()) {
        tokio::task::yield_now().await;
    }
}

/// Row V02, `as_comthreads`: there sending does not work at all.
#[test]
fn handlers_run_on_the_owners_thread_with_what_only_it_has() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut pitch = [0.0; 4];
    let mut inbox = Inbox::new(64);
    let router = Router::new()
        .route(
            "/synth/*/freq",
            inbox.on(|world: &mut World<'_>, Captures(voice): Captures<usize>, Args(hz): Args<f32>| {
                world.pitch[voice] = hz;
                world.calls.set(world.calls.get() + 1);
                assert_eq!(world.owner, thread::current().id());
            }),
        )
        .route(
            "/ask",
            inbox.on(|world: &mut World<'_>, Args(voice): Args<i32>, reply: Reply| {
                reply.try_send(("/told", world.pitch[usize::try_from(voice).unwrap()])).unwrap();
            }),
        );
    let (server, client) = runtime.block_on(async {
        let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await.unwrap()).spawn();
        let client = Client::udp(server.local_addr("udp").unwrap()).await.unwrap();
        (server, client)
    });
    let asking = runtime.spawn(async move {
        client.send(("/synth/1/freq", 440.0_f32)).await.unwrap();
        client.send(("/synth/2/freq", 220.0_f32)).await.unwrap();
        client.send(("/synth/2/freq", "loud")).await.unwrap();
        client.request(("/ask", 2), "/told").await.unwrap().parse::<f32>()
    });
    let calls = Rc::new(Cell::new(0));
    let mut world = World { pitch: &mut pitch, calls: Rc::clone(&calls), owner: thread::current().id() };
    while !asking.is_finished() {
        if inbox.wait(ms(10)) {
            inbox.process(&mut world, ms(1));
        }
    }
    drop(inbox);
    assert_eq!(runtime.block_on(asking).unwrap(), Ok(220.0));
    assert_eq!((pitch, calls.get()), ([0.0, 440.0, 220.0, 0.0], 2));
    let stats = runtime.block_on(server.shutdown());
    assert_eq!((stats.handled, stats.rejected), (3, 1));
}

/// Neither `Send` nor `'static`.
struct World<'a> {
    pitch: &'a mut [f32; 4],
    calls: Rc<Cell<u32>>,
    owner: thread::ThreadId,
}

#[tokio::test]
async fn calls_keep_the_order_of_dispatch_over_all_routes() {
    let mut inbox = Inbox::new(1_000);
    let router = Router::new()
        .route("/even", inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n)))
        .route("/odd", inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n)));
    let items: Vec<_> = (0..1_000).map(|n| item((if n % 2 == 0 { "/even" } else { "/odd" }, n))).collect();
    Server::new(router).feed("test", stream::iter(items)).run().await;
    assert_eq!(inbox.len(), 1_000);
    let mut seen = Vec::new();
    let progress = inbox.process(&mut seen, ms(60_000));
    assert_eq!((progress.steps, progress.is_idle, inbox.dropped()), (1_000, true, 0));
    assert!(seen.iter().copied().eq(0..1_000));
}

#[tokio::test]
async fn a_full_inbox_does_what_its_policy_says_and_counts() {
    for (overflow, kept) in [(Overflow::DropNewest, [0, 1, 2]), (Overflow::DropOldest, [97, 98, 99])] {
        let mut inbox = Inbox::new(3).overflow(overflow);
        let note = inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n));
        let items: Vec<_> = (0..100).map(|n| item(("/n", n))).collect();
        Server::new(Router::new().route("/n", note)).feed("test", stream::iter(items)).run().await;
        let mut seen = Vec::new();
        assert_eq!(inbox.process(&mut seen, ms(60_000)).steps, 3);
        assert_eq!((&seen[..], inbox.dropped()), (&kept[..], 97), "{overflow:?}");
    }
}

#[tokio::test]
async fn an_inbox_that_waits_loses_nothing_and_the_server_waits_with_it() {
    let mut inbox = Inbox::new(2);
    let (sender, server) = noting(&mut inbox);
    for n in 0..10 {
        sender.unbounded_send(item(("/n", n))).unwrap();
    }
    sender.unbounded_send(item(("/sync", ()))).unwrap();
    until(&server, |stats| stats.matched == 3).await;
    assert_eq!((inbox.len(), server.stats().handled), (2, 2), "the third waits for room");
    let mut seen = Vec::new();
    while server.stats().handled < 11 {
        inbox.process(&mut seen, ms(1));
        tokio::task::yield_now().await;
    }
    inbox.process(&mut seen, ms(60_000));
    assert_eq!((seen, inbox.dropped()), ((0..10).collect(), 0));
}

#[tokio::test]
async fn a_dropped_inbox_blocks_no_sender() {
    let mut inbox = Inbox::new(2);
    let (sender, server) = noting(&mut inbox);
    for n in 0..10 {
        sender.unbounded_send(item(("/n", n))).unwrap();
    }
    sender.unbounded_send(item(("/sync", ()))).unwrap();
    until(&server, |stats| stats.matched == 3).await;
    drop(inbox);
    until(&server, |stats| stats.handled == 11).await;
}

#[tokio::test]
async fn a_budget_of_steps_leaves_the_rest() {
    let mut inbox = Inbox::new(16);
    let (sender, server) = noting(&mut inbox);
    for n in 0..10 {
        sender.unbounded_send(item(("/n", n))).unwrap();
    }
    until(&server, |stats| stats.handled == 10).await;
    let mut seen = Vec::new();
    let progress = inbox.process(&mut seen, Budget::new(ms(60_000)).steps(4));
    assert_eq!((progress.steps, progress.is_idle, &seen[..]), (4, false, &[0, 1, 2, 3][..]));
    let progress = inbox.process(&mut seen, ms(60_000));
    assert_eq!((progress.steps, progress.is_idle, seen.len()), (6, true, 10));
    // Row V14: nothing to do is nothing done.
    let progress = inbox.process(&mut seen, ms(60_000));
    assert_eq!((progress.steps, progress.is_idle), (0, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_of_a_bundle_stay_adjacent() {
    let mut inbox = Inbox::new(2);
    let router = Router::new().route("/*", inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n)));
    let bundles = |source: i32| {
        let bundle = move |n| {
            let n = n * 10 + source;
            item(Bundle::immediately().with(("/a", n)).with(("/b", n)).with(("/c", n)))
        };
        stream::iter((0..1_000).map(bundle))
    };
    tokio::spawn(Server::new(router).feed("one", bundles(1)).feed("two", bundles(2)).run());
    let mut seen = Vec::new();
    while inbox.ready().await {
        inbox.process(&mut seen, ms(1));
    }
    assert_eq!(seen.len(), 6_000);
    assert!(seen.chunks(3).all(|three| three == [three[0]; 3]));
}

#[tokio::test(start_paused = true)]
async fn timed_bundles_reach_the_inbox_when_they_are_due() {
    let clock = TokioClock::new();
    let start = clock.now().wall;
    let mut inbox = Inbox::new(16);
    let router = Router::new().route("/n", inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| seen.push(n)));
    let later = item(Bundle::at(TimeTag::at(start + ms(100))).with(("/n", 2)).with(("/n", 3)));
    let items = stream::iter([later, item(("/n", 1))]);
    tokio::spawn(Server::new(router).feed("test", items).clock(clock).run());
    let (mut seen, mut times) = (Vec::new(), Vec::new());
    while inbox.ready().await {
        inbox.process(&mut seen, ms(60_000));
        times.push((seen.len(), clock.now().wall.duration_since(start).unwrap()));
    }
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(times.first(), Some(&(1, ms(0))));
    assert!(times.last().is_some_and(|(_, at)| (ms(100)..=ms(101)).contains(at)), "{times:?}");
}

#[tokio::test]
async fn a_panic_is_the_owners_and_the_other_calls_still_wait() {
    let mut inbox = Inbox::new(16);
    let note = inbox.on(|seen: &mut Vec<i32>, Args(n): Args<i32>| {
        assert_ne!(n, 1, "this one panics");
        seen.push(n);
    });
    let items: Vec<_> = (0..3).map(|n| item(("/n", n))).collect();
    Server::new(Router::new().route("/n", note)).feed("test", stream::iter(items)).run().await;
    let mut seen = Vec::new();
    let call = AssertUnwindSafe(|| inbox.process(&mut seen, ms(60_000)));
    assert!(catch_unwind(call).is_err());
    inbox.process(&mut seen, ms(60_000));
    assert_eq!(seen, [0, 2]);
}

#[test]
fn an_inbox_without_routes_is_never_ready_and_never_waits() {
    let mut inbox = Inbox::new(16);
    assert!(!inbox.wait(ms(3_600_000)));
    let post = inbox.on(|(): &mut (), _: Message| {});
    assert!(!inbox.wait(ms(0)), "one may come");
    let dropping = thread::spawn(move || drop(post));
    assert!(!inbox.wait(ms(3_600_000)), "none can come any more");
    dropping.join().unwrap();
}

/// A message of a few bytes does not keep the buffer that it was received in.
#[tokio::test]
async fn a_waiting_message_is_copied_to_its_size() {
    let buffer = Bytes::from([&Message::new("/n", 7).unwrap().as_bytes()[..], &vec![0; 60_000][..]].concat());
    let start = buffer.as_ptr() as usize;
    let packet = Packet::decode(buffer.slice(..12)).unwrap();
    let mut inbox = Inbox::new(16);
    let router =
        Router::new().route("/n", inbox.on(|seen: &mut Vec<Message>, message: Message| seen.push(message)));
    let items = vec![(Ok(packet), Meta::from_peer(Peer::LOCAL))];
    Server::new(router).feed("test", stream::iter(items)).run().await;
    let mut seen = Vec::new();
    inbox.process(&mut seen, ms(60_000));
    let at = seen[0].as_bytes().as_ptr() as usize;
    assert!(!(start..start + 60_012).contains(&at));
    assert_eq!((seen[0].to_string().as_str(), Arc::new(buffer).len()), ("/n ,i 7", 60_012));
}
