//! Patterns that are expensive to match, within what one source may use up.

use std::time::{Duration, Instant};

use futures::stream;
use tokio_osc::packet::DecodeError;
use tokio_osc::server::Stats;
use tokio_osc::{Message, Meta, Packet, Peer, Router, Server};

type Item = (Result<Packet, DecodeError>, Meta);

/// 64 bytes.
const HOSTILE: &str = "/*{s,y}*/*{v,o,i,c,e}*{v,o,i,c,e}*{v,o,i,c,e}*/f*e*q";

fn router() -> Router {
    (0..1_000).fold(Router::new(), |router, n| router.route(format!("/synth/voice{n}/freq"), || {}))
}

fn from(host: u8, address: &str) -> Item {
    let message = Message::with_raw_address(address, ()).unwrap();
    (Ok(message.into()), Meta::from_peer(Peer::from(([192, 0, 2, host], 9_000))))
}

async fn ended(server: Server, packets: Vec<Item>) -> Stats {
    let server = server.feed("feed", stream::iter(packets)).spawn();
    server.wait().await;
    server.shutdown().await
}

#[tokio::test]
async fn a_source_is_limited_in_matching_steps_per_second_and_delays_no_other() {
    let mut packets: Vec<_> = (0..1_000).map(|_| from(1, HOSTILE)).collect();
    packets.extend([from(2, HOSTILE), from(1, "/synth/voice7/freq"), from(1, "/synth/voice7/f*")]);
    let begin = Instant::now();
    let stats = ended(Server::new(router()).max_steps_per_second(10_000_000), packets).await;
    let took = begin.elapsed();
    println!("{} matched, {} over budget in {took:.1?}", stats.matched, stats.over_budget);
    let allowed = stats.matched - 2;
    assert!(allowed > 2 && allowed < 100 + 30 * (1 + took.as_secs()), "the source has its share: {allowed}");
    assert_eq!(stats.matched + stats.over_budget, 1_003);
}

#[tokio::test]
async fn an_expensive_pattern_costs_little() {
    let count = 50_u32;
    let packets: Vec<_> = (0..count).map(|_| from(1, HOSTILE)).collect();
    let begin = Instant::now();
    let stats = ended(Server::new(router()).max_steps_per_second(u32::MAX), packets).await;
    println!("{:.1?} for each of {} against 1,000 routes", begin.elapsed() / count, stats.matched);
    assert_eq!(stats.matched, u64::from(count));
    assert!(begin.elapsed() < Duration::from_secs(60));
}
