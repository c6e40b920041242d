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
#[path = "../src/schedule/order.rs"]
mod order;
#[path = "../src/schedule/queue.rs"]
mod queue;
#[path = "../src/schedule/slots.rs"]
mod slots;
mod types {
    pub(crate) use tokio_osc::TimeTag;
}

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use clock::{Clock, TokioClock};
use entry::Entry;
use limits::ScheduleLimits;
use queue::Queue;

const ROUNDS: usize = 15;
/// The delays lie within this span, as a sequencer's lookahead does.
const SPREAD: Duration = Duration::from_secs(10);
/// Time moves to the end of the span in this many steps; what is due is expired after each.
const STEPS: u32 = 100;
/// As large as the handle of a packet.
type Item = [u64; 5];

/// Nanoseconds per entry.
#[derive(Clone, Copy)]
struct Figure {
    insert: f64,
    expire: f64,
}

/// Time stands still unless it is advanced, and a task may poll as often as it likes.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    tokio::task::unconstrained(compare()).await;
}

async fn compare() {
    println!("{:>8} {:>32} {:>24}", "entries", "insert ns: ours, other", "expire ns: ours, other");
    let mut goals = Vec::new();
    for entries in [1_000, 10_000, 100_000] {
        let clock = TokioClock::new();
        let mut queue = Queue::new(ScheduleLimits::default().entries(1 << 20), clock.now());
        let mut other_queue = DelayQueue::new();
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let delays = delays(entries, round as u64);
            ours.push(queue_round(&mut queue, clock, &delays).await);
            others.push(delay_queue_round(&mut other_queue, &delays).await);
        }
        // In the first round the queues grow.
        let (our, other) = (median(&ours[1..]), median(&others[1..]));
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
fn delays(entries: usize, round: u64) -> Vec<Duration> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_nanos(1 + state % SPREAD.as_nanos() as u64)
    };
    std::iter::repeat_with(next).take(entries).collect()
}

async fn queue_round(queue: &mut Queue<Item>, clock: TokioClock, delays: &[Duration]) -> Figure {
    let now = clock.now();
    let begin = Instant::now();
    for (number, delay) in delays.iter().enumerate() {
        let peer = IpAddr::from(Ipv4Addr::from_bits(number as u32 % 16));
        let entry = Entry { due: now.wall + *delay, bytes: 64, peer: Some(peer), item: [number as u64; 5] };
        black_box(queue.push(entry).is_ok());
    }
    let insert = per_entry(begin.elapsed(), delays.len());

    let expire = expire_all(delays.len(), || {
        let now = clock.now();
        std::iter::from_fn(|| black_box(queue.pop_due(now))).count()
    });
    Figure { insert, expire: expire.await }
}

/// Inserts as the other queue is meant to be used, by `insert(item, delay)`, which reads Tokio's
/// clock. Ours is given a reading, which the driver needs anyway to judge the tag.
async fn delay_queue_round(queue: &mut DelayQueue<Item>, delays: &[Duration]) -> Figure {
    let begin = Instant::now();
    for (number, delay) in delays.iter().enumerate() {
        black_box(queue.insert([number as u64; 5], *delay));
    }
    let insert = per_entry(begin.elapsed(), delays.len());

    let cx = &mut Context::from_waker(Waker::noop());
    let expire = expire_all(delays.len(), || {
        let next = || match queue.poll_expired(cx) {
            Poll::Ready(expired) => black_box(expired),
            Poll::Pending => None,
        };
        std::iter::from_fn(next).count()
    });
    Figure { insert, expire: expire.await }
}

/// Moves time on step by step until everything has expired; nanoseconds per entry.
async fn expire_all(entries: usize, mut expire: impl FnMut() -> usize) -> f64 {
    let mut expired = 0;
    let mut spent = Duration::ZERO;
    while expired < entries {
        tokio::time::advance(SPREAD / STEPS).await;
        let begin = Instant::now();
        expired += expire();
        spent += begin.elapsed();
    }
    per_entry(spent, entries)
}

fn per_entry(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e9 / count as f64
}

fn median(rounds: &[Figure]) -> Figure {
    let middle = |pick: fn(&Figure) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figure { insert: middle(|figure| figure.insert), expire: middle(|figure| figure.expire) }
}
