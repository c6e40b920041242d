//! What the typical mistakes of a new user say when the program runs: each message names the thing, and
//! what to do. Those that the compiler finds are in `tests/compile`, those of a route in
//! `tests/dispatch/refused_routes.rs`.
#![cfg(feature = "net")]

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_osc::middleware::AllowedTypeTags;
use tokio_osc::packet::TypeTagSet;
use tokio_osc::{Args, Captures, Channel, Client, Endpoint, Router, Server, Slip, Udp, on};

use crate::support::panicking::panic_of;
use crate::support::unused_address;

/// The message of a panic.
fn said_by<T>(mistake: impl FnOnce() -> T) -> String {
    panic_of(mistake).message
}

async fn udp_client() -> (Channel, Client) {
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    (channel, client)
}

#[tokio::test]
async fn an_argument_of_another_type_is_named_with_its_place() {
    let router = Router::new().route("/synth/*/freq", |_: Args<(f32, String)>| {});
    let report = router.call(("/synth/1/freq", ("loud", "saw"))).report().await;
    let (route, rejection) = &report.rejected[0];
    assert_eq!(
        format!("{route}: {rejection}"),
        "/synth/*/freq: argument 0: expected float32, found a string (s)"
    );
}

#[tokio::test]
async fn an_error_about_a_capture_shows_the_pattern_that_was_sent() {
    let router = Router::new().route("/synth/*/freq", |_: Captures<u32>| {});
    let report = router.call(("/synth/{1,3}/freq", ())).report().await;
    assert_eq!(
        report.rejected[0].1.to_string(),
        "capture 0: expected u32, the sender wrote `{1,3}`, which is a pattern; use `on(handler).instances(…)` to run \
         once for each name"
    );
    let router = Router::new().route("/synth/*/freq", on(|_: Captures<u32>| {}).instances(1..=4));
    assert_eq!(router.call(("/synth/{1,3}/freq", ())).report().await.handled, 2);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let (channel, _client) = udp_client().await;
    let address = channel.local_addr().unwrap();
    let error = Channel::udp(address).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on udp {address}: address already in use"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let error = Channel::tcp(address, Slip::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on tcp {address}: address already in use"));
}

/// The system tells it to a socket that is connected; another waits until the time is up.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_udp_peer_that_is_not_there_is_named() {
    let address = unused_address();
    let client = Udp::new(address).connect().await.unwrap();
    let error = client.request(("/ping", 7), "/pong").timeout(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no reply to /ping matching /pong from {address} within 100 ms: connection refused: is the other side \
             listening?"
        )
    );
}

#[tokio::test]
async fn a_tcp_peer_that_is_not_there_is_named() {
    let address = unused_address();
    let error = Client::tcp(address, Slip::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to tcp {address}: connection refused: is the other side listening?")
    );
}

#[tokio::test]
async fn a_host_that_is_not_known_is_named() {
    let error = Client::udp("stage.invalid:9000").await.unwrap_err().to_string();
    assert!(error.starts_with("cannot find the host `stage.invalid`: "), "{error}");
}

#[test]
fn a_pattern_that_is_not_legal_is_shown_with_the_place() {
    let text = said_by(|| Router::new().route("/synth/[1-", || {}));
    assert_eq!(text, "\"/synth/[1-\" is not a legal route: `[` without `]` in its part, at byte 7");
}

#[tokio::test]
async fn a_subscription_that_is_not_legal_is_shown_with_the_place() {
    let (_channel, client) = udp_client().await;
    let text = said_by(|| client.subscribe("/meters/[1-"));
    assert_eq!(text, "the pattern \"/meters/[1-\" is not legal: `[` without `]` in its part, at byte 8");
}

/// Not a mistake: all routes that match run, in the order in which they were added.
#[tokio::test]
async fn the_same_route_twice_runs_both() {
    let router = Router::new().route("/ping", || ("/pong", 1)).route("/ping", || ("/pong", 2));
    let replies = router.call(("/ping", ())).await;
    assert_eq!(replies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/pong ,i 1", "/pong ,i 2"]);
}

#[test]
fn a_scheme_that_is_not_known_is_named_with_those_that_are() {
    assert_eq!(
        "osc.tape://127.0.0.1:9000/".parse::<Endpoint>().unwrap_err().to_string(),
        "`osc.tape` is none of osc.udp, osc.tcp, osc.tcp+slip, osc.unix, osc.unix+slip"
    );
}

#[tokio::test]
async fn a_blob_that_no_datagram_holds_is_sent_to_tcp() {
    let (_channel, client) = udp_client().await;
    let error = client.send(("/blob", vec![0_u8; 70_000].as_slice())).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot send 70,016 bytes as one datagram (at most 65,507): use TCP");
}

#[test]
fn a_server_without_a_runtime_says_what_is_missing() {
    let text = said_by(|| Server::new(Router::new()).spawn());
    assert!(
        text.starts_with("there is no reactor running, must be called from the context of a Tokio"),
        "{text}"
    );
}

#[tokio::test]
async fn a_double_is_refused_or_turned_where_only_floats_are_known() {
    let (mut device, _client) = udp_client().await;
    let peer = device.local_addr().unwrap();
    let plain = || AllowedTypeTags::new(TypeTagSet::of("ifsb").unwrap());
    let client = Udp::new(peer).middleware(plain()).client().await.unwrap();
    let error = client.send(("/gain", 0.5)).await.unwrap_err();
    let remedy = "write `0.5_f32` for `f`, or use `AllowedTypeTags::converting()`";
    assert_eq!(error.to_string(), format!("not accepted: type tag 'd' is not allowed, at byte 9: {remedy}"));

    let client = Udp::new(peer).middleware(plain().converting()).client().await.unwrap();
    client.send(("/gain", 0.5)).await.unwrap();
    assert_eq!(device.recv().await.unwrap().0.unwrap().to_string(), "/gain ,f 0.5");
}

#[tokio::test]
async fn a_dropped_handle_stops_its_server() {
    let (channel, client) = udp_client().await;
    drop(Server::new(Router::new().route("/ping", || ("/pong", 1))).listen("udp", channel).spawn());
    let error = client.request(("/ping", ()), "/pong").timeout(Duration::from_millis(200)).await.unwrap_err();
    assert!(error.to_string().starts_with("no reply to /ping matching /pong from 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_channel_name_that_is_taken_is_named() {
    let (first, second) = (udp_client().await.0, udp_client().await.0);
    let text = said_by(|| Server::new(Router::new()).listen("udp", first).listen("udp", second));
    assert_eq!(text, "a channel or group has the name \"udp\" already");
}
