//! Bundles whose turn comes later than their time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_osc::schedule::{Clock, LatePolicy, TimeOptions};
use tokio_osc::{Bundle, Server};

use crate::support::rig::*;

fn policy(policy: LatePolicy) -> impl FnOnce(Server) -> Server {
    |server| server.time(TimeOptions::new().late(policy))
}

/// Pushes a bundle for each lateness, and waits until the server has received them.
async fn push_late(rig: &Rig, lateness: &[Duration]) {
    for (n, late) in (0..).zip(lateness) {
        rig.push(Bundle::at(rig.clock.tag() - *late).with(("/n", n)));
    }
    rig.push(("/end", 0));
    while rig.log.all().last().is_none_or(|ran| ran.address() != "/end") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_late_bundles_run_and_handlers_know() {
    let rig = Rig::new();
    let lateness = [ms(0), NANO, ms(5), HOUR];
    push_late(&rig, &lateness).await;
    let ran = rig.log.all();
    let seen: Vec<_> = ran[..4].iter().map(|ran| ran.meta.lateness).collect();
    assert_eq!(seen, lateness);
    let stats = rig.server.stats();
    assert_eq!((stats.schedule.late, stats.late_dropped, stats.late_handed), (3, 0, 0));
    let histogram = stats.schedule.lateness;
    let buckets: Vec<_> = histogram.buckets().filter(|(_, count)| *count > 0).collect();
    let wanted = [(Duration::from_micros(50), 2), (ms(5), 1), (Duration::MAX, 1)];
    assert_eq!(buckets, wanted);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_tolerance_bundles_are_dropped_whole_and_counted() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropAfter(ms(20))));
    push_late(&rig, &[ms(0), ms(20), ms(20) + NANO, SECOND]).await;
    let numbers: Vec<_> = rig.log.all().iter().map(Ran::number).collect();
    assert_eq!(numbers, [0, 1, 0], "exactly 20 ms is not too late");
    let stats = rig.server.stats();
    assert_eq!((stats.late_dropped, stats.schedule.lateness.count()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_arrives_in_time_runs_however_long_it_then_waits() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropLateArrivals(ms(0))));
    rig.push(("/sleep", 40));
    rig.push(Bundle::at(rig.clock.after(ms(10))).with(("/waits", 1)));
    rig.push(Bundle::at(rig.clock.tag()).with(("/now", 2)));
    let ran = rig.log.reaches(2).await;
    let mut seen: Vec<_> = ran.iter().map(|ran| (ran.number(), ran.meta.lateness)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [(1, ms(30)), (2, ms(40))], "30 and 40 ms late when their turn came");
    assert_eq!(rig.server.stats().late_dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_arrives_too_late_is_dropped_before_it_waits_for_a_handler() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropLateArrivals(ms(20))));
    push_late(&rig, &[ms(0), ms(20), ms(20) + NANO, SECOND]).await;
    let numbers: Vec<_> = rig.log.all().iter().map(Ran::number).collect();
    assert_eq!(numbers, [0, 1, 0], "exactly 20 ms is not too late");
    let stats = rig.server.stats();
    assert_eq!((stats.late_dropped, stats.schedule.late, stats.schedule.lateness.count()), (2, 3, 4));
    assert!(stats.to_string().contains("3 late on arrival\n"), "{stats}");
}

#[tokio::test(start_paused = true)]
async fn the_printed_stats_name_waiting_bundles() {
    let rig = Rig::new();
    assert!(!rig.server.stats().to_string().contains("waiting"));
    rig.push(Bundle::at(rig.clock.after(HOUR)).with(("/n", 1)));
    rig.push(Bundle::at(rig.clock.after(HOUR)).with(("/n", 2)));
    rig.taken_in().await;
    for printed in [rig.server.stats().to_string(), rig.server.report().to_string()] {
        assert!(printed.contains("2 waiting for their time\n"), "{printed}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_bundles_are_handed_over_with_their_lateness() {
    let handed = Arc::new(Mutex::new(Vec::new()));
    let hand = {
        let handed = Arc::clone(&handed);
        LatePolicy::hand(ms(1), move |bundle, meta| {
            handed.lock().unwrap().push((bundle.elements().count(), meta.peer, meta.lateness));
            assert!(meta.lateness < SECOND, "a test panics on purpose");
        })
    };
    let rig = Rig::with(TestClock::new(), policy(hand));
    push_late(&rig, &[ms(1), ms(2), SECOND, ms(3)]).await;
    let wanted = [ms(2), SECOND, ms(3)].map(|late| (1, peer(1), late));
    assert_eq!(*handed.lock().unwrap(), wanted);
    let stats = rig.server.stats();
    assert_eq!((stats.late_handed, stats.hooks_panicked, stats.handled), (3, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_its_time_may_be_late_too() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropAfter(ms(20))));
    for n in 0..5_u32 {
        rig.push(Bundle::at(rig.clock.after(ms(10) + ms(10) * n)).with(("/n", n as i32)));
    }
    rig.taken_in().await;
    tokio::time::sleep(ms(5)).await;
    rig.push(("/sleep", 40)); // until 45 ms: 0 and 1 are 35 and 25 ms late
    let ran = rig.log.reaches(3).await;
    let seen: Vec<_> = ran.iter().map(|ran| (ran.number(), ran.meta.lateness)).collect();
    assert_eq!(seen, [(2, ms(15)), (3, ms(5)), (4, ms(0))]);
    assert_eq!(rig.server.stats().late_dropped, 2);
}

#[tokio::test(start_paused = true)]
async fn lateness_grows_while_a_bundle_waits_in_the_inbox() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropAfter(ms(20))));
    rig.push(("/sleep", 15));
    rig.push(Bundle::at(rig.clock.tag() - ms(10)).with(("/too_late_by_then", 1)));
    rig.push(Bundle::at(rig.clock.tag() - ms(5)).with(("/just_in_time", 1)));
    let ran = rig.log.reaches(1).await;
    assert_eq!((ran[0].address().as_str(), ran[0].meta.lateness), ("/just_in_time", ms(20)));
}

#[tokio::test(start_paused = true)]
async fn only_the_tag_of_the_outermost_bundle_counts() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropAfter(ms(20))));
    let old = Bundle::at(rig.clock.tag() - SECOND).with(("/inner", 1));
    rig.push(Bundle::immediately().with(("/outer", 1)).with(old));
    let ran = rig.log.reaches(2).await;
    assert_eq!((ran[0].meta.lateness, ran[1].meta.lateness), (ms(0), SECOND));
    assert_eq!(rig.server.stats().late_dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_suspend_late_bundles_follow_the_policy_in_order() {
    let rig = Rig::with(TestClock::new(), policy(LatePolicy::DropAfter(SECOND * 5)));
    for n in 0..10_u32 {
        rig.push(Bundle::at(rig.clock.after(SECOND * (n + 1))).with(("/n", n as i32)));
    }
    rig.taken_in().await;
    rig.clock.step(10_000); // monotonic time stood still
    let ran = rig.log.reaches(5).await;
    let numbers: Vec<_> = ran.iter().map(Ran::number).collect();
    let noticed = ran[0].at;
    assert!(noticed <= SECOND, "noticed within the check interval");
    assert_eq!(numbers, [5, 6, 7, 8, 9], "noticed at 11 s, what was due at 6 s is 5 s late");
    assert_eq!(rig.server.stats().late_dropped, 5);
}
