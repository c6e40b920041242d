//! What a server makes of time tags, for all channels and for one.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use tokio_osc::codec::Codec;
use tokio_osc::packet::ClockOffset;
use tokio_osc::schedule::{Clock, TimeOptions};
use tokio_osc::server::ChannelErrorKind;
use tokio_osc::{Args, Bundle, Channel, Client, Packet, Router, Server, Slip, TimeTag};
use tokio_util::codec::Framed;

use crate::support::rig::*;

fn options(options: TimeOptions) -> impl FnOnce(Server) -> Server {
    |server| server.time(options)
}

#[tokio::test(start_paused = true)]
async fn time_tags_can_be_ignored() {
    let rig = Rig::with(TestClock::new(), options(TimeOptions::new().honor_time_tags(false)));
    let later = Bundle::at(rig.clock.after(HOUR)).with(("/inner", 1));
    rig.push(Bundle::at(rig.clock.after(SECOND)).with(("/outer", 1)).with(later));
    rig.push(Bundle::at(rig.clock.tag() - HOUR).with(("/late", 1)));
    let ran = rig.log.reaches(3).await;
    assert!(ran.iter().all(|ran| ran.at == ms(0) && ran.meta.lateness == ms(0)));
    let stats = rig.server.stats().schedule;
    assert_eq!((stats.pushed, stats.late, stats.lateness.count()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_offset_is_added_to_incoming_tags_but_not_to_0_and_1() {
    for (offset, delay, runs_at) in [
        (ClockOffset::peer_behind(ms(250)), 100, 350),
        (ClockOffset::peer_ahead(ms(250)), 1_000, 750),
        (ClockOffset::ZERO, 100, 100),
    ] {
        let rig = Rig::with(TestClock::new(), options(TimeOptions::new().clock_offset(offset)));
        let tag = rig.clock.after(ms(delay));
        let inner = Bundle::at(tag + ms(100)).with(("/inner", 1));
        rig.push(Bundle::at(tag).with(("/timed", 1)).with(inner));
        rig.push(Bundle::immediately().with(("/now", 1)));
        rig.push(Bundle::at(TimeTag::from_bits(0)).with(("/unset", 1)));
        let ran = rig.log.reaches(4).await;
        let wanted =
            [("/now", ms(0)), ("/unset", ms(0)), ("/timed", ms(runs_at)), ("/inner", ms(runs_at + 100))];
        assert_eq!(times(&ran), expect(&wanted));
        assert_eq!(ran[2].meta.time_tag, Some(tag), "handlers see the tag as it was sent");
        assert_eq!(rig.server.stats().schedule.unset, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_offset_can_be_corrected_while_the_server_runs() {
    let rig = Rig::new();
    let tag = rig.clock.after(ms(100));
    rig.push(Bundle::at(tag).with(("/before", 1)));
    rig.taken_in().await;
    assert!(rig.server.set_clock_offset("test", ClockOffset::peer_behind(SECOND)));
    assert!(!rig.server.set_clock_offset("missing", ClockOffset::ZERO));
    rig.push(Bundle::at(tag).with(("/after", 1)));
    let ran = rig.log.reaches(2).await;
    assert_eq!(times(&ran), expect(&[("/before", ms(100)), ("/after", ms(1_100))]));
}

#[tokio::test]
async fn the_offset_is_subtracted_from_the_tags_of_replies() {
    let tag = TimeTag::new(1_000_000, 0);
    let router = Router::new().route("/when", move |Args(()): Args<()>| {
        Bundle::at(tag).with(("/then", 1)).with(Bundle::immediately())
    });
    let (here, there) = tokio::io::duplex(1_024);
    let behind = TimeOptions::new().clock_offset(ClockOffset::peer_behind(SECOND));
    let channel = Channel::io(here, Slip::new());
    let server = Server::new(router).listen("pipe", channel).time_on("pipe", behind).spawn();
    let mut peer = Framed::new(there, Codec::new(Slip::new()));
    peer.send(("/when", ())).await.unwrap();
    let Packet::Bundle(reply) = peer.next().await.unwrap().unwrap().unwrap() else {
        panic!("a bundle was sent")
    };
    assert_eq!(reply.time_tag(), TimeTag::new(999_999, 0));
    let inner = reply.elements().nth(1).unwrap();
    assert!(matches!(inner, Packet::Bundle(inner) if inner.time_tag().is_immediately()));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn with_constant_delay_everything_runs_equally_late() {
    let rig = Rig::with(TestClock::new(), options(TimeOptions::new().delay(ms(100))));
    for (n, on_the_way) in (0..).zip([3, 90, 40, 100, 1]) {
        let happened = rig.clock.tag();
        tokio::time::sleep(ms(on_the_way)).await;
        rig.push(Bundle::at(happened).with(("/n", n)));
    }
    let ran = rig.log.reaches(5).await;
    let at: Vec<_> = ran.iter().map(|ran| (ran.number(), ran.at, ran.meta.lateness)).collect();
    let wanted = [(0, 0), (1, 3), (2, 93), (3, 133), (4, 233)];
    assert_eq!(at, wanted.map(|(n, happened)| (n, ms(happened + 100), ms(0))));
    assert_eq!(rig.server.stats().schedule.late, 0);
}

#[tokio::test(start_paused = true)]
async fn a_packet_with_an_inner_bundle_before_the_outer_is_refused_before_anything_runs() {
    let rig = Rig::with(TestClock::new(), options(TimeOptions::new().check_inner_time_tags(true)));
    let tag = rig.clock.after(ms(10));
    let nested = |inner: TimeTag| {
        let deep = Bundle::at(tag).with(("/2", 1)).with(Bundle::at(inner).with(("/3", 1)));
        Bundle::at(tag).with(("/1", 1)).with(deep)
    };
    let one_unit_before = TimeTag::from_bits(tag.to_bits() - 1);
    rig.push(nested(one_unit_before));
    rig.taken_in().await;
    assert_eq!((rig.server.stats().refused_time_tags, rig.server.stats().schedule.pushed), (1, 0));
    for fine in [tag, TimeTag::from_bits(tag.to_bits() + 1), TimeTag::IMMEDIATELY, TimeTag::from_bits(0)] {
        rig.push(nested(fine));
    }
    rig.log.reaches(12).await;
    assert_eq!(rig.server.stats().refused_time_tags, 1);

    // Across the border of 2036 the later tag is the smaller number.
    let border = |bits| Bundle::at(TimeTag::from_bits(bits)).with(("/1", 1));
    rig.push(border(u64::MAX).with(border(5)));
    rig.taken_in().await;
    assert_eq!(rig.server.stats().refused_time_tags, 1);
    rig.push(border(5).with(border(u64::MAX)));
    rig.taken_in().await;
    assert_eq!(rig.server.stats().refused_time_tags, 2);
}

#[tokio::test(start_paused = true)]
async fn a_channel_s_options_replace_those_of_the_server() {
    let clock = TestClock::new();
    let log = Arc::new(Log::default());
    let (honest, honest_packets) = Feed::new();
    let (hasty, hasty_packets) = Feed::new();
    let server = Server::new(router(Arc::clone(&log), clock.clone()))
        .clock(clock.clone())
        .feed("honest", honest_packets)
        .feed("hasty", hasty_packets)
        .time_on("hasty", TimeOptions::new().honor_time_tags(false))
        .time(TimeOptions::new().delay(ms(5)))
        .spawn();
    for feed in [&honest, &hasty] {
        feed.push(peer(1), Bundle::at(clock.after(ms(20))).with(("/a", 1)));
    }
    let ran = log.reaches(2).await;
    let seen: Vec<_> = ran.iter().map(|ran| (ran.meta.channel(), ran.at)).collect();
    assert_eq!(seen, [("hasty", ms(0)), ("honest", ms(25))]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_added_later_can_have_its_own() {
    let clock = TestClock::new();
    let log = Arc::new(Log::default());
    let server = Server::new(router(Arc::clone(&log), clock.clone())).clock(clock.clone()).spawn();
    let pipe = || {
        let (here, there) = tokio::io::duplex(1_024);
        (Channel::io(here, Slip::new()), Client::io(there, Slip::new()))
    };
    let ((honest, to_honest), (hasty, to_hasty)) = (pipe(), pipe());
    server.listen("honest", honest).unwrap();
    let at_once = TimeOptions::new().honor_time_tags(false);
    server.listen_with("hasty", hasty, at_once.clone()).unwrap();
    for client in [&to_honest, &to_hasty] {
        client.send(Bundle::at(clock.after(ms(20))).with(("/a", 1))).await.unwrap();
    }
    let ran = log.reaches(2).await;
    let seen: Vec<_> = ran.iter().map(|ran| (ran.meta.channel(), ran.at)).collect();
    assert_eq!(seen, [("hasty", ms(0)), ("honest", ms(20))]);
    for (name, kind) in [("hasty", ChannelErrorKind::Duplicate), ("_own", ChannelErrorKind::Reserved)] {
        let error = server.listen_with(name, pipe().0, at_once.clone()).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    server.shutdown().await;
}

#[tokio::test]
#[should_panic(expected = "there is no channel \"missing\" yet")]
async fn options_for_a_channel_that_is_not_there_are_not_skipped_silently() {
    let server = Server::new(Router::new()).time_on("missing", TimeOptions::new());
    drop(server);
}

#[tokio::test]
async fn the_client_s_tags_are_by_its_own_clock() {
    // A system clock on both sides: a bundle for now arrives, and is hardly late.
    let log = Arc::new(Log::default());
    let (here, there) = tokio::io::duplex(1_024);
    let client = Client::io(there, Slip::new());
    let channel = Channel::io(here, Slip::new());
    let server = Server::new(router(Arc::clone(&log), TestClock::new())).listen("pipe", channel).spawn();
    client.send(Bundle::at(TimeTag::now()).with(("/now", 1))).await.unwrap();
    let ran = log.reaches(1).await;
    assert!(ran[0].meta.lateness < SECOND);
    server.shutdown().await;
}
