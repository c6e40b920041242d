//! Part E of the performance goals: the queue of timed bundles beside `tokio_util::time::DelayQueue`.
//!
//! Every round times both queues on the same delays, one after the other; a figure is the median
//! of the rounds. The goals are ratios, so that the speed of the machine cancels out.
//!
//! Our queue does more per entry than the other: it keeps the order among equals and an account
//! for each of sixteen peers.

#![allow(dead_code, unreachable_pub, reason = "modules of the library, of which a part is used here")]

// The queue is private to the library, and stays so: these are its files, compiled into this
// program. They need nothing else of the crate but `TimeTag`.
#[path = "../src/schedule/clock.rs"]
mod clock;
#[path = "../src/schedule/due.rs"]
mod due;
#[path = "../src/schedule/entry.rs"]
mod entry;
#[path = "../src/schedule/farthest.rs"]
mod farthest;
#[path = "../src/schedule/ledger.rs"]
mod ledger;
#[path = "../src/schedule/limits.rs"]
mod limits;
#[path = "../src/schedule/queue.rs"]
mod queue;
#[path = "../src/schedule/slots.rs"]
mod slots;
mod types {
    pub(crate) use tokio_osc::TimeTag;
}

use std::future::poll_fn;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use clock::{Clock, TokioClock};
use entry::Entry;
use limits::ScheduleLimits;
use queue::Queue;

const ROUNDS: usize = 11;
/// The delays lie within this span, as a sequencer's lookahead does.
const SPREAD: Duration = Duration::from_millis(200);
/// As large as the handle of a packet.
type Item = [u64; 5];

#[derive(Clone, Copy)]
struct Figure {
    insert: f64,
    expire: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{:>8} {:>32} {:>24}", "entries", "insert ns: ours, other", "expire ns: ours, other");
    let mut goals = Vec::new();
    for entries in [1_000, 10_000, 100_000] {
        let (mut our_rounds, mut other_rounds) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let delays = delays(entries, round as u64);
            our_rounds.push(Ours::new().round(&delays).await);
            other_rounds.push(delay_queue_round(&mut DelayQueue::new(), &delays).await);
        }
        // The first round made the queues grow.
        let (our, other) = (median(&our_rounds[1..]), median(&other_rounds[1..]));
        println!(
            "{entries:>8} {:>24.0} {:>7.0} {:>16.0} {:>7.0}",
            our.insert, other.insert, our.expire, other.expire
        );
        goals.push((format!("queue-insert-{entries}"), our.insert / other.insert, 0.8));
        goals.push((format!("queue-expire-{entries}"), our.expire / other.expire, 0.5));
    }
    for (name, ratio, goal) in goals {
        let verdict = if ratio <= goal { "ok" } else { "short" };
        println!("goal: {name} ratio {ratio:.2} (goal {goal}) {verdict}");
    }
}

/// Delays in nanoseconds, spread evenly and not on whole milliseconds.
fn delays(entries: usize, seed: u64) -> Vec<Duration> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_nanos(1 + state % SPREAD.as_nanos() as u64)
    };
    std::iter::repeat_with(next).take(entries).collect()
}

struct Ours {
    clock: TokioClock,
    queue: Queue<Item>,
}

impl Ours {
    fn new() -> Self {
        let clock = TokioClock::new();
        let queue = Queue::new(ScheduleLimits::default().entries(1 << 20), clock.now());
        Self { clock, queue }
    }

    async fn round(&mut self, delays: &[Duration]) -> Figure {
        let now = self.clock.now();
        let begin = Instant::now();
        for (number, delay) in delays.iter().enumerate() {
            let peer = IpAddr::from(Ipv4Addr::from_bits(number as u32 % 16));
            let entry =
                Entry { due: now.wall + *delay, bytes: 64, peer: Some(peer), item: [number as u64; 5] };
            black_box(self.queue.push(entry).is_ok());
        }
        let insert = per_entry(begin, delays.len());

        tokio::time::sleep(SPREAD).await;
        let begin = Instant::now();
        let now = self.clock.now();
        let expired = std::iter::from_fn(|| black_box(self.queue.pop_due(now))).count();
        let expire = per_entry(begin, delays.len());
        assert_eq!(expired, delays.len(), "every entry is due");
        Figure { insert, expire }
    }
}

/// Inserts as the other queue is meant to be used, by `insert(item, delay)`, which reads Tokio's
/// clock. Ours is given a reading, which the driver needs anyway to judge the tag.
async fn delay_queue_round(queue: &mut DelayQueue<Item>, delays: &[Duration]) -> Figure {
    let begin = Instant::now();
    for (number, delay) in delays.iter().enumerate() {
        black_box(queue.insert([number as u64; 5], *delay));
    }
    let insert = per_entry(begin, delays.len());

    tokio::time::sleep(SPREAD + Duration::from_millis(5)).await;
    let begin = Instant::now();
    let mut expired = 0;
    while let Some(entry) = poll_fn(|cx| queue.poll_expired(cx)).await {
        black_box(entry);
        expired += 1;
    }
    let expire = per_entry(begin, delays.len());
    assert_eq!(expired, delays.len(), "every entry is expired");
    Figure { insert, expire }
}

fn per_entry(begin: Instant, count: usize) -> f64 {
    begin.elapsed().as_secs_f64() * 1e9 / count as f64
}

fn median(rounds: &[Figure]) -> Figure {
    let middle = |pick: fn(&Figure) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figure { insert: middle(|figure| figure.insert), expire: middle(|figure| figure.expire) }
}
