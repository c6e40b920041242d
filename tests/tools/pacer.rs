//! A pacer: a rate of packets a second, exact to the millisecond, and the latest value of each address.

use std::sync::Arc;

use futures::future::FutureExt;
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_osc::Bundle;
use tokio_osc::packet::{IntoPacket, SendErrorKind};
use tokio_osc::tools::{Pacer, PacerHandle, PacerStats};

use crate::support::ms;
use crate::support::tape::Tape;

fn assert_sum(counts: PacerStats) {
    let PacerStats { offered, sent, failed, superseded, refused, waiting, .. } = counts;
    assert_eq!(offered, sent + failed + superseded + refused + waiting, "{counts:?}");
}

/// Until the task has taken what it can without time passing.
async fn settle(pacer: &PacerHandle) {
    for _ in 0..10 {
        tokio::task::yield_now().await;
        assert_sum(pacer.stats());
    }
}

#[tokio::test(start_paused = true)]
async fn bursts_go_at_once_and_the_rest_at_the_rate_to_the_millisecond() {
    let (tape, start) = (Tape::new(), Instant::now());
    let pacer = Pacer::new(tape.clone(), 100).burst(3).spawn();
    for n in 0..6 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    pacer.flush().await;
    assert_eq!(tape.times(start), [0, 0, 0, 10, 20, 30].map(ms));
    // The last of them has used up the time until 60 ms: 10 ms later, one burst less one share.
    advance(ms(20)).await;
    for n in 6..10 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    pacer.flush().await;
    assert_eq!(tape.times(start)[6..], [50, 50, 60, 70].map(ms));
    // However long the pause, no more than a burst.
    advance(ms(60_000)).await;
    for n in 10..14 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    pacer.flush().await;
    assert_eq!(tape.times(start + ms(60_070))[10..], [0, 0, 0, 10].map(ms));
    let lines: Vec<_> = (0..14).map(|n| format!("/n ,i {n}")).collect();
    assert_eq!(tape.lines(), lines, "in order");
    assert_eq!((pacer.stats().sent, pacer.stats().superseded), (14, 0));
}

#[tokio::test(start_paused = true)]
async fn a_high_rate_is_reached_and_never_exceeded() {
    let (tape, start) = (Tape::new(), Instant::now());
    let pacer = Pacer::new(tape.clone(), 8_000).capacity(20_000).bytes(1 << 20).spawn();
    for n in 0..20_000 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    pacer.flush().await;
    let times = tape.times(start);
    assert_eq!(times.len(), 20_000);
    let wanted = (20_000.0 - 160.0) / 8_000.0;
    let took = times[19_999].as_secs_f64();
    assert!((wanted..wanted + 0.002).contains(&took), "{took} s, wanted {wanted} s");
    for (first, window) in times.windows(8_161).enumerate() {
        let took = window[8_160] - window[0];
        assert!(took >= ms(999), "8,161 packets in {took:?} from number {first}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_latest_value_takes_the_place_in_the_queue_of_the_one_it_replaces() {
    let tape = Tape::new();
    let pacer = Pacer::new(tape.clone(), 10).burst(1).spawn();
    for n in 0..1_000 {
        for address in ["/a", "/b", "/c"] {
            pacer.send((address, n)).unwrap();
        }
        assert_sum(pacer.stats());
    }
    pacer.send(("/a", 1_000)).unwrap();
    pacer.flush().await;
    assert_eq!(tape.lines(), ["/a ,i 1000", "/b ,i 999", "/c ,i 999"]);
    let counts = pacer.stats();
    assert_eq!((counts.offered, counts.sent, counts.superseded), (3_001, 3, 2_998));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_comes_while_an_older_one_is_sent_is_sent_after_it() {
    let tape = Tape::stuck();
    let pacer = Pacer::new(tape.clone(), 1_000).burst(1_000).spawn();
    pacer.send(("/a", 0)).unwrap();
    settle(&pacer).await;
    assert_eq!(pacer.stats().waiting, 1, "it is being sent");
    for n in 1..5 {
        pacer.send(("/a", n)).unwrap();
    }
    assert_eq!((pacer.stats().waiting, pacer.stats().superseded), (2, 3));
    assert!(timeout(ms(1), pacer.flush()).await.is_err());
    tape.permits.add_permits(2);
    pacer.flush().await;
    assert_eq!(tape.lines(), ["/a ,i 0", "/a ,i 4"]);
}

#[tokio::test(start_paused = true)]
async fn order_is_kept_around_bundles_and_ordered_packets() {
    let tape = Tape::new();
    let pacer = Pacer::new(tape.clone(), 10).burst(1).spawn();
    let bundle = || Bundle::immediately().with(("/a", 100)).into_packet().unwrap();
    for n in [0, 1] {
        pacer.send(("/a", n)).unwrap();
    }
    pacer.send(("/b", 0)).unwrap();
    pacer.send(bundle()).unwrap();
    for n in [2, 3] {
        pacer.send(("/a", n)).unwrap();
    }
    pacer.send_in_order(("/cue", 1)).unwrap();
    pacer.send_in_order(("/cue", 2)).unwrap();
    for n in [4, 5] {
        pacer.send(("/a", n)).unwrap();
    }
    pacer.flush().await;
    let bundle = bundle().to_string();
    let wanted =
        ["/a ,i 1", "/b ,i 0", &bundle, "/a ,i 3", "/cue ,i 1", "/cue ,i 2", "/a ,i 5"].map(str::to_owned);
    assert_eq!(tape.lines(), wanted);
    assert_eq!(pacer.stats().superseded, 3);
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_a_pacer_is_limited_in_packets() {
    let tape = Tape::stuck();
    let pacer = Pacer::new(tape.clone(), 1_000).capacity(3).spawn();
    pacer.send(("/sending", 0)).unwrap();
    settle(&pacer).await;
    for address in ["/a", "/b", "/c"] {
        pacer.send((address, 0)).unwrap();
    }
    for refused in [pacer.send(("/d", 0)), pacer.send_in_order(("/a", 0))] {
        assert_eq!(refused.unwrap_err().kind(), SendErrorKind::Full);
    }
    pacer.send(("/b", 1)).expect("a newer value needs no room");
    assert_eq!((pacer.stats().refused, pacer.stats().waiting), (2, 4));
    assert_sum(pacer.stats());
    tape.permits.add_permits(4);
    pacer.flush().await;
    assert_eq!(tape.lines(), ["/sending ,i 0", "/a ,i 0", "/b ,i 1", "/c ,i 0"]);
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_a_pacer_is_limited_in_bytes() {
    let tape = Tape::stuck();
    let small = ("/a", "").into_packet().unwrap().as_bytes().len();
    let pacer = Pacer::new(tape.clone(), 1_000).bytes(2 * small + 4).spawn();
    pacer.send(("/sending", 0)).unwrap();
    settle(&pacer).await;
    pacer.send(("/a", "")).unwrap();
    pacer.send(("/b", "")).unwrap();
    pacer.send(("/a", "four")).expect("exactly as many bytes as there may be");
    assert!(matches!(pacer.send(("/b", "four")).unwrap_err().kind(), SendErrorKind::Full));
    tape.permits.add_permits(3);
    pacer.flush().await;
    let left = [r#"/a ,s "four""#, r#"/b ,s """#];
    assert_eq!(tape.lines()[1..], left, "a refused value leaves the older one");
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_counted_and_stops_nothing() {
    let tape = Tape::new();
    let pacer = Pacer::new(tape.clone(), 1_000).spawn();
    pacer.send(("/bad", 0)).unwrap();
    pacer.send(("/good", 0)).unwrap();
    assert_eq!(pacer.send(("no slash", 0)).unwrap_err().kind(), SendErrorKind::Encode);
    pacer.flush().await;
    let counts = pacer.stats();
    assert_eq!((counts.offered, counts.sent, counts.failed), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn close_sends_the_queue_and_accepts_nothing_more() {
    let (tape, start) = (Tape::new(), Instant::now());
    let pacer = Pacer::new(tape.clone(), 10).burst(1).spawn();
    for n in 0..3 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    assert!(pacer.close().now_or_never().is_none());
    assert!(matches!(pacer.send(("/a", 0)).unwrap_err().kind(), SendErrorKind::Closed), "once polled");
    pacer.clone().close().await;
    assert_eq!((start.elapsed(), pacer.stats().sent), (ms(200), 3));
    assert_sum(pacer.stats());
    pacer.close().await;
}

#[tokio::test(start_paused = true)]
async fn close_returns_when_the_destination_is_given_up() {
    let tape = Tape::new();
    Pacer::new(tape.clone(), 10).spawn().close().await;
    assert_eq!(Arc::strong_count(&tape.sent), 1, "nothing had to be sent");
    let pacer = Pacer::new(tape.clone(), 10).spawn();
    pacer.send(("/a", 0)).unwrap();
    pacer.close().await;
    assert_eq!((Arc::strong_count(&tape.sent), tape.lines().len()), (1, 1));
}

#[tokio::test]
async fn close_does_not_wait_for_a_task_that_never_ran() {
    let other = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let pacer = {
        let _inside = other.enter();
        Pacer::new(Tape::new(), 10).spawn()
    };
    pacer.send(("/a", 0)).unwrap();
    other.shutdown_background();
    timeout(ms(20_000), async { (pacer.flush().await, pacer.close().await) }).await.unwrap();
    assert_eq!(pacer.stats().failed, 1);
    assert_sum(pacer.stats());
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle() {
    let tape = Tape::stuck();
    let pacer = Pacer::new(tape.clone(), 10).spawn();
    pacer.send(("/a", 0)).unwrap();
    settle(&pacer).await;
    let other = pacer.clone();
    drop(pacer);
    sleep(ms(100)).await;
    assert_eq!(Arc::strong_count(&tape.sent), 2, "one is left");
    drop(other);
    while Arc::strong_count(&tape.sent) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_values_of_a_thousand_faders_sum_up() {
    let tape = Tape::new();
    let pacer = Pacer::new(tape.clone(), 1_000).burst(10).capacity(900).spawn();
    let mut refused = 0;
    for n in 0..100_000_u32 {
        let address = format!("/fader/{}", n.wrapping_mul(2_654_435_761) % 1_000);
        refused += u64::from(pacer.send((address, n as i32)).is_err());
        if n % 100 == 0 {
            sleep(ms(1)).await;
        }
        assert!(pacer.stats().waiting <= 901);
    }
    pacer.close().await;
    let counts = pacer.stats();
    assert_sum(counts);
    assert_eq!((counts.offered, counts.refused, counts.waiting), (100_000, refused, 0));
    assert!(counts.sent >= 1_000 && counts.superseded > 80_000, "{counts:?}");
    assert_eq!(tape.lines().len() as u64, counts.sent);
}
