//! The numbers of a server: what they add up to, and how they are shown.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use futures::stream;
use tokio_osc::dispatch::Lane;
use tokio_osc::packet::{DecodeOptions, Overflow};
use tokio_osc::schedule::{LatePolicy, ScheduleLimits, TimeOptions};
use tokio_osc::{Args, Bundle, Bytes, Channel, Client, Message, Server, TimeTag, on};

use super::*;

/// One of everything that can become of a packet, a message and a handler.
#[tokio::test]
async fn the_accounts_add_up() {
    let ran = Arc::new(AtomicU64::new(0));
    let count = || {
        let ran = Arc::clone(&ran);
        move || _ = ran.fetch_add(1, SeqCst)
    };
    let router = Router::new()
        .route("/ok", count())
        .route("/ok", count())
        .route("/number", |Args(_): Args<i32>| {})
        .route("/panics", || {
            assert!(std::hint::black_box(false), "a test panics on purpose");
        })
        .route("/lane", on(std::future::pending::<()>).on_lane(&Lane::new(2).overflow(Overflow::DropNewest)));
    let malformed = || (Packet::decode(Bytes::from_static(b"HTTP")), Meta::from_peer(Peer::LOCAL));
    let mended = || {
        let bytes = Bytes::from_static(b"/ok\0");
        let (packet, repairs) = Packet::decode_with(bytes, &DecodeOptions::default()).unwrap();
        let mut meta = Meta::from_peer(Peer::LOCAL);
        meta.set_repairs(repairs);
        (Ok(packet), meta)
    };
    let at = |seconds: u64| TimeTag::after(Duration::from_secs(seconds));
    let past = TimeTag::now() - Duration::from_secs(60);
    let bundle = |tag: TimeTag| Bundle::at(tag).with(("/ok", ()));
    let early_inner = Bundle::at(at(3_600)).with(bundle(at(60)));
    let split = Bundle::immediately().with(("/ok", ())).with(bundle(at(120)));
    let items = vec![
        item(("/ok", ())),
        item(("/nobody", ())),
        item(Message::with_raw_address("/a[", ()).unwrap()),
        item(("/number", "text")),
        item(("/panics", ())),
        malformed(),
        mended(),
        item(bundle(past)),
        item(bundle(at(60))),
        item(early_inner),
        item(split),
    ];
    let lane = (0..6).map(|_| item(("/lane", ())));
    let times = TimeOptions::new().late(LatePolicy::DropAfter(ms(1_000))).check_inner_time_tags(true);
    let (feed, more) = feed();
    let server = Server::new(router)
        .schedule(ScheduleLimits::default().entries(2))
        .time(times)
        .max_calls(2)
        .feed("test", futures::StreamExt::chain(stream::iter(items.into_iter().chain(lane)), more))
        .spawn();
    until(|| server.stats().received == 17 && server.stats().inbox == 0).await;
    // The schedule is full now; and two messages of a bundle are more than may be called.
    feed.unbounded_send(item(bundle(at(180)))).unwrap();
    feed.unbounded_send(item(Bundle::immediately().with(("/number", 1)).with(("/ok", ())).with(("/ok", ()))))
        .unwrap();
    until(|| server.stats().received == 19 && server.stats().ran == 14).await;
    let stats = server.stats();
    assert_balanced(&stats);
    let packets = (stats.received, stats.split_off, stats.ran, stats.malformed, stats.refused_time_tags);
    assert_eq!(packets, (19, 1, 14, 1, 1), "{stats}");
    assert_eq!((stats.late_dropped, stats.schedule.dropped_entries, stats.schedule.pending), (1, 1, 2));
    assert_eq!((stats.repaired, stats.repairs.missing_type_tags), (1, 1));
    let messages = (stats.matched, stats.unmatched, stats.illegal, stats.over_budget, stats.cut_short);
    assert_eq!(messages, (13, 1, 1, 1, 1), "{stats}");
    let report = server.shutdown_with(tokio_osc::Shutdown::new().deadline(ms(0))).await;
    let stats = report.server;
    assert_eq!((stats.discarded, stats.schedule.pending), (2, 0));
    assert_balanced(&stats);
    // Three times two handlers of `/ok`, and one of the message that was cut short; one of `/number`.
    assert_eq!((stats.handled, ran.load(SeqCst)), (8, 7));
    let calls = (stats.rejected, stats.panicked, stats.overflowed + stats.abandoned);
    assert_eq!(calls, (1, 1, 6), "{stats}");
    assert!(stats.overflowed >= 3, "{stats}");

    let channel = report.channel("test").unwrap();
    assert_eq!(channel.received, stats.received, "there is only one");
    assert_eq!((channel.handled, channel.repairs), (stats.handled, stats.repairs));
}

#[tokio::test]
async fn the_sums_are_those_of_the_channels() {
    let server = Server::new(Router::new().route("/n", || {}));
    let server = server
        .listen("one", Channel::udp(LOOPBACK).await.unwrap())
        .listen("two", Channel::udp(LOOPBACK).await.unwrap())
        .spawn();
    let one = Client::udp(server.local_addr("one").unwrap()).await.unwrap();
    let two = Client::udp(server.local_addr("two").unwrap()).await.unwrap();
    for _ in 0..3 {
        one.send(("/n", ())).await.unwrap();
        two.send(("/n", ())).await.unwrap();
        two.send(("/x", ())).await.unwrap();
    }
    until(|| server.stats().ran == 9).await;
    let report = server.report();
    let of = |name| report.channel(name).unwrap();
    assert_eq!((of("one").received, of("two").received, report.server.received), (3, 6, 9));
    assert_eq!((of("one").handled, of("two").handled, report.server.handled), (3, 3, 6));
    assert_eq!((of("one").unmatched, of("two").unmatched, report.server.unmatched), (0, 3, 3));
    assert_eq!(of("one").udp.unwrap().oversized, 0);
    assert!(report.channel("three").is_none());
    let after = server.shutdown_with(tokio_osc::Shutdown::new()).await;
    assert_eq!(after.channel("two").unwrap().received, 6, "they are there to the end");
    assert!(after.channel("two").unwrap().udp.is_some());
}

#[tokio::test]
async fn numbers_are_shown_as_a_table() {
    let items = vec![item(("/n", ())), item(("/x", ()))];
    let server = Server::new(Router::new().route("/n", || {})).feed("replay", stream::iter(items)).spawn();
    server.feed("other", stream::pending()).unwrap();
    until(|| server.stats().ran == 2).await;
    assert_eq!(
        server.stats().to_string(),
        "           2 received\n           2 ran\n           1 matched\n           1 unmatched\n           1 handled\n",
    );
    let table = server.report().to_string();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].ends_with("other "), "{table}");
    assert!(lines[1].ends_with("received"), "{table}");
    let width = lines[1].find(" received").unwrap();
    assert!(lines[1..].iter().all(|line| line.as_bytes()[width] == b' '), "{table}");
    server.shutdown().await;
}
