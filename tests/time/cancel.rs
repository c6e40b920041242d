//! Waiting bundles are listed, and cancelled by name, peer, address or altogether.

use std::net::IpAddr;
use std::sync::Arc;

use tokio_osc::packet::ScheduleId;
use tokio_osc::schedule::Clock;
use tokio_osc::{Bundle, Peer, Server};

use crate::support::rig::*;

/// Four bundles 10 ms apart, from peers 1 and 2 by turns.
async fn four_waiting() -> Rig {
    let rig = Rig::new();
    for n in [3, 1, 2, 0_u8] {
        let tag = rig.clock.after(ms(10 + 10 * u64::from(n)));
        let inner = Bundle::at(tag).with((format!("/synth/{n}/gate"), 1));
        let bundle = Bundle::at(tag).with((format!("/mixer/{n}/gain"), i32::from(n))).with(inner);
        rig.push_from(peer(1 + n % 2), bundle);
    }
    rig.taken_in().await;
    rig
}

#[tokio::test(start_paused = true)]
async fn pending_lists_bundles_in_the_order_in_which_they_run() {
    let rig = four_waiting().await;
    let start = rig.clock.now().wall;
    let pending = rig.server.pending();
    let seen: Vec<_> = pending.iter().map(|one| (one.due.duration_since(start).unwrap(), one.peer)).collect();
    assert_eq!(seen, [0, 1, 2, 3].map(|n| (ms(10 + 10 * u64::from(n)), peer(1 + n % 2))));
    assert!(pending.iter().all(|one| &*one.channel == "test" && one.bundle.elements().count() == 2));

    let ran = rig.log.reaches(8).await;
    let ids: Vec<_> = pending.iter().flat_map(|one| [Some(one.id); 2]).collect();
    assert_eq!(
        ran.iter().map(|ran| ran.meta.schedule_id()).collect::<Vec<_>>(),
        ids,
        "handlers see the names"
    );
    assert!(rig.server.pending().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_cancelled_once_and_by_its_name() {
    let rig = four_waiting().await;
    let id = rig.server.pending()[1].id;
    let as_sent = ScheduleId::from_bits(id.to_bits());
    assert!(rig.server.cancel(as_sent));
    assert!(!rig.server.cancel(id), "it is gone");
    assert!(!rig.server.cancel(ScheduleId::from_bits(u64::MAX)));
    let ran = rig.log.reaches(6).await;
    let addresses: Vec<_> = ran.iter().step_by(2).map(Ran::address).collect();
    assert_eq!(addresses, ["/mixer/0/gain", "/mixer/2/gain", "/mixer/3/gain"]);
    assert!(!rig.server.cancel(ran[0].meta.schedule_id().unwrap()), "it ran");
    let stats = rig.server.shutdown().await.schedule;
    assert_eq!((stats.pushed, stats.run, stats.cancelled), (4, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn bundles_are_cancelled_by_peer_however_its_address_is_written() {
    let rig = four_waiting().await;
    assert_eq!(rig.server.cancel_peer([192, 0, 2, 9]), 0);
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    assert_eq!(rig.server.cancel_peer(mapped), 2);
    let ran = rig.log.reaches(4).await;
    assert!(ran.iter().all(|ran| ran.meta.peer == peer(2)));
    rig.push_from(Peer::LOCAL, Bundle::at(rig.clock.after(ms(1))).with(("/local", 1)));
    rig.taken_in().await;
    assert_eq!(rig.server.cancel_peer([192, 0, 2, 2]), 0, "a bundle without an address belongs to no peer");
    rig.log.reaches(5).await;
}

#[tokio::test(start_paused = true)]
async fn bundles_are_cancelled_whole_by_any_address_in_them() {
    let rig = four_waiting().await;
    assert_eq!(rig.server.cancel_matching("/mixer/9/*").unwrap(), 0);
    assert_eq!(
        rig.server.cancel_matching("/synth/{1,3}/gate").unwrap(),
        2,
        "addresses of inner bundles count"
    );
    assert_eq!(rig.server.cancel_matching("/mixer/0/gain").unwrap(), 1);
    assert!(rig.server.cancel_matching("/[").is_err());
    let ran = rig.log.reaches(2).await;
    assert_eq!([ran[0].address(), ran[1].address()], ["/mixer/2/gain", "/synth/2/gate"]);
    assert_eq!(rig.log.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn everything_is_cancelled() {
    let rig = four_waiting().await;
    assert_eq!((rig.server.cancel_all(), rig.server.cancel_all()), (4, 0));
    tokio::time::sleep(SECOND).await;
    assert_eq!(rig.log.len(), 0);
    let stats = rig.server.shutdown().await;
    assert_eq!((stats.schedule.cancelled, stats.schedule.pending, stats.discarded), (4, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_waits_ends_when_nothing_waits_any_more() {
    let clock = TestClock::new();
    let start = clock.now().monotonic;
    let (feed, packets) = Feed::new();
    let router = router(Arc::new(Log::default()), clock.clone());
    let server = Server::new(router).feed("test", packets).clock(clock.clone()).spawn();
    feed.push(peer(1), Bundle::at(clock.after(HOUR)).with(("/never", 1)));
    drop(feed);
    while server.pending().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    server.cancel_all();
    server.wait().await;
    assert_eq!(clock.now().monotonic, start, "at once");
}
