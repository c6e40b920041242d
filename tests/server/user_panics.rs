//! Functions of the user that panic, in tools: each costs what it was called for.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, stream};
use tokio_osc::channel::PeerNames;
use tokio_osc::node::{Destination, SendOutcome};
use tokio_osc::tools::{Pacer, Relay};
use tokio_osc::{Packet, Peer};

use crate::support::fed::remote as item;

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Keeps numbers, and panics on the odd ones: 1 at once, 3 in its future, and with a payload that panics on 5.
#[derive(Clone, Default)]
struct Odd(Arc<Mutex<Vec<i32>>>);

impl Destination for Odd {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        let Packet::Message(message) = packet else { panic!("a bundle") };
        let n: i32 = message.parse().unwrap();
        assert!(n != 1, "at once");
        async move {
            assert!(n != 3, "later");
            if n == 5 {
                std::panic::panic_any(Bomb);
            }
            self.0.lock().unwrap().push(n);
            SendOutcome::Sent { peers: 1 }
        }
        .boxed()
    }

    fn try_send(&self, _packet: &Packet) -> SendOutcome {
        panic!("not used")
    }

    fn is_peer(&self, _peer: Peer) -> bool {
        panic!("it does not know")
    }
}

#[tokio::test]
async fn a_relay_outlives_panics_of_its_filter_its_sources_and_a_destination() {
    let (odd, all) = (Odd::default(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&all);
    let broken = stream::iter([item(("/n", 10))]).chain(stream::poll_fn(|_| panic!("the source")));
    let relay = Relay::new()
        .from("numbers", stream::iter((0..8).map(|n| item(("/n", n)))))
        .from("broken", broken)
        .to("odd", odd.clone())
        .filter(move |packet, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            assert!(packet.to_string() != "/n ,i 6", "the filter");
            true
        });
    let stats = relay.run().await;
    let mut kept = odd.0.lock().unwrap().clone();
    kept.sort_unstable();
    assert_eq!(kept, [0, 2, 4, 7, 10]);
    let to = &stats.to[0];
    assert_eq!((stats.received, stats.filtered, to.sent, to.failed), (9, 1, 5, 3), "{stats:?}");
    // The filter, the source, three sends, and eight questions whether it is the origin.
    assert_eq!(stats.panicked, 1 + 1 + 3 + 8);
    assert_eq!(all.load(Ordering::Relaxed), 9);
}

#[tokio::test(start_paused = true)]
async fn a_pacer_outlives_panics_of_its_destination() {
    let odd = Odd::default();
    let pacer = Pacer::new(odd.clone(), 1_000).spawn();
    for n in 0..8 {
        pacer.send_in_order(("/n", n)).unwrap();
    }
    pacer.close().await;
    let stats = pacer.stats();
    assert_eq!((stats.sent, stats.failed, stats.panicked, stats.waiting), (5, 3, 3, 0), "{stats:?}");
    assert_eq!(*odd.0.lock().unwrap(), [0, 2, 4, 6, 7]);
}

#[tokio::test]
async fn a_look_up_that_panics_costs_one_name() {
    let names = PeerNames::new();
    names.look_up(|address| {
        assert!(address.to_string() != "192.0.2.1", "at once");
        async move {
            assert!(address.to_string() != "192.0.2.2", "later");
            Some(format!("host-{address}"))
        }
    });
    let name = |host: u8| names.get(SocketAddr::from(([192, 0, 2, host], 9_000)));
    assert_eq!((name(1), name(2), name(3)), (None, None, None));
    while name(3).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(name(3).as_deref(), Some("host-192.0.2.3"));
    assert_eq!((name(1), name(2)), (None, None));
}
