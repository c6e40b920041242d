//! What is done to the schedule from outside, while the server runs.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream;
use tokio_osc::{Args, Bundle, Channel, Client, Meta, Peer, Router, Server, TimeTag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_that_cancels_bundles_does_not_hold_up_the_server() {
    let later = TimeTag::after(Duration::from_secs(600));
    let bundle =
        (0..1_000).fold(Bundle::at(later), |bundle, n| bundle.with((format!("/synth/voice{n}/x"), ())));
    let bundle = bundle.build().unwrap();
    let peer = |n: u32| Peer::from((Ipv4Addr::from_bits(0x0a00_0000 + n % 16), 9_000));
    let packets: Vec<_> = (0..139).map(|n| (Ok(bundle.clone().into()), Meta::from_peer(peer(n)))).collect();
    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let probe = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("udp", channel).feed("bundles", stream::iter(packets)).spawn();
    while server.stats().schedule.pushed < 139 {
        tokio::task::yield_now().await;
    }
    let server = Arc::new(server);
    let cancelling = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || {
            let begin = Instant::now();
            assert_eq!(server.cancel_matching("/*{s,y}*/*{v,o,i,c,e}*/y").unwrap(), 0);
            begin.elapsed()
        }
    });
    let mut worst = Duration::ZERO;
    while !cancelling.is_finished() {
        let begin = Instant::now();
        // A bundle that is to wait asks for the schedule.
        probe.send(Bundle::at(later).with(("/later", ()))).await.unwrap();
        probe.request(("/ping", 1), "/pong").await.unwrap();
        worst = worst.max(begin.elapsed());
    }
    let took = cancelling.await.unwrap();
    println!("cancelling took {took:.1?}, the worst probe meanwhile {worst:.1?}");
    assert!(worst < took / 2, "cancelling took {took:.1?}, the worst probe {worst:.1?}");
}
