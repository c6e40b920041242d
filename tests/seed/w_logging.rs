//! W. Logging: what a subscriber of `tracing` is told.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio_osc::{Channel, Client, Router, Server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber, subscriber};

use super::LOOPBACK;

/// Keeps each event and each new span as a line: level, target, fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(format!("{} {} {}", metadata.level(), metadata.target(), metadata.name()));
        record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    /// Whether a line has all these parts.
    fn has(&self, parts: &[&str]) -> bool {
        self.0.lock().unwrap().iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tokio_osc")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(span.metadata(), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        self.push(event.metadata(), |fields| event.record(fields));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A server that is sent a good packet, a bad one, and one that makes a handler panic.
async fn traced() -> Lines {
    let lines = Lines::default();
    let _guard = subscriber::set_default(lines.clone());
    let router =
        Router::new().route("/voice/*", || {}).route("/panic", || panic!("a test panics on purpose"));
    let server = Server::new(router).listen("stage", Channel::udp(LOOPBACK).await.unwrap()).spawn();
    let address = server.local_addr("stage").unwrap();
    let client = Client::udp(address).await.unwrap();
    client.send(("/voice/7", 440)).await.unwrap();
    client.send(("/panic", ())).await.unwrap();
    UdpSocket::bind(LOOPBACK).await.unwrap().send_to(b"HTTP", address).await.unwrap();
    while server.stats().received < 3 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    lines
}

#[tokio::test]
async fn w01_whoever_subscribes_is_told_of_faults_and_of_the_life_of_channels() {
    let lines = traced().await;
    assert!(lines.has(&["DEBUG tokio_osc::server", "stage", "Opening"]));
    assert!(lines.has(&["DEBUG", "malformed packet", "neither a message nor a bundle"]));
    assert!(lines.has(&["ERROR tokio_osc::dispatch", "/panic", "handler panicked"]));
}

#[tokio::test]
async fn w02_the_span_of_a_handler_names_its_route() {
    assert!(traced().await.has(&["DEBUG tokio_osc::dispatch handler", "route=/voice/*", "address=/voice/7"]));
}

#[tokio::test]
async fn f04_a_channel_is_told_apart_by_its_name() {
    let lines = traced().await;
    assert!(lines.has(&["TRACE tokio_osc::server", "channel=stage", "packet"]));
    assert!(lines.has(&["DEBUG", "channel=stage", "malformed packet"]));
}

/// `oscidentifier`: what a channel is called.
#[tokio::test]
async fn f21_a_channel_has_a_span_of_its_name() {
    assert!(traced().await.has(&["DEBUG tokio_osc::server channel", "name=stage"]));
}
