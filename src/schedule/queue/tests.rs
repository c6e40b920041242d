//! The queue's promises one by one, stepped by hand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unchecked_time_subtraction, clippy::unnecessary_wraps)]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::UNIX_EPOCH;

use super::super::clock::{Clock, ManualClock};
use super::super::limits::CapacityPolicy;
use super::*;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn peer(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

/// A queue and its clock. Items are numbers.
struct Bench {
    clock: ManualClock,
    queue: Schedule<u32>,
}

impl Bench {
    fn new(limits: ScheduleLimits) -> Self {
        Self::at(ManualClock::new(), limits)
    }

    fn at(clock: ManualClock, limits: ScheduleLimits) -> Self {
        let queue = Schedule::new(limits, clock.now());
        Self { clock, queue }
    }

    fn push(
        &mut self,
        ahead: Duration,
        peer: Option<IpAddr>,
        bytes: usize,
        item: u32,
    ) -> Result<EntryId, Limit> {
        let due = self.clock.now().wall + ahead;
        self.queue.push(Entry { due, bytes, peer, item }).map_err(|refused| refused.limit)
    }

    /// An entry of one byte and no peer.
    fn hold(&mut self, ahead: Duration, item: u32) -> EntryId {
        self.push(ahead, None, 1, item).unwrap()
    }

    fn pop(&mut self) -> Option<(u32, Duration)> {
        self.queue.pop_due(self.clock.now()).map(|popped| (popped.entry.item, popped.late))
    }

    fn pop_all(&mut self) -> Vec<u32> {
        std::iter::from_fn(|| self.pop()).map(|(item, _)| item).collect()
    }

    fn waiting(&self) -> Vec<u32> {
        self.queue.pending().map(|pending| *pending.item).collect()
    }

    /// Lets time pass to the next wake-up, as a driver sleeps.
    fn sleep(&mut self) {
        let wake = self.queue.next_wake().unwrap();
        self.clock.advance(wake.saturating_duration_since(self.clock.now().monotonic));
    }
}

#[test]
fn an_entry_comes_out_at_its_time_and_not_before() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(SECOND, 7);
    bench.clock.advance(SECOND - Duration::from_nanos(1));
    assert_eq!(bench.pop(), None);
    bench.clock.advance(Duration::from_nanos(1));
    assert_eq!(bench.pop(), Some((7, Duration::ZERO)));
    assert_eq!((bench.pop(), bench.queue.next_wake(), bench.queue.len()), (None, None, 0));
}

#[test]
fn lateness_is_what_the_wall_clock_says() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(SECOND, 7);
    bench.clock.advance(SECOND + 3 * MILLI);
    assert_eq!(bench.pop(), Some((7, 3 * MILLI)));
}

#[test]
fn a_thousand_equal_deadlines_from_ten_peers_come_out_in_order_of_arrival() {
    let mut bench = Bench::new(ScheduleLimits::default());
    let due = bench.clock.now().wall + SECOND;
    for item in 0..1_000 {
        // The clock is slewed between the arrivals, and looked at.
        bench.clock.advance_monotonic(Duration::from_micros(300));
        bench.clock.advance_wall(Duration::from_micros(if item % 2 == 0 { 400 } else { 200 }));
        assert_eq!(bench.pop(), None);
        let peer = peer((item % 10) as u8);
        bench.queue.push(Entry { due, bytes: 44, peer, item }).unwrap();
    }
    bench.clock.advance(SECOND);
    assert_eq!(bench.pop_all(), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn entries_and_bytes_are_limited_to_the_last_one() {
    let mut bench = Bench::new(ScheduleLimits::default().entries(3).bytes(100));
    for item in 0..3 {
        assert!(bench.push(SECOND, None, 20, item).is_ok());
    }
    assert_eq!(bench.push(SECOND, None, 0, 3), Err(Limit::Entries));

    let mut bench = Bench::new(ScheduleLimits::default().entries(3).bytes(100));
    assert!(bench.push(SECOND, None, 60, 0).is_ok());
    assert_eq!(bench.push(SECOND, None, 41, 1), Err(Limit::Bytes));
    assert!(bench.push(SECOND, None, 40, 2).is_ok());
    let counters = bench.queue.counters();
    assert_eq!((counters.dropped_bytes, counters.pending, counters.bytes), (1, 2, 100));
    assert_eq!(bench.push(SECOND, None, usize::MAX, 3), Err(Limit::Bytes));
}

#[test]
fn a_peer_has_a_quarter_and_its_addresses_are_one() {
    let mut bench = Bench::new(ScheduleLimits::default().entries(10).bytes(1_000));
    let v4 = Ipv4Addr::new(192, 0, 2, 1);
    let mapped = Some(IpAddr::from(v4.to_ipv6_mapped()));
    assert!(bench.push(SECOND, Some(v4.into()), 10, 0).is_ok());
    assert!(bench.push(SECOND, mapped, 10, 1).is_ok());
    assert!(bench.push(SECOND, mapped, 230, 2).is_ok());
    assert_eq!(bench.push(SECOND, Some(v4.into()), 0, 3), Err(Limit::PeerEntries));
    assert_eq!(bench.push(SECOND, peer(2), 251, 4), Err(Limit::PeerBytes));
    assert!(bench.push(SECOND, peer(2), 250, 5).is_ok());
    let compatible = Some(IpAddr::from(Ipv6Addr::from_bits(u128::from(v4.to_bits()))));
    assert!(bench.push(SECOND, compatible, 10, 6).is_ok(), "another address");
    assert!(bench.push(SECOND, None, 450, 7).is_ok(), "only the totals count");
    assert_eq!(bench.queue.counters().peers, 3);
}

#[test]
fn a_host_with_an_ipv6_network_has_the_share_of_one_address() {
    let host = |n: u128| Some(IpAddr::from(Ipv6Addr::from_bits(0x2001_0db8 << 96 | n)));
    let mut bench = Bench::new(ScheduleLimits::default().entries(100));
    let waiting = (0..100).filter(|&n| bench.push(HOUR, host(n << 32), 28, 0).is_ok()).count();
    assert_eq!((waiting, bench.queue.counters().peers), (25, 1));
    assert!(bench.push(SECOND, host(1 << 64), 28, 1).is_ok(), "the network beside it has its own");

    let mut bench = Bench::new(ScheduleLimits::default().entries(100).ipv6_prefix(128));
    let waiting = (0..100).filter(|&n| bench.push(HOUR, host(n), 28, 0).is_ok()).count();
    assert_eq!((waiting, bench.queue.counters().peers), (100, 100));
}

#[test]
fn the_defaults_are_as_documented_on_both_sides() {
    let mut bench = Bench::new(ScheduleLimits::default());
    for item in 0..65_536 {
        assert_eq!(bench.push(SECOND, peer((item % 4) as u8), 1_024, item).err(), None);
    }
    assert_eq!(bench.push(SECOND, None, 0, 0), Err(Limit::Entries));
    let full = bench.queue.counters();
    assert_eq!((full.pending, full.bytes), (65_536, 64 * 1024 * 1024));

    let mut bench = Bench::new(ScheduleLimits::default());
    for item in 0..16_384 {
        assert!(bench.push(SECOND, peer(1), 1_024, item).is_ok());
    }
    assert_eq!(bench.push(SECOND, peer(1), 0, 0), Err(Limit::PeerEntries));
    assert!(bench.push(SECOND, peer(2), 16 * 1024 * 1024, 0).is_ok());
    assert_eq!(bench.push(SECOND, peer(2), 1, 0), Err(Limit::PeerBytes));

    let now = bench.clock.now();
    assert_eq!(bench.queue.limits().ipv6_prefix, 64);
    assert_eq!(bench.queue.limits().horizon, 7 * DAY);
    let horizon = bench.clock.after(7 * DAY);
    assert_eq!(bench.queue.judge(horizon, now), Due::Later { due: now.wall + 7 * DAY });
    assert_eq!(bench.queue.judge(horizon + Duration::from_nanos(1), now), Due::BeyondHorizon);
}

#[test]
fn accounts_are_closed_with_their_last_entry() {
    let mut bench = Bench::new(ScheduleLimits::default());
    for number in 0..1_000_u128 {
        let peer = Some(IpAddr::from(Ipv6Addr::from_bits(number << 64)));
        bench.push(MILLI, peer, 10, 0).unwrap();
        bench.clock.advance(MILLI);
        assert_eq!(bench.queue.counters().peers, 1);
        assert!(bench.pop().is_some());
        assert_eq!((bench.queue.counters().peers, bench.queue.bytes()), (0, 0));
    }
    let refused = bench.push(MILLI, peer(1), usize::MAX / 2, 0);
    assert_eq!((refused, bench.queue.counters().peers), (Err(Limit::Bytes), 0));
}

#[test]
fn drop_newest_keeps_the_waiting_bundles() {
    let mut bench = Bench::new(ScheduleLimits::default().entries(2).when_full(CapacityPolicy::DropNewest));
    bench.hold(2 * SECOND, 0);
    bench.hold(3 * SECOND, 1);
    assert_eq!(bench.push(SECOND, None, 1, 2), Err(Limit::Entries));
    assert_eq!((bench.waiting(), bench.queue.counters().dropped_entries), (vec![0, 1], 1));
}

#[test]
fn drop_latest_lets_the_farthest_go() {
    let limits = ScheduleLimits::default().entries(2).when_full(CapacityPolicy::DropLatest);
    let mut bench = Bench::new(limits);
    bench.hold(2 * SECOND, 0);
    bench.hold(3 * SECOND, 1);
    bench.hold(SECOND, 2);
    assert_eq!((bench.waiting(), bench.queue.counters().evicted), (vec![2, 0], 1));
    assert_eq!(bench.push(4 * SECOND, None, 1, 3), Err(Limit::Entries), "itself the farthest");
    assert_eq!(bench.push(2 * SECOND, None, 1, 4), Err(Limit::Entries), "as far, and later to arrive");
    assert_eq!((bench.waiting(), bench.queue.counters().evicted), (vec![2, 0], 1));
}

#[test]
fn by_default_bundles_of_next_week_keep_none_of_now_out() {
    let mut bench = Bench::new(ScheduleLimits::default());
    for item in 0..70_000 {
        let _ = bench.push(7 * DAY - SECOND, peer((item % 5) as u8), 44, item);
    }
    assert_eq!(bench.queue.len(), 65_536);
    let ran = (0..100).filter(|&item| {
        bench.push(50 * MILLI, peer(9), 44, item).is_ok() && {
            bench.clock.advance(50 * MILLI);
            bench.pop() == Some((item, Duration::ZERO))
        }
    });
    assert_eq!(ran.count(), 100);
    let counters = bench.queue.counters();
    assert_eq!((counters.evicted, counters.pending), (1, 65_535), "the place of one is enough");
}

#[test]
fn entries_are_listed_from_the_first_refusal_until_the_schedule_is_empty() {
    let mut bench = Bench::new(ScheduleLimits::default().entries(3));
    for round in 0..2 {
        for item in 0..3 {
            bench.hold(SECOND * (10 + item), item);
        }
        bench.hold(SECOND, 7);
        assert_eq!(bench.waiting(), [7, 0, 1]);
        bench.hold(2 * SECOND, 8);
        assert_eq!((bench.waiting(), bench.queue.counters().evicted), (vec![7, 8, 0], 2 + 2 * round));
        bench.queue.drain();
    }
}

#[test]
fn drop_latest_takes_as_many_as_the_bytes_need_or_none() {
    let limits = ScheduleLimits::default().bytes(100).when_full(CapacityPolicy::DropLatest);
    let mut bench = Bench::new(limits);
    for item in 0..4 {
        bench.push(SECOND * (item + 1), None, 25, item).unwrap();
    }
    assert_eq!(bench.push(2_500 * MILLI, None, 51, 4), Err(Limit::Bytes), "a nearer one would have to go");
    assert_eq!(bench.waiting(), [0, 1, 2, 3]);
    assert!(bench.push(2_500 * MILLI, None, 50, 5).is_ok());
    assert_eq!((bench.waiting(), bench.queue.bytes()), (vec![0, 1, 5], 100));
}

#[test]
fn drop_latest_keeps_a_peer_to_its_share_at_its_own_cost() {
    let limits = ScheduleLimits::default().entries(8).when_full(CapacityPolicy::DropLatest);
    let mut bench = Bench::new(limits);
    bench.push(9 * SECOND, peer(2), 1, 0).unwrap();
    bench.push(2 * SECOND, peer(1), 1, 1).unwrap();
    bench.push(3 * SECOND, peer(1), 1, 2).unwrap();
    bench.push(SECOND, peer(1), 1, 3).unwrap();
    assert_eq!(bench.waiting(), [3, 1, 0], "the other peer's farther entry stays");
    assert_eq!(bench.push(4 * SECOND, peer(1), 1, 4), Err(Limit::PeerEntries));
    assert_eq!(bench.push(SECOND, peer(3), usize::MAX, 5), Err(Limit::Bytes));
    assert_eq!(bench.waiting(), [3, 1, 0]);
}

#[test]
fn a_flood_is_capped_and_another_peer_is_on_time() {
    for policy in [CapacityPolicy::DropNewest, CapacityPolicy::DropLatest] {
        let mut bench = Bench::new(ScheduleLimits::default().when_full(policy));
        for item in 0..100_000 {
            let ahead = HOUR + Duration::from_micros(u64::from(item).wrapping_mul(7_919) % 1_000_000);
            let _ = bench.push(ahead, peer(1), 28, item);
        }
        assert_eq!((bench.queue.len(), bench.queue.counters().peers), (16_384, 1));
        bench.push(SECOND, peer(2), 28, 777_777).unwrap();
        bench.clock.advance(SECOND);
        assert_eq!(bench.pop(), Some((777_777, Duration::ZERO)));
        assert!(bench.queue.order.len() <= 2 * bench.queue.len() + GARBAGE);
        let counters = bench.queue.counters();
        let dropped = counters.dropped_peer_entries + counters.evicted;
        assert_eq!(dropped, 100_000 - 16_384);
    }
}

#[test]
fn every_entry_follows_the_wall_clock_when_it_is_set() {
    let steps: [fn(SystemTime) -> SystemTime; 5] =
        [|wall| wall, |wall| wall + SECOND, |wall| wall - SECOND, |wall| wall + HOUR, |wall| wall - HOUR];
    for step in steps {
        let mut bench = Bench::new(ScheduleLimits::default());
        let start = bench.clock.now().wall;
        for item in 0..100 {
            bench.hold(10 * SECOND + MILLI * 100 * item, item);
        }
        bench.clock.advance(5 * SECOND);
        bench.clock.set_wall(step(bench.clock.now().wall));
        let stepped = bench.clock.now();
        for item in 0..100 {
            let due = start + 10 * SECOND + MILLI * 100 * item;
            let popped = loop {
                match bench.pop() {
                    Some(popped) => break popped,
                    None => bench.sleep(),
                }
            };
            let now = bench.clock.now();
            assert_eq!(popped.0, item);
            if due >= stepped.wall {
                assert_eq!((now.wall, popped.1), (due, Duration::ZERO), "exactly at its wall time");
            } else {
                assert_eq!(now, stepped, "at once, all that the step made overdue");
                assert_eq!(popped.1, now.wall.duration_since(due).unwrap());
            }
        }
    }
}

#[test]
fn a_step_is_noticed_within_the_check_interval() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(10 * HOUR, 0);
    assert_eq!(bench.pop(), None);
    bench.clock.advance_wall(10 * HOUR);
    let stepped = bench.clock.now().monotonic;
    bench.sleep();
    assert!(bench.clock.now().monotonic - stepped <= CHECK_INTERVAL);
    assert_eq!(bench.pop(), Some((0, SECOND)));
    assert_eq!(bench.queue.counters().clock_steps, 1);
}

#[test]
fn an_offset_below_a_step_neither_runs_early_nor_spins() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(100 * MILLI, 0);
    bench.clock.advance_monotonic(100 * MILLI);
    bench.clock.advance_wall(100 * MILLI - MILLI / 2);
    assert_eq!(bench.pop(), None, "the wall clock is half a millisecond short");
    let now = bench.clock.now().monotonic;
    assert_eq!(bench.queue.next_wake(), Some(now + MILLI / 2));
    assert_eq!(bench.queue.counters().clock_steps, 0);
    bench.sleep();
    assert_eq!(bench.pop(), Some((0, Duration::ZERO)));
}

#[test]
fn a_check_that_finds_nothing_is_not_repeated_at_the_same_reading() {
    let mut bench = Bench::new(ScheduleLimits::default());
    let made = bench.clock.now();
    bench.hold(HOUR, 0);
    bench.queue.next_check = made.monotonic;
    for advance in [Duration::ZERO, Duration::ZERO, CHECK_INTERVAL, Duration::ZERO, 5 * CHECK_INTERVAL] {
        bench.clock.advance(advance);
        assert_eq!(bench.pop(), None);
        let now = bench.clock.now().monotonic;
        assert!(bench.queue.next_wake() > Some(now), "else the driver spins while the clock is stopped");
    }
}

#[test]
fn a_step_of_a_millisecond_is_ignored_and_a_longer_one_is_not() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.clock.advance_wall(STEP);
    assert!(!bench.queue.rebase(bench.clock.now()));
    bench.clock.advance_wall(Duration::from_nanos(1));
    assert!(bench.queue.rebase(bench.clock.now()));
    assert!(!bench.queue.rebase(bench.clock.now()));
}

#[test]
fn after_a_suspend_what_is_overdue_comes_in_order_in_bursts_of_any_size() {
    let mut bench = Bench::new(ScheduleLimits::default());
    for item in (0..100).rev() {
        bench.hold(MILLI * (item + 1), item);
    }
    bench.clock.advance_wall(DAY);
    let bursts: Vec<Vec<u32>> =
        (0..10).map(|_| (0..10).map_while(|_| bench.pop()).map(|(item, _)| item).collect()).collect();
    assert!(bursts.iter().all(|burst| burst.len() == 10));
    assert_eq!(bursts.concat(), (0..100).collect::<Vec<_>>());
}

#[test]
fn nothing_waits_beyond_the_horizon_when_the_clock_is_set_back() {
    for policy in [HorizonPolicy::RunNow, HorizonPolicy::Drop] {
        for full in [CapacityPolicy::DropNewest, CapacityPolicy::DropLatest] {
            let limits = ScheduleLimits::default().horizon(HOUR).beyond_horizon(policy).when_full(full);
            let mut bench = Bench::new(limits);
            bench.push(59 * HOUR / 60, peer(1), 10, 0).unwrap();
            bench.push(SECOND, peer(1), 10, 1).unwrap();
            bench.push(30 * HOUR / 60, peer(2), 10, 2).unwrap();
            bench.clock.set_wall(bench.clock.now().wall - HOUR / 2);
            let counted = |bench: &Bench| {
                let counters = bench.queue.counters();
                (counters.beyond_horizon, counters.dropped_after_step, counters.pending)
            };
            if policy == HorizonPolicy::RunNow {
                assert_eq!(bench.pop(), Some((0, Duration::ZERO)));
                assert_eq!(bench.pop(), None, "exactly at the horizon still waits");
                assert_eq!(counted(&bench), (1, 0, 2));
            } else {
                assert_eq!(bench.pop(), None);
                assert_eq!(counted(&bench), (1, 1, 2));
            }
            assert_eq!((bench.waiting(), bench.queue.bytes()), (vec![1, 2], 20));
            bench.clock.advance(HOUR);
            assert_eq!(bench.pop_all(), [1, 2]);
        }
    }
}

#[test]
fn bundles_a_second_apart_cross_the_border_of_2036() {
    let border = UNIX_EPOCH + Duration::from_secs(2_085_978_496);
    let mut bench = Bench::at(ManualClock::starting_at(border - 20 * SECOND), ScheduleLimits::default());
    let now = bench.clock.now();
    for item in 0..=20 {
        // The bundle at the border itself has the tag nearest to it, as 0 is not an instant.
        let due = border - 10 * SECOND + SECOND * item;
        let Due::Later { due } = bench.queue.judge(TimeTag::at(due), now) else { panic!("{item} is ahead") };
        bench.queue.push(Entry { due, bytes: 1, peer: None, item }).unwrap();
    }
    for item in 0..=20 {
        let due = border - 10 * SECOND + SECOND * item;
        bench.clock.set_wall(due - Duration::from_nanos(1));
        assert_eq!(bench.pop(), None, "{item} is early");
        bench.clock.set_wall(due + Duration::from_nanos(1));
        assert_eq!(bench.pop().unwrap().0, item);
        let after = bench.clock.now();
        assert!(matches!(bench.queue.judge(TimeTag::at(due), after), Due::Now { late } if late < MILLI));
    }
}

#[test]
fn no_tag_panics_or_keeps_a_good_one_from_its_time() {
    let second = 1_u64 << 32;
    let now_tag = ManualClock::new().tag().to_bits();
    let hostile = [0, 1, 2, now_tag + second, now_tag + 3_600 * second, now_tag + 86_400 * second]
        .into_iter()
        .chain([now_tag.wrapping_add(69_379_200 * second), u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1])
        .chain([2_208_988_799 * second, 2_208_988_800 * second, u64::from(u32::MAX), second]);
    let hostile: Vec<_> = hostile.map(TimeTag::from_bits).collect();
    for horizon in [Duration::ZERO, 7 * DAY, Duration::MAX] {
        for start in [0, 1, 1_767_225_600, 2_085_978_495, 1 << 40] {
            let clock = ManualClock::starting_at(UNIX_EPOCH + Duration::from_secs(start));
            let mut bench = Bench::at(clock, ScheduleLimits::default().horizon(horizon));
            for (item, tag) in (0..).zip(&hostile) {
                let now = bench.clock.now();
                if let Due::Later { due } = bench.queue.judge(*tag, now) {
                    bench.queue.push(Entry { due, bytes: 1, peer: None, item }).unwrap();
                }
                assert!(bench.queue.next_wake().is_none_or(|wake| wake >= now.monotonic));
            }
            bench.push(MILLI / 2, None, 1, 1_000).unwrap();
            bench.clock.advance(MILLI / 2);
            assert_eq!(bench.pop(), Some((1_000, Duration::ZERO)));
            bench.clock.advance(140 * 366 * DAY);
            bench.pop_all();
            assert_eq!(bench.queue.len(), 0);
        }
    }
}

#[test]
fn times_that_no_place_can_hold_neither_panic_nor_stay() {
    let mut bench = Bench::new(ScheduleLimits::default());
    let now = bench.clock.now();
    let far = [UNIX_EPOCH + DAY * 366 * 4_000, UNIX_EPOCH, UNIX_EPOCH - DAY * 366 * 4_000];
    for (item, due) in (0..).zip(far) {
        bench.queue.push(Entry { due, bytes: 1, peer: None, item }).unwrap();
    }
    assert_eq!(bench.pop_all(), [2, 1]);
    assert!(bench.queue.next_deadline().unwrap() > now.monotonic + DAY * 366 * 290);
    bench.clock.set_wall(UNIX_EPOCH + DAY * 366 * 5_000);
    assert_eq!(bench.pop_all(), [0]);
}

#[test]
fn late_unset_and_far_bundles_are_counted_on_arrival() {
    for (policy, dropped) in [(HorizonPolicy::RunNow, 0), (HorizonPolicy::Drop, 2)] {
        let mut bench = Bench::new(ScheduleLimits::default().beyond_horizon(policy));
        let (tag, now) = (bench.clock.tag(), bench.clock.now());
        let tags =
            [tag - SECOND, tag, tag - MILLI, TimeTag::IMMEDIATELY, TimeTag::from_bits(0), tag + SECOND];
        for tag in tags.into_iter().chain([tag + 30 * DAY, TimeTag::new(3_600, 0)]) {
            bench.queue.judge(tag, now);
        }
        let counters = bench.queue.counters();
        assert_eq!((counters.late, counters.unset, counters.beyond_horizon), (2, 1, 2));
        assert_eq!(counters.dropped_beyond_horizon, dropped);
    }
}

#[test]
fn a_cancelled_entry_is_gone_and_its_name_with_it() {
    let mut bench = Bench::new(ScheduleLimits::default());
    let first = bench.hold(SECOND, 0);
    let second = bench.hold(2 * SECOND, 1);
    assert_eq!(bench.queue.cancel(first).map(|entry| entry.item), Some(0));
    let third = bench.hold(SECOND, 2);
    assert_eq!((bench.queue.cancel(first), bench.waiting()), (None, vec![2, 1]));
    assert!(first != third && second != third);
    bench.clock.advance(2 * SECOND);
    assert_eq!(bench.pop_all(), [2, 1]);
    assert_eq!(bench.queue.cancel(second), None);
    assert_eq!(bench.queue.counters().cancelled, 1);
}

#[test]
fn what_is_cancelled_as_it_comes_is_counted_on_both_sides() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.queue.note_cancelled();
    let counters = bench.queue.counters();
    assert_eq!((counters.pushed, counters.cancelled, counters.pending), (1, 1, 0));
}

#[test]
fn cancelling_the_head_moves_the_deadline() {
    let mut bench = Bench::new(ScheduleLimits::default());
    let start = bench.clock.now().monotonic;
    let ids: Vec<_> = (0..100).map(|item| bench.hold(MILLI * (item + 1), item)).collect();
    for (item, id) in (1..100).zip(&ids) {
        bench.queue.cancel(*id).unwrap();
        assert_eq!(bench.queue.next_deadline(), Some(start + MILLI * (item + 1)));
    }
    bench.hold(MILLI * 50, 200);
    assert_eq!(bench.queue.next_deadline(), Some(start + MILLI * 50), "nearer than the cancelled ones");
}

#[test]
fn removed_places_are_bounded() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(MILLI, 0);
    for item in 0..10_000 {
        let id = bench.hold(SECOND, item);
        bench.queue.cancel(id).unwrap();
        assert!(bench.queue.order.len() <= 2 + GARBAGE);
    }
}

#[test]
fn the_order_is_not_sorted_for_each_removal() {
    let mut bench = Bench::new(ScheduleLimits::default());
    bench.hold(MILLI, 0);
    for item in 1..=GARBAGE {
        let id = bench.hold(SECOND, 1);
        bench.queue.cancel(id).unwrap();
        assert_eq!(bench.queue.order.len(), 1 + item, "the places of removed entries stay for now");
    }
}

#[test]
fn cancelling_by_peer_and_draining_tell_what_went() {
    let mut bench = Bench::new(ScheduleLimits::default());
    for item in 0..9 {
        bench.push(SECOND * (9 - item), peer((item % 3) as u8), 10, item).unwrap();
    }
    let shown: Vec<_> = bench.queue.pending().map(|pending| pending.peer).take(2).collect();
    assert_eq!(shown, [peer(2), peer(1)]);
    assert_eq!(bench.queue.cancel_where(|pending| pending.peer == peer(1)), 3);
    assert_eq!(bench.waiting(), [8, 6, 5, 3, 2, 0]);
    assert_eq!((bench.queue.bytes(), bench.queue.counters().peers), (60, 2));
    let drained: Vec<_> = bench.queue.drain().into_iter().map(|(_, entry)| entry.item).collect();
    assert_eq!(drained, [8, 6, 5, 3, 2, 0]);
    let counters = bench.queue.counters();
    assert_eq!((counters.cancelled, counters.pending, counters.bytes), (9, 0, 0));
    bench.hold(SECOND, 10);
    assert_eq!(bench.waiting(), [10]);
}
