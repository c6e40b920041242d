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
#[path = "../src/schedule/ledger.rs"]
mod ledger;
#[path = "../src/schedule/limits.rs"]
mod limits;
#[path = "../src/schedule/queue.rs"]
mod queue;
mod types {
    pub(crate) use tokio_osc::TimeTag;
}

use std::future::poll_fn;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use clock::{Clock, TokioClock};
use entry::Entry;
use limits::ScheduleLimits;
use queue::Queue;

const ROUNDS: usize = 15;
/// The delays lie within this many milliseconds, as a sequencer's lookahead does.
const SPREAD_MS: u64 = 10_000;
/// As large as the handle of a packet.
type Item = [u64; 5];

#[derive(Clone, Copy)]
struct Figure {
    insert: f64,
    expire: f64,
}

fn main() {
    println!("{:>8} {:>24} {:>24}", "entries", "insert ns (other)", "expire ns (other)");
    let mut goals = Vec::new();
    for entries in [1_000, 10_000, 100_000] {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let delays = delays(entries, round as u64);
            ours.push(paused(queue_round(&delays)));
            others.push(paused(delay_queue_round(&delays)));
        }
        let (our, other) = (median(&ours), median(&others));
        println!(
            "{entries:>8} {:>13.0} ({:>8.0}) {:>13.0} ({:>8.0})",
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
        Duration::from_nanos(1 + state % (SPREAD_MS * 1_000_000))
    };
    std::iter::repeat_with(next).take(entries).collect()
}

async fn queue_round(delays: &[Duration]) -> Figure {
    let clock = TokioClock::new();
    let now = clock.now();
    let mut queue = Queue::<Item>::new(ScheduleLimits::default().entries(1 << 20), now);
    let count = delays.len();

    let begin = Instant::now();
    for (number, delay) in delays.iter().enumerate() {
        let peer = IpAddr::from(Ipv4Addr::from_bits(number as u32 % 16));
        let entry = Entry { due: now.wall + *delay, bytes: 64, peer: Some(peer), item: [number as u64; 5] };
        black_box(queue.push(entry).is_ok());
    }
    let insert = per_entry(begin, count);

    let mut popped = 0;
    let mut spent = Duration::ZERO;
    for _ in 0..STEPS {
        tokio::time::advance(Duration::from_millis(SPREAD_MS / STEPS)).await;
        let begin = Instant::now();
        let now = clock.now();
        while let Some(entry) = queue.pop_due(now) {
            black_box(entry);
            popped += 1;
        }
        spent += begin.elapsed();
    }
    assert_eq!(popped, count, "every entry was expired");
    Figure { insert, expire: spent.as_secs_f64() * 1e9 / count as f64 }
}

async fn delay_queue_round(delays: &[Duration]) -> Figure {
    let now = tokio::time::Instant::now();
    let mut queue = DelayQueue::<Item>::new();
    let count = delays.len();

    let begin = Instant::now();
    for (number, delay) in delays.iter().enumerate() {
        black_box(queue.insert_at([number as u64; 5], now + *delay));
    }
    let insert = per_entry(begin, count);

    let mut popped = 0;
    let mut spent = Duration::ZERO;
    for _ in 0..=STEPS {
        tokio::time::advance(Duration::from_millis(SPREAD_MS / STEPS)).await;
        let begin = Instant::now();
        tokio::task::unconstrained(poll_fn(|cx| {
            while let Poll::Ready(Some(entry)) = queue.poll_expired(cx) {
                black_box(entry);
                popped += 1;
            }
            Poll::Ready(())
        }))
        .await;
        spent += begin.elapsed();
    }
    assert_eq!(popped, count, "every entry was expired");
    Figure { insert, expire: spent.as_secs_f64() * 1e9 / count as f64 }
}

/// Time moves to the end of the delays in this many steps.
const STEPS: u64 = 100;

/// Runs on a runtime of its own whose time stands still unless it is advanced.
fn paused(round: impl Future<Output = Figure>) -> Figure {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime with time starts").block_on(round)
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
