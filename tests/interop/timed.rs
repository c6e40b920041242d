//! Bundles that are sent ahead of their time, and run when it comes: theirs here, ours there.

use std::time::{Duration, SystemTime};

use tokio_osc::{Bundle, TimeTag};

use super::ear::Ear;
use super::peer::{Listener, Speaker};
use super::program::{compiled_with_liblo, run};
use super::transport::Transport;

/// How far ahead of its time a bundle is sent.
const AHEAD: Duration = Duration::from_millis(200);

/// How late our handlers may run. Tokio's timer has ticks of 1 ms; the rest is for a busy machine.
const TOLERANCE: Duration = Duration::from_millis(50);

/// How late a line of a peer may come, by way of its process and a pipe.
const THEIR_TOLERANCE: Duration = Duration::from_millis(150);

/// How early something may seem to run: osc4py3 runs bundles up to 1 ms early, python-osc computes with
/// seconds in floats.
const EARLY: Duration = Duration::from_millis(2);

/// liblo runs bundles up to 10 ms early.
const LIBLO_EARLY: Duration = Duration::from_millis(11);

fn bundle() -> Bundle {
    Bundle::at(TimeTag::after(AHEAD)).with(("/timed", 1)).with(("/timed", 2)).build().unwrap()
}

/// The two messages of a bundle run in order, not before their time, and not much after it.
async fn runs_on_time(mut ear: Ear) {
    for step in [1, 2] {
        let heard = ear.next().await;
        assert_eq!(heard.message.parse::<i32>().unwrap(), step);
        let due = heard.meta.time_tag.unwrap().near(heard.at);
        assert!(heard.meta.received_at < due, "it arrived ahead of its time");
        assert!(heard.at + EARLY >= due, "early: {:?}", due.duration_since(heard.at));
        assert!(heard.meta.lateness <= TOLERANCE, "late: {:?}", heard.meta.lateness);
    }
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_bundle_of_python_osc_runs_on_time() {
    let ear = Ear::open().await;
    let mut peer = Speaker::python_osc(Transport::Udp, ear.port).await;
    peer.send(bundle()).await.unwrap();
    runs_on_time(ear).await;
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn a_bundle_of_osc4py3_runs_on_time() {
    let ear = Ear::open().await;
    let mut peer = Speaker::osc4py3(ear.port).await;
    peer.send(bundle()).await.unwrap();
    runs_on_time(ear).await;
}

#[tokio::test]
#[ignore = "needs liblo-dev and a C compiler: bash .ci/install"]
async fn a_bundle_of_liblo_runs_on_time() {
    let ear = Ear::open().await;
    let mut liblo = compiled_with_liblo("liblo_timed").await;
    liblo.args(["127.0.0.1", &ear.port.to_string(), &AHEAD.as_millis().to_string()]);
    assert!(run(liblo).await.status.success());
    runs_on_time(ear).await;
}

/// A bundle of ours runs at the peer in order, not before its time, and not much after it.
async fn runs_there_on_time(mut peer: Listener, early: Duration) {
    let bundle = bundle();
    peer.client.send(&bundle).await.unwrap();
    for step in ["1", "2"] {
        let line = peer.line().await;
        let now = SystemTime::now();
        let due = bundle.time_tag().near(now);
        assert!(line.contains("/timed ") && line.ends_with(step), "not step {step}: {line}");
        assert!(now + early >= due, "early: {:?}", due.duration_since(now));
        assert!(now <= due + THEIR_TOLERANCE, "late: {:?}", now.duration_since(due));
    }
}

#[tokio::test]
#[ignore = "needs python-osc: bash .ci/install"]
async fn a_bundle_runs_on_time_at_python_osc() {
    runs_there_on_time(Listener::python_osc(Transport::Udp).await, EARLY).await;
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn a_bundle_runs_on_time_at_osc4py3() {
    runs_there_on_time(Listener::osc4py3().await, EARLY).await;
}

#[tokio::test]
#[ignore = "needs liblo-tools: bash .ci/install"]
async fn a_bundle_runs_on_time_at_oscdump() {
    runs_there_on_time(Listener::oscdump(Transport::Udp).await, LIBLO_EARLY).await;
}
