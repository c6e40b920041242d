//! When bundles run, in which order, and as one unit.

use tokio_osc::packet::ScheduleId;
use tokio_osc::schedule::{Clock, ScheduleLimits};
use tokio_osc::{Bundle, TimeTag};

use crate::support::rig::*;

#[tokio::test(start_paused = true)]
async fn bundles_run_at_their_times_whatever_the_order_of_arrival() {
    let rig = Rig::new();
    let delays = [700, 3, 1, 999, 400, 2, 86_400_000];
    for delay in delays {
        rig.push(Bundle::at(rig.clock.after(ms(delay))).with(("/n", i32::try_from(delay).unwrap())));
    }
    let ran = rig.log.reaches(delays.len()).await;
    let times: Vec<_> = ran.iter().map(|ran| (ran.number(), ran.at, ran.meta.lateness)).collect();
    let mut sorted = delays;
    sorted.sort_unstable();
    let wanted = sorted.map(|delay| (i32::try_from(delay).unwrap(), ms(delay), ms(0)));
    assert_eq!(times, wanted);
    assert!(ran.iter().all(|ran| ran.meta.time_tag.is_some_and(|tag| tag.near(ran.wall) == ran.wall)));
}

#[tokio::test(start_paused = true)]
async fn between_two_milliseconds_a_bundle_is_never_early_and_late_by_less_than_one() {
    let rig = Rig::new();
    for nanos in [1, 999_999, 1_000_001, 77_345_678] {
        rig.push(Bundle::at(rig.clock.after(NANO * nanos)).with(("/n", i32::try_from(nanos).unwrap())));
    }
    for ran in rig.log.reaches(4).await {
        let due = NANO * ran.number().unsigned_abs();
        assert!(ran.at >= due && ran.at - due < ms(1), "{:?} for {due:?}", ran.at);
        assert_eq!(ran.meta.lateness, ran.at - due, "handlers get the lateness");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_equal_tags_from_ten_senders_run_in_order_of_arrival() {
    let rig = Rig::new();
    let tag = rig.clock.after(ms(50));
    for n in 0..1_000 {
        rig.push_from(peer((n % 10) as u8), Bundle::at(tag).with(("/n", n)));
    }
    let ran = rig.log.reaches(1_000).await;
    let errors = (0..).zip(&ran).filter(|(n, ran)| ran.number() != *n || ran.at != ms(50)).count();
    assert_eq!(errors, 0);
}

#[tokio::test(start_paused = true)]
async fn equal_tags_keep_their_order_also_when_some_arrive_at_the_very_time() {
    let rig = Rig::new();
    let tag = rig.clock.after(ms(10));
    rig.push(Bundle::at(tag).with(("/n", 0)));
    rig.push(Bundle::at(tag).with(("/n", 1)));
    rig.push(("/sleep", 10));
    rig.taken_in().await;
    tokio::time::sleep(ms(10)).await;
    rig.push(Bundle::at(tag).with(("/n", 2)));
    let numbers: Vec<_> = rig.log.reaches(3).await.iter().map(Ran::number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_between_the_messages_of_a_bundle() {
    let rig = Rig::new();
    let due = |at| Bundle::at(rig.clock.after(ms(at)));
    rig.push(
        due(10).with(("/a", 1)).with(("/sleep", 20)).with(("/a", 2)).with(("/sleep", 20)).with(("/a", 3)),
    );
    rig.push(due(20).with(("/b", 1)));
    rig.taken_in().await;
    tokio::time::sleep(ms(25)).await;
    rig.push(("/c", 1));
    let ran = rig.log.reaches(5).await;
    let wanted = [("/a", ms(10)), ("/a", ms(30)), ("/a", ms(50)), ("/b", ms(50)), ("/c", ms(50))];
    assert_eq!(times(&ran), expect(&wanted));
    assert_eq!(ran[3].meta.lateness, ms(30), "it waited for the other to end");
}

#[tokio::test(start_paused = true)]
async fn an_inner_bundle_runs_at_its_place_if_due_and_on_its_own_if_later() {
    let rig = Rig::new();
    let at = |millis| Bundle::at(rig.clock.after(ms(millis)));
    rig.push(
        at(100)
            .with(("/1", 1))
            .with(at(40).with(("/before_its_parent", 1)))
            .with(at(300).with(("/later", 1)).with(at(500).with(("/latest", 1))))
            .with(at(100).with(("/equal", 1)))
            .with(Bundle::immediately().with(("/immediate", 1)))
            .with(Bundle::at(TimeTag::from_bits(0)).with(("/unset", 1)))
            .with(("/2", 1)),
    );
    let ran = rig.log.reaches(8).await;
    let outer = ["/1", "/before_its_parent", "/equal", "/immediate", "/unset", "/2"];
    let mut wanted: Vec<_> = outer.map(|address| (address, ms(100))).into();
    wanted.extend([("/later", ms(300)), ("/latest", ms(500))]);
    assert_eq!(times(&ran), expect(&wanted));
    assert!(ran.iter().all(|ran| ran.meta.lateness == ms(0)));
    let stats = rig.server.stats().schedule;
    assert_eq!((stats.pushed, stats.run, stats.late, stats.unset), (3, 3, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn each_bundle_that_waited_has_a_name_and_a_lateness_of_its_own() {
    let rig = Rig::new();
    let at = |millis| Bundle::at(rig.clock.after(ms(millis)));
    rig.push(
        at(10)
            .with(("/sleep", 30))
            .with(("/outer", 1))
            .with(at(25).with(("/inner", 1)))
            .with(at(60).with(("/on_its_own", 1))),
    );
    rig.push(("/plain", 1));
    let ran = rig.log.reaches(4).await;
    let seen: Vec<_> = ran.iter().map(|ran| (ran.address(), ran.meta.lateness)).collect();
    let wanted = [("/plain", ms(0)), ("/outer", ms(0)), ("/inner", ms(15)), ("/on_its_own", ms(0))];
    assert_eq!(seen, expect(&wanted));
    let ids: Vec<Option<ScheduleId>> = ran.iter().map(|ran| ran.meta.schedule_id()).collect();
    assert_eq!((ids[0], ids[1]), (None, ids[2]));
    assert!(ids[1].is_some() && ids[3].is_some() && ids[1] != ids[3]);
}

#[tokio::test(start_paused = true)]
async fn the_limits_hold_on_both_sides() {
    let limits =
        ScheduleLimits::default().entries(20).entries_per_peer(5).bytes(10_000).bytes_per_peer(1_000);
    let rig = Rig::with(TestClock::new(), |server| server.schedule(limits));
    let bundle = |bytes: usize| Bundle::at(rig.clock.after(SECOND)).with(("/b", vec![0_u8; bytes]));
    for _ in 0..6 {
        rig.push_from(peer(1), bundle(0));
    }
    for _ in 0..3 {
        rig.push_from(peer(2), bundle(468)); // 500 bytes, all in all
    }
    for number in 3..=6 {
        for _ in 0..4 {
            rig.push_from(peer(number), bundle(0));
        }
    }
    rig.taken_in().await;
    let stats = rig.server.stats().schedule;
    assert_eq!(stats.dropped_peer_entries, 1, "five of one peer, not six");
    assert_eq!(stats.dropped_peer_bytes, 1, "1,000 bytes of one peer, not 1,500");
    assert_eq!((stats.pending, stats.peers), (20, 6));
    assert_eq!(stats.dropped_entries, 3, "twenty of all, not one more");
    rig.log.reaches(20).await;
    let stats = rig.server.shutdown().await;
    assert_eq!((stats.schedule.run, stats.discarded), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_bundles_follow_the_wall_clock_through_every_step() {
    for step in [0, 1_000, -1_000, 3_600_000, -3_600_000] {
        let rig = Rig::new();
        let start = rig.clock.now().wall;
        for n in 0..100_u32 {
            rig.push(Bundle::at(rig.clock.after(SECOND * 10 + ms(100) * n)).with(("/n", n as i32)));
        }
        rig.taken_in().await;
        tokio::time::sleep(SECOND * 5).await;
        rig.clock.step(step);
        let ran = rig.log.reaches(100).await;
        assert!((0..).zip(&ran).all(|(n, ran)| ran.number() == n), "in order, step {step}");
        for (n, ran) in (0..).zip(&ran) {
            let due = start + SECOND * 10 + ms(100) * n;
            if step == 3_600_000 {
                assert!(ran.at <= SECOND * 6, "overdue, and run when the step is noticed: {:?}", ran.at);
            } else {
                assert_eq!(ran.wall, due, "exactly at its wall time, step {step}");
            }
        }
        let stats = rig.server.shutdown().await.schedule;
        assert_eq!(stats.clock_steps, u64::from(step != 0));
    }
}

#[tokio::test(start_paused = true)]
async fn bundles_cross_the_border_of_2036_a_second_apart() {
    let border = std::time::UNIX_EPOCH + std::time::Duration::from_secs(2_085_978_496);
    let rig = Rig::with(TestClock::starting_at(border - SECOND * 11), |server| server);
    for n in 0..=20_u32 {
        rig.push(Bundle::at(TimeTag::at(border - SECOND * 10 + SECOND * n)).with(("/n", n as i32)));
    }
    let ran = rig.log.reaches(21).await;
    for (n, ran) in (0..).zip(&ran) {
        // The tag at the border itself would read 0: it is written 2, half a nanosecond later.
        let off = ran.at.abs_diff(SECOND * (n + 1));
        assert!(ran.number() == n as i32 && off <= ms(1) * u32::from(n == 10), "{n}: off by {off:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tags_without_a_usable_time_run_at_once_and_are_counted() {
    let rig = Rig::new();
    let seconds_since_boot = (0..50).map(|n| TimeTag::new(86_400 + n, 12_345));
    let tags = seconds_since_boot.chain([TimeTag::from_bits(0), TimeTag::from_bits(2), TimeTag::IMMEDIATELY]);
    for tag in tags {
        rig.push(Bundle::at(tag).with(("/n", 1)));
    }
    let ran = rig.log.reaches(53).await;
    assert!(ran.iter().all(|ran| ran.at == ms(0) && ran.meta.lateness == ms(0)));
    let stats = rig.server.stats().schedule;
    assert_eq!((stats.beyond_horizon, stats.unset, stats.pushed), (51, 1, 0));
}

/// Row N10.
/// There, `z`, `a` and `m` with one tag run as `a`, `m` and `z`.
#[tokio::test(start_paused = true)]
async fn three_bundles_of_one_tag_run_in_order_of_arrival_and_not_of_their_content() {
    let rig = Rig::new();
    let tag = rig.clock.after(ms(10));
    for address in ["/z", "/a", "/m"] {
        rig.push(Bundle::at(tag).with((address, 1)));
    }
    let ran = rig.log.reaches(3).await;
    assert_eq!(ran.iter().map(Ran::address).collect::<Vec<_>>(), ["/z", "/a", "/m"]);
}

/// Row N11.
/// There, two bundles of one tag whose blobs cannot be compared stop a thread for good. Here the places of
/// bundles that have run are used again, the last one first, and the order is still that of arrival.
#[tokio::test(start_paused = true)]
async fn bundles_of_one_tag_with_blobs_run_in_order_of_arrival_in_places_used_before() {
    let rig = Rig::new();
    for round in 0..3_usize {
        let tag = rig.clock.after(ms(10));
        for n in 0..4_u8 {
            rig.push_from(peer(n), Bundle::at(tag).with(("/blob", [9 - n; 4])));
        }
        let ran = rig.log.reaches(4 * (round + 1)).await.split_off(4 * round);
        let blobs: Vec<_> = ran.iter().map(|ran| ran.message.parse::<Vec<u8>>().unwrap()[0]).collect();
        assert_eq!(blobs, [9, 8, 7, 6], "round {round}");
    }
}
