//! Routes, extractors and execution, one promise after the other. Packets are fed to the server as a
//! stream; sockets are used only where answers are what matters.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::cast_precision_loss, reason = "figures to be printed")]

mod execution;
mod extractors;
mod live;
mod namespace;
mod on;
mod own_packets;
mod refused_routes;
mod replies;
mod routes;
mod subscription;
mod threats;

#[path = "../support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex};

use futures::channel::mpsc;
use futures::stream;
use tokio_osc::server::Stats;
use tokio_osc::{Message, Router, Server, State};

use crate::support::fed::{Item, ended, item};
use crate::support::ms;

type Log = Mutex<Vec<String>>;

fn raw(address: &str) -> Message {
    Message::with_raw_address(address, ()).unwrap()
}

/// Feeds these packets to a server with this router, and waits until all are handled.
async fn handle<S: Send + Sync + 'static>(router: Router<S>, items: Vec<Item>) -> Stats {
    run(Server::new(router).feed("test", stream::iter(items))).await
}

/// Runs a server until its streams have ended and all its handlers too.
async fn run(server: Server) -> Stats {
    ended(server.spawn()).await
}

/// A feed that stays open.
fn feed() -> (mpsc::UnboundedSender<Item>, mpsc::UnboundedReceiver<Item>) {
    mpsc::unbounded()
}

fn log() -> Arc<Log> {
    Arc::default()
}

fn note(name: &'static str) -> impl Fn(State<Arc<Log>>) + Send + Sync + Clone + 'static {
    move |State(log): State<Arc<Log>>| log.lock().unwrap().push(name.to_owned())
}

fn names(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

/// What a router does with each of these addresses: the names of the handlers that ran.
async fn taken<'a>(router: Router<Arc<Log>>, log: &Log, addresses: &[&'a str]) -> Vec<(&'a str, String)> {
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    let mut all = Vec::new();
    for (done, &address) in (1..).zip(addresses) {
        sender.unbounded_send(item(raw(address))).unwrap();
        let ran = || {
            let stats = server.stats();
            stats.matched + stats.unmatched + stats.illegal == done
        };
        while !ran() {
            tokio::task::yield_now().await;
        }
        all.push((address, names(log).join(" ")));
    }
    drop(sender);
    server.shutdown().await;
    all
}
