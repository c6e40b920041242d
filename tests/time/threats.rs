//! Rows 49 to 57 and 60 of the threat model, with their figures.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::Semaphore;
use tokio_osc::schedule::{Clock, HorizonPolicy, LatePolicy, ScheduleLimits, SystemClock, TimeOptions};
use tokio_osc::{Args, Bundle, Router, Server, State, TimeTag};

use crate::support::rig::*;

/// Every tag that broke a peer: far away, past, or no time at all.
fn hostile_tags(clock: &impl Clock) -> Vec<TimeTag> {
    let day = SECOND * 86_400;
    let ahead = [SECOND, HOUR, day, day * 803, day * 365 * 60].map(|delay| clock.after(delay));
    let behind = [SECOND, HOUR, day * 365 * 60].map(|delay| clock.tag() - delay);
    let seconds = [1, 2_208_988_799, 2_208_988_800, 2_208_988_801, u32::MAX].map(|n| TimeTag::new(n, 0));
    let bits = [0, 1, 2, 3, u64::MAX - 1, u64::MAX, 1 << 63].map(TimeTag::from_bits);
    [&ahead[..], &behind, &seconds, &bits].concat()
}

/// Threats 49 and 52: no panic, under each policy, and what is good is delivered on time.
#[tokio::test(start_paused = true)]
async fn no_tag_panics_or_keeps_a_later_message_from_its_time() {
    for policy in [HorizonPolicy::RunNow, HorizonPolicy::Drop] {
        for horizon in [Duration::ZERO, SECOND * 7 * 86_400, Duration::MAX] {
            let limits = ScheduleLimits::default().horizon(horizon).beyond_horizon(policy);
            let rig = Rig::with(TestClock::new(), |server| server.schedule(limits));
            let tags = hostile_tags(&rig.clock);
            for tag in &tags {
                let inner = Bundle::at(*tag).with(("/inner", ()));
                rig.push(Bundle::at(*tag).with(("/hostile", ())).with(inner));
                rig.push(("/good", 1));
            }
            if horizon > SECOND {
                rig.push(Bundle::at(rig.clock.after(ms(500))).with(("/timed", 1)));
            }
            rig.taken_in().await;
            tokio::time::sleep(ms(600)).await;
            let ran = rig.log.all();
            let good: Vec<_> = ran.iter().filter(|ran| ran.address() == "/good").collect();
            assert_eq!(good.len(), tags.len());
            assert!(good.iter().all(|ran| ran.at == ms(0)));
            let timed: Vec<_> =
                ran.iter().filter(|ran| ran.address() == "/timed").map(|ran| ran.at).collect();
            assert_eq!(timed, vec![ms(500); usize::from(horizon > SECOND)]);
            let stats = rig.server.shutdown().await;
            assert_eq!(stats.panicked, 0);
        }
    }
}

/// 50: `packets` datagrams of 2,046 future bundles each, from one peer, while another peer's bundle
/// waits. Returns what the schedule held at most.
async fn flood(packets: u32) -> (usize, usize) {
    let rig = Rig::new();
    let good = peer(2);
    let mut builder = Bundle::immediately();
    for n in 0..2_046_u64 {
        builder = builder.with(Bundle::at(rig.clock.after(HOUR + ms(n % 977))).with(("/f", ())));
    }
    let flood = builder.build().unwrap();
    let (mut entries, mut bytes) = (0, 0);
    for n in 0..packets {
        rig.push(&flood);
        if n == packets / 2 {
            rig.push_from(good, Bundle::at(rig.clock.after(ms(100))).with(("/good", 1)));
        }
        rig.taken_in().await;
        let stats = rig.server.stats().schedule;
        (entries, bytes) = (entries.max(stats.pending), bytes.max(stats.bytes));
    }
    let ran = rig.log.reaches(1).await;
    assert_eq!((ran[0].address().as_str(), ran[0].at), ("/good", ms(100)), "on time to the nanosecond");
    let stats = rig.server.stats().schedule;
    let timers = u64::from(packets) * 2_046;
    let gone = stats.dropped_peer_entries + stats.evicted;
    assert_eq!(gone, timers - 16_384, "all but the share of one peer");
    (entries, bytes)
}

/// Threat 50: more than six times what one peer may hold.
#[tokio::test(start_paused = true)]
async fn a_flood_of_timers_is_capped_and_another_peer_is_on_time() {
    let (entries, bytes) = flood(50).await;
    assert!(entries <= 16_384 + 1, "{entries}");
    assert!(bytes <= 2 * 1024 * 1024, "{bytes}");
}

/// Threat 50, whole: the 12 million timers of a minute at 100 datagrams per second.
#[tokio::test(start_paused = true)]
#[ignore = "takes a minute in a debug build: cargo test --release --test time threats -- --ignored"]
async fn a_flood_of_twelve_million_timers_is_capped() {
    let (entries, bytes) = flood(6_000).await;
    assert!(entries <= 16_384 + 1 && bytes <= 2 * 1024 * 1024, "{entries} {bytes}");
}

/// Threat 50: 20 forged datagrams fill the schedule with bundles of next week. The bundles of a good peer, 50 ms
/// ahead, all run in time.
#[tokio::test(start_paused = true)]
async fn forged_bundles_of_next_week_keep_none_of_now_out() {
    let rig = Rig::new();
    let mut builder = Bundle::immediately();
    for _ in 0..3_300 {
        builder = builder.with(Bundle::at(rig.clock.after(SECOND * 596_160)).with(("/f", ())));
    }
    let forged = builder.build().unwrap();
    for n in 0..20 {
        rig.push_from(peer(100 + n % 5), &forged);
        rig.taken_in().await;
    }
    assert_eq!(rig.server.stats().schedule.pending, 65_536);
    for n in 0..5 {
        rig.push_from(peer(2), Bundle::at(rig.clock.after(ms(50))).with(("/good", n)));
        rig.taken_in().await;
    }
    let ran = rig.log.reaches(5).await;
    assert!(ran.iter().all(|ran| (ran.address().as_str(), ran.at) == ("/good", ms(50))));
    let stats = rig.server.shutdown().await.schedule;
    assert_eq!((stats.run, stats.evicted), (5, 5));
}

/// Threat 51: ten senders, one tag; order errors 0, also for bundles that cannot be compared.
#[tokio::test(start_paused = true)]
async fn equal_tags_run_in_order_of_arrival_whatever_is_in_them() {
    let rig = Rig::new();
    let tag = rig.clock.after(ms(20));
    for n in 0..1_000 {
        let blob = vec![u8::try_from(n % 251).unwrap(); 8];
        rig.push_from(peer((n % 10) as u8), Bundle::at(tag).with(("/z", (n, blob))));
    }
    let ran = rig.log.reaches(1_000).await;
    let errors = (0..).zip(&ran).filter(|&(n, ran)| ran.message.parse::<(i32, Vec<u8>)>().unwrap().0 != n);
    assert_eq!(errors.count(), 0);
}

/// Threat 53: bundles a second apart from 10 s before the border to 10 s after; none more than 1 ms off.
#[tokio::test(start_paused = true)]
async fn the_border_of_2036_is_crossed_without_a_bundle_off_its_time() {
    let border = UNIX_EPOCH + Duration::from_secs(2_085_978_496);
    for arrives in [border - SECOND * 11, border - NANO, border + NANO, border + SECOND * 9] {
        let rig = Rig::with(TestClock::starting_at(arrives), |server| server);
        let dues: Vec<_> = (0..=20).map(|n| border - SECOND * 10 + SECOND * n).collect();
        for due in &dues {
            rig.push(Bundle::at(TimeTag::at(*due)).with(("/n", 1)));
        }
        let ran = rig.log.reaches(dues.len()).await;
        let expected = dues.iter().map(|due| due.duration_since(arrives).unwrap_or_default());
        let off = ran.iter().zip(expected).filter(|(ran, due)| ran.at.abs_diff(*due) > ms(1)).count();
        assert_eq!(off, 0, "late or early by more than 1 ms");
    }
}

/// Threat 54: the rule is that deadlines follow the wall clock, noticed at each wake-up and once a second.
#[tokio::test(start_paused = true)]
async fn a_clock_that_steps_to_and_fro_moves_every_bundle_with_it() {
    let rig = Rig::new();
    for n in 0..100 {
        rig.push(Bundle::at(rig.clock.after(SECOND * 20 + ms(50) * n)).with(("/n", n as i32)));
    }
    rig.taken_in().await;
    let start = rig.clock.now().wall;
    for step in [1_000, -1_000, -3_600_000, 3_600_000, 1_000, -1_000] {
        tokio::time::sleep(SECOND * 2).await;
        rig.clock.step(step);
    }
    let ran = rig.log.reaches(100).await;
    let worst = (0..).zip(&ran).map(|(n, ran)| {
        assert_eq!(ran.number(), n);
        let due = start + SECOND * 20 + ms(50) * n.unsigned_abs();
        ran.wall.duration_since(due).expect("never early by the wall clock")
    });
    assert_eq!(worst.max(), Some(Duration::ZERO));
    assert!(rig.server.stats().schedule.clock_steps >= 5);
}

/// Threat 55: after a suspend of 10 s, 1,000 overdue bundles run in order, and other tasks get their turn
/// at least every 64 of them.
#[tokio::test(start_paused = true)]
async fn after_a_suspend_overdue_bundles_run_in_order_and_in_bounded_bursts() {
    let rig = Rig::new();
    for n in 0..1_000 {
        rig.push(Bundle::at(rig.clock.after(SECOND * 5 + ms(1) * n)).with(("/n", n as i32)));
    }
    rig.taken_in().await;
    rig.clock.step(10_000);
    let log = Arc::clone(&rig.log);
    let other_task = tokio::spawn(async move {
        tokio::time::sleep(ms(999)).await; // just before the step is noticed
        let mut bursts = Vec::new();
        let mut before = 0;
        while before < 1_000 {
            log.grows_beyond(before).await;
            let now = log.len();
            bursts.push(now - before);
            before = now;
        }
        bursts
    });
    let bursts = other_task.await.unwrap();
    let ran = rig.log.all();
    assert!((0..).zip(&ran).all(|(n, ran)| ran.number() == n), "in order");
    assert!(ran.iter().all(|ran| ran.meta.lateness >= SECOND * 4));
    assert!(bursts.iter().all(|burst| *burst <= 64), "{bursts:?}");
}

/// Threat 56: 1,000 bundles from 10 s late to on time: counted by policy.
#[tokio::test(start_paused = true)]
async fn late_bundles_are_counted_by_policy() {
    let handed = Arc::new(AtomicUsize::new(0));
    let hand = {
        let handed = Arc::clone(&handed);
        LatePolicy::hand(SECOND, move |_, meta| {
            assert!(meta.lateness > SECOND);
            handed.fetch_add(1, Ordering::Relaxed);
        })
    };
    // 10 ms apart: 101 of them are late by at most a second, 1 of them not at all.
    let cases =
        [(LatePolicy::Run, 1_000, 0, 0), (LatePolicy::DropAfter(SECOND), 101, 899, 0), (hand, 101, 0, 899)];
    for (policy, runs, drops, hands) in cases {
        let options = TimeOptions::new().late(policy);
        let rig = Rig::with(TestClock::new(), |server| server.time(options));
        for n in 0..1_000 {
            rig.push(Bundle::at(rig.clock.tag() - ms(10) * n).with(("/n", n as i32)));
        }
        rig.push(("/end", 1));
        let ran = rig.log.reaches(runs + 1).await;
        assert_eq!(ran[runs].address(), "/end");
        let stats = rig.server.stats();
        assert_eq!((stats.late_dropped, stats.late_handed), (drops, hands));
        assert_eq!((stats.schedule.late, stats.schedule.lateness.count(), stats.panicked), (999, 1_000, 0));
    }
    assert_eq!(handed.load(Ordering::Relaxed), 899);
}

/// Threat 57: a thousand bundles at 1 kHz in real time, in every mode: none early, and the histogram knows.
#[tokio::test]
async fn in_real_time_nothing_is_early_in_any_mode() {
    nothing_is_early(1_000).await;
}

/// Threat 57, in full: ten thousand in each mode, on an idle machine and with a core at work.
#[tokio::test]
#[ignore = "takes a minute"]
async fn of_ten_thousand_bundles_none_is_early_in_any_mode_idle_or_loaded() {
    println!("idle:");
    nothing_is_early(10_000).await;
    println!("loaded:");
    let done = Arc::new(AtomicBool::new(false));
    let busy = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || while !done.load(Ordering::Relaxed) {})
    };
    nothing_is_early(10_000).await;
    done.store(true, Ordering::Relaxed);
    busy.join().unwrap();
}

/// Runs this number of bundles, a millisecond apart, in every mode.
async fn nothing_is_early(bundles: u32) {
    #[cfg(feature = "fine")]
    use tokio_osc::schedule::Precision::{Fine, Spin};
    let modes = [
        tokio_osc::schedule::Precision::Tokio,
        #[cfg(feature = "fine")]
        Fine,
        #[cfg(feature = "fine")]
        Spin(Duration::from_micros(200)),
    ];
    for mode in modes {
        let early = Arc::new(AtomicU64::new(0));
        let left = Arc::new(Semaphore::new(0));
        let router = {
            let (early, left) = (Arc::clone(&early), Arc::clone(&left));
            Router::new().route("/n", move |tag: TimeTag| {
                let now = SystemClock.now().wall;
                early.fetch_add(u64::from(tag.near(now) > now), Ordering::Relaxed);
                left.add_permits(1);
            })
        };
        let (feed, packets) = Feed::new();
        let server = Server::new(router).feed("test", packets).precision(mode).spawn();
        for n in 0..bundles {
            feed.push(peer(1), Bundle::at(SystemClock.after(ms(n.into()))).with(("/n", ())));
        }
        left.acquire_many(bundles).await.unwrap().forget();
        let lateness = server.shutdown().await.schedule.lateness;
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|part| lateness.quantile(part));
        println!("{mode:?}: p50 <= {p50:?}, p99 <= {p99:?}, most <= {most:?}");
        assert_eq!((early.load(Ordering::Relaxed), lateness.count()), (0, u64::from(bundles)));
    }
}

/// Threat 60: 10^5 bundles of three messages from four feeds on two workers: no handler of another packet
/// starts between the messages of a bundle, although each handler waits once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_packet_comes_between_the_messages_of_a_bundle() {
    const BUNDLES: u32 = 25_000;
    const IN_FLIGHT: usize = 3 * 512;
    #[derive(Default)]
    struct Trace {
        /// The bundle that is open, and how many of its messages have started.
        open: Mutex<(i32, u32)>,
        interleavings: AtomicU64,
    }
    let trace = Arc::new(Trace::default());
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let router = {
        let in_flight = Arc::clone(&in_flight);
        Router::with_state(Arc::clone(&trace)).route(
            "/part/*",
            move |State(trace): State<Arc<Trace>>, Args(bundle): Args<i32>| {
                let in_flight = Arc::clone(&in_flight);
                {
                    let mut open = trace.open.lock().unwrap();
                    if open.1 > 0 && open.0 != bundle {
                        trace.interleavings.fetch_add(1, Ordering::Relaxed);
                    }
                    *open = (bundle, (open.1 + 1) % 3);
                }
                async move {
                    if bundle % 4 == 0 {
                        tokio::task::yield_now().await;
                    }
                    in_flight.add_permits(1);
                }
            },
        )
    };
    let mut server = Server::new(router);
    let mut feeds = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let (feed, packets) = Feed::new();
        feeds.push(feed);
        server = server.feed(name, packets);
    }
    let server = server.spawn();
    let pushing = feeds.into_iter().zip([1, 2, 3, 4]).map(|(feed, sender)| {
        let in_flight = Arc::clone(&in_flight);
        tokio::spawn(async move {
            for n in 0..BUNDLES {
                in_flight.acquire_many(3).await.unwrap().forget();
                let number = n as i32 * 4 + sender;
                let tag = if n % 2 == 0 { TimeTag::IMMEDIATELY } else { SystemClock.after(ms(2)) };
                let bundle = Bundle::at(tag).with(("/part/1", number));
                feed.push(peer(sender as u8), bundle.with(("/part/2", number)).with(("/part/3", number)));
            }
        })
    });
    futures::future::join_all(pushing).await;
    in_flight.acquire_many(IN_FLIGHT as u32).await.unwrap().forget();
    let stats = server.shutdown().await;
    assert_eq!((stats.received, stats.handled), (100_000, 300_000));
    assert!(stats.schedule.run > 10_000, "many of them waited: {}", stats.schedule.run);
    assert_eq!(trace.interleavings.load(Ordering::Relaxed), 0);
}
