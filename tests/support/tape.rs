//! A destination that records its packets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_osc::Packet;
use tokio_osc::node::{Destination, SendOutcome};
use tokio_osc::packet::SendErrorKind;

/// Records packets and their times; each packet needs a permit, and `/bad` is refused.
#[derive(Clone)]
pub struct Tape {
    pub sent: Arc<Mutex<Vec<(Packet, Instant)>>>,
    pub permits: Arc<Semaphore>,
}

impl Tape {
    pub fn new() -> Self {
        Self { sent: Arc::default(), permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)) }
    }

    pub fn stuck() -> Self {
        Self { permits: Arc::new(Semaphore::new(0)), ..Self::new() }
    }

    pub fn packets(&self) -> Vec<Packet> {
        self.sent.lock().unwrap().iter().map(|(packet, _)| packet.clone()).collect()
    }

    pub fn lines(&self) -> Vec<String> {
        self.packets().iter().map(ToString::to_string).collect()
    }

    pub fn times(&self, start: Instant) -> Vec<Duration> {
        self.sent.lock().unwrap().iter().map(|(_, at)| *at - start).collect()
    }
}

impl Destination for Tape {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async {
            self.permits.acquire().await.unwrap().forget();
            self.try_send(packet)
        }
        .boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        if packet.to_string().starts_with("/bad") {
            return SendOutcome::Failed(SendErrorKind::Closed.into());
        }
        self.sent.lock().unwrap().push((packet.clone(), Instant::now()));
        SendOutcome::Sent { peers: 1 }
    }
}
