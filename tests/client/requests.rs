//! Requests and subscriptions as users meet them: error messages, repeated requests, withdrawn requests.
#![cfg(feature = "net")]

use std::io::ErrorKind;
use std::time::Duration;

use tokio_osc::channel::Disconnect;
use tokio_osc::client::{ClientState, RequestErrorKind};
use tokio_osc::packet::SendErrorKind;
use tokio_osc::{Args, Channel, Client, Router, Server, Slip, Udp};

use crate::support::{LOOPBACK, ms, unused_address};

async fn next(channel: &mut Channel) -> String {
    channel.recv().await.unwrap().0.unwrap().to_string()
}

#[tokio::test]
async fn patterns_of_run_time_are_errors_and_not_panics() {
    let client = Client::udp("127.0.0.1:9").await.unwrap();
    assert!(client.try_subscribe("/a/[1-").is_err() && client.try_request(("/a", 1), "/a/{b").is_err());
    let builder = Client::reconnecting("127.0.0.1:9", Slip::new());
    assert!(builder.try_subscribe("/a/[1-").is_err());
    assert!(client.try_subscribe("/a/*").is_ok());
}

#[tokio::test]
async fn a_request_without_a_reply_names_address_pattern_peer_and_time() {
    let silent = Channel::udp(LOOPBACK).await.unwrap();
    let at = silent.local_addr().unwrap();
    let client = Client::udp(at).await.unwrap();
    let error = client.request(("/ping", 7), "/po*").timeout(ms(100)).await.unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Timeout);
    assert_eq!(error.to_string(), format!("no reply to /ping matching /po* from {at} within 100 ms"));
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(format!("{error:#?}").starts_with("RequestError {"));

    let (here, there) = tokio::io::duplex(64);
    let client = Client::io(here, Slip::new());
    drop(there);
    let error = client.request(("/ping", 7), "/pong").await.unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Send, "it had ended before");
    assert_eq!(error.send_error().unwrap().kind(), SendErrorKind::Closed);

    let (here, there) = tokio::io::duplex(64);
    let client = Client::io(here, Slip::new());
    let request = tokio::spawn(client.request(("/ping", 7), "/pong").into_future());
    let mut peer = Channel::io(there, Slip::new());
    assert_eq!(next(&mut peer).await, "/ping ,i 7");
    drop(peer);
    let error = request.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Closed);
    assert!(matches!(error.disconnect(), Some(Disconnect::ByPeer)));
    assert_eq!(
        error.to_string(),
        "no reply to /ping matching /pong, the connection was lost: closed by the peer"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_udp_port_is_named_when_the_kernel_reports_it() {
    let closed = unused_address();
    let client = Udp::new(closed).connect().await.unwrap();
    let error = client.request(("/ping", 7), "/pong").timeout(ms(50)).await.unwrap_err();
    let refused = "connection refused: is the other side listening?";
    assert_eq!(
        error.to_string(),
        format!("no reply to /ping matching /pong from {closed} within 50 ms: {refused}")
    );
}

#[tokio::test]
async fn a_lost_request_is_sent_again() {
    let mut peer = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(peer.local_addr().unwrap()).await.unwrap();
    let request = client.request(("/ping", 7), "/pong").timeout(ms(20)).retries(1_000);
    let request = tokio::spawn(request.into_future());
    for _ in 0..2 {
        assert_eq!(next(&mut peer).await, "/ping ,i 7", "the first is not answered");
    }
    let (_, meta) = peer.recv().await.unwrap();
    peer.send_to(meta.peer, ("/pong", 7)).await.unwrap();
    assert_eq!(request.await.unwrap().unwrap().to_string(), "/pong ,i 7");
}

#[tokio::test]
async fn a_reply_has_to_echo_the_arguments_and_fit_every_condition() {
    let mut peer = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(peer.local_addr().unwrap()).await.unwrap();
    let request = client.request(("/get", (7, "gain")), "/value").echoing((7, "gain"));
    let request =
        request.matching(|reply| reply.parse::<(i32, String, f32)>().is_ok_and(|(_, _, x)| x > 1.0));
    let request = tokio::spawn(request.into_future());
    let (_, meta) = peer.recv().await.unwrap();
    for n in 6..=7 {
        peer.send_to(meta.peer, ("/value", (n, "pan", 2.0_f32))).await.unwrap();
        peer.send_to(meta.peer, ("/value", (n, "gain", 0.5_f32))).await.unwrap();
        peer.send_to(meta.peer, ("/value", n)).await.unwrap();
        peer.send_to(meta.peer, ("/value", (n, "gain", 2.0_f32))).await.unwrap();
    }
    assert_eq!(request.await.unwrap().unwrap().to_string(), "/value ,isf 7 \"gain\" 2");
}

#[tokio::test]
async fn subscriptions_are_received_without_the_futures_crate() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let mut meters = client.subscribe("/ch/*/meter/*");
    client.send(("/hello", ())).await.unwrap();
    let (_, meta) = channel.recv().await.unwrap();
    let mut cancelled = 0;
    for n in 0..100 {
        tokio::select! {
            biased;
            _ = meters.recv() => panic!("nothing was sent"),
            () = std::future::ready(()) => cancelled += 1,
        }
        channel.send_to(meta.peer, (format!("/ch/{n}/meter/left"), n)).await.unwrap();
        let meter = meters.recv().await.unwrap();
        assert_eq!(meters.captures(&meter), [n.to_string().as_str(), "left"]);
    }
    assert_eq!((cancelled, meters.missed()), (100, 0));
}

#[tokio::test]
async fn a_keep_alive_is_sent_at_once_and_until_its_guard_is_dropped() {
    let mut mixer = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(mixer.local_addr().unwrap()).await.unwrap();
    let subscribed = client.keep_alive(Duration::from_secs(3_600), ("/xremote", ())).unwrap();
    assert_eq!(next(&mut mixer).await, "/xremote ,");
    drop(subscribed);
    let subscribed = client.keep_alive(ms(5), ("/xremote", ())).unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut mixer).await, "/xremote ,");
    }
    drop(subscribed);
    client.send(("/last", ())).await.unwrap();
    while next(&mut mixer).await != "/last ," {}
    assert!(tokio::time::timeout(ms(50), mixer.recv()).await.is_err(), "it has stopped");
    assert!(client.keep_alive(ms(5), ("no-slash", ())).is_err());
}

#[tokio::test]
async fn a_request_that_no_longer_waits_is_taken_out_of_the_queue() {
    let at = unused_address();
    let client = Client::reconnecting(at, Slip::new()).backoff(ms(5), ms(10)).spawn().unwrap();
    let error = client.request(("/timed-out", 1), "/pong").timeout(ms(20)).retries(1).await.unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Timeout);
    assert_eq!(error.to_string(), "no reply to /timed-out matching /pong within 20 ms, sent 2 times");
    let dropped = client.request(("/dropped", 1), "/pong");
    assert!(tokio::time::timeout(ms(20), dropped.into_future()).await.is_err());
    let delivery = client.delivery().unwrap();
    assert_eq!((delivery.accepted, delivery.dropped, delivery.queued), (3, 3, 0));

    client.send(("/kept", 1)).await.unwrap();
    let mut peer = Channel::tcp(at, Slip::new()).await.unwrap();
    assert_eq!(next(&mut peer).await, "/kept ,i 1");
}

#[tokio::test]
async fn what_waited_too_long_is_not_sent_late() {
    let at = unused_address();
    let builder = Client::reconnecting(at, Slip::new()).backoff(ms(5), ms(10));
    let client = builder.max_age(ms(30)).spawn().unwrap();
    client.send(("/cue", 1)).await.unwrap();
    tokio::time::sleep(ms(40)).await;
    client.send(("/cue", 2)).await.unwrap();
    let delivery = client.delivery().unwrap();
    assert_eq!((delivery.accepted, delivery.dropped, delivery.queued), (2, 1, 1));
}

#[tokio::test]
async fn packets_can_be_refused_while_there_is_no_connection() {
    let at = unused_address();
    let builder = Client::reconnecting(at, Slip::new()).backoff(ms(5), ms(10)).refuse_while_disconnected();
    let client = builder.spawn().unwrap();
    let error = client.send(("/cue", 1)).await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Io(ErrorKind::NotConnected));
    assert!(error.to_string().contains("the client is not connected"), "{error}");

    let mut peer = Channel::tcp(at, Slip::new()).await.unwrap();
    let reading = tokio::spawn(async move { next(&mut peer).await });
    let mut states = client.states();
    while !matches!(states.recv().await, Some(ClientState::Connected)) {}
    client.send(("/cue", 2)).await.unwrap();
    assert_eq!(reading.await.unwrap(), "/cue ,i 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answers_of_a_reconnecting_client_are_heard() {
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let at = channel.local_addr().unwrap();
    let router = Router::new().route("/subscribe", |Args(n): Args<i32>| ("/fader/1", n));
    let server = Server::new(router).listen("mixer", channel).spawn();
    for n in 0..20 {
        let builder = Client::reconnecting(at, Slip::new()).on_connect(("/subscribe", n));
        let mut faders = builder.subscribe("/fader/*");
        let _client = builder.spawn().unwrap();
        let fader = tokio::time::timeout(Duration::from_secs(5), faders.recv()).await.unwrap().unwrap();
        assert_eq!(fader.parse::<i32>().unwrap(), n);
    }
    server.shutdown().await;
}
