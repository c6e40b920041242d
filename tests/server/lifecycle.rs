//! The life of a server: how it begins and ends, channels that come and go meanwhile, and what it tells
//! of them.
#![cfg(feature = "net")]

mod channels;
mod events;
mod numbers;
mod shutdown;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_osc::packet::IntoPacket;
use tokio_osc::server::Stats;
use tokio_osc::{Meta, Packet, Peer, Router, on};

use crate::support::fed::{Item, item};
use crate::support::{LOOPBACK, ms, until};

/// A feed that stays open.
fn feed() -> (mpsc::UnboundedSender<Item>, mpsc::UnboundedReceiver<Item>) {
    mpsc::unbounded()
}

/// What must not take long.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("it comes to an end")
}

/// `/wait` waits for a permit, `/stuck` never ends, in a lane too, and `/n` does nothing.
fn waiting(gate: &Arc<Semaphore>) -> Router {
    let gate = Arc::clone(gate);
    Router::new()
        .route("/wait", move || {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                ("/waited", ())
            }
        })
        .route("/stuck", std::future::pending::<()>)
        .route("/lane/stuck", on(std::future::pending::<()>).on_task(8))
        .route("/n", || {})
}

/// The accounts of a server in which nothing is under way.
fn assert_balanced(stats: &Stats) {
    let waiting = (stats.inbox + stats.schedule.pending) as u64;
    assert_eq!(stats.received + stats.split_off, stats.ran + stats.dropped() + waiting, "{stats}");
}
