//! Time options of a single packet, as middleware sets them.

use std::time::Duration;

use tokio_osc::packet::{ClockOffset, TimeOverrides};
use tokio_osc::schedule::{Clock, LatePolicy, TimeOptions};
use tokio_osc::{Bundle, Message, TimeTag};

use crate::support::rig::*;

fn own(set: impl FnOnce(&mut TimeOverrides)) -> TimeOverrides {
    let mut time = TimeOverrides::default();
    set(&mut time);
    time
}

fn at(tag: TimeTag, address: &str) -> Bundle {
    Bundle::at(tag).with(Message::new(address, 0).unwrap()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_does_not_honor_time_tags_runs_at_once() {
    let rig = Rig::new();
    let tag = rig.clock.after(SECOND);
    rig.push_timed(own(|time| time.honor_time_tags = Some(false)), at(tag, "/hasty"));
    rig.push(at(tag, "/patient"));
    let ran = rig.log.reaches(2).await;
    assert_eq!(times(&ran), expect(&[("/hasty", ms(0)), ("/patient", SECOND)]));
}

#[tokio::test(start_paused = true)]
async fn a_packet_honors_time_tags_where_its_channel_does_not() {
    let rig = Rig::with(TestClock::new(), |server| server.time(TimeOptions::new().honor_time_tags(false)));
    let tag = rig.clock.after(SECOND);
    rig.push(at(tag, "/hasty"));
    rig.push_timed(own(|time| time.honor_time_tags = Some(true)), at(tag, "/patient"));
    let ran = rig.log.reaches(2).await;
    assert_eq!(times(&ran), expect(&[("/hasty", ms(0)), ("/patient", SECOND)]));
}

#[tokio::test(start_paused = true)]
async fn an_offset_of_a_packet_replaces_that_of_its_channel() {
    let rig = Rig::new();
    let tag = rig.clock.after(SECOND);
    let behind = ms(500);
    rig.push_timed(own(|time| time.clock_offset = Some(ClockOffset::peer_ahead(behind))), at(tag, "/ahead"));
    rig.push_timed(
        own(|time| time.clock_offset = Some(ClockOffset::peer_behind(behind))),
        at(tag, "/behind"),
    );
    // The bundles in it are moved as well.
    let inner = Bundle::at(tag).with(at(tag + ms(100), "/inner"));
    rig.push_timed(own(|time| time.clock_offset = Some(ClockOffset::peer_ahead(behind))), inner);
    let ran = rig.log.reaches(3).await;
    assert_eq!(times(&ran), expect(&[("/ahead", ms(500)), ("/inner", ms(600)), ("/behind", ms(1_500))]));
}

#[tokio::test(start_paused = true)]
async fn the_tolerance_of_a_packet_overrides_any_policy() {
    let strict =
        |server: tokio_osc::Server| server.time(TimeOptions::new().late(LatePolicy::DropAfter(ms(20))));
    let rig = Rig::with(TestClock::new(), strict);
    let late = rig.clock.tag() - ms(30);
    let tolerates = |tolerance| own(|time| time.drop_later_than = Some(tolerance));
    rig.push(at(late, "/dropped"));
    rig.push_timed(tolerates(ms(30)), at(late, "/just"));
    rig.push_timed(tolerates(ms(30) - NANO), at(late, "/dropped"));
    rig.push_timed(tolerates(Duration::MAX), at(rig.clock.tag() - HOUR, "/always"));
    let ran = rig.log.reaches(2).await;
    assert_eq!(times(&ran), expect(&[("/just", ms(0)), ("/always", ms(0))]));
    assert_eq!(rig.server.stats().late_dropped, 2);

    let handed = LatePolicy::hand(ms(20), |_, _| {});
    let rig = Rig::with(TestClock::new(), |server| server.time(TimeOptions::new().late(handed)));
    let late = rig.clock.tag() - ms(30);
    rig.push(at(late, "/handed"));
    rig.push_timed(tolerates(ms(10)), at(late, "/dropped"));
    rig.push(("/end", 0));
    rig.log.reaches(1).await;
    assert_eq!((rig.server.stats().late_handed, rig.server.stats().late_dropped), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn inner_tags_are_checked_for_one_packet_or_not_for_it() {
    let wrong = |rig: &Rig| {
        let tag = rig.clock.after(ms(10));
        Bundle::at(tag).with(at(tag - ms(1), "/inner")).build().unwrap()
    };
    let rig = Rig::new();
    rig.push_timed(own(|time| time.check_inner_time_tags = Some(true)), wrong(&rig));
    rig.push(wrong(&rig));
    rig.log.reaches(1).await;
    assert_eq!(rig.server.stats().refused_time_tags, 1);

    let rig =
        Rig::with(TestClock::new(), |server| server.time(TimeOptions::new().check_inner_time_tags(true)));
    rig.push_timed(own(|time| time.check_inner_time_tags = Some(false)), wrong(&rig));
    rig.push(wrong(&rig));
    rig.log.reaches(1).await;
    assert_eq!(rig.server.stats().refused_time_tags, 1);
}
