//! Part E of the performance goals: the queue of timed bundles beside `tokio_util::time::DelayQueue`,
//! and, with `--features fine`, how late a server runs a bundle beside a bare `sleep_until`.
//!
//! Every round times both queues on the same delays, one after the other; a figure is the median
//! of the rounds. The goals are ratios, so that the speed of the machine cancels out.
//!
//! Our queue does more per entry than the other: it keeps the order among equals and an account
//! for each of sixteen peers. It is given a reading of the clock, which its driver needs anyway to
//! judge the tag; the other queue's `insert` reads Tokio's clock. Its `insert_at` does not, and is
//! shown beside it.
//!
//! Ours is one binary heap of places and a vector of slots. It took the place of a radix heap whose
//! slots were given out from the front. Both in one run, ns per entry on a machine with other work:
//!
//! | entries | insert: `DelayQueue`, radix heap, binary heap | expire: likewise |
//! | --- | --- | --- |
//! | 1,000 | 39, 64, 45 | 176, 88, 88 |
//! | 10,000 | 113, 69, 46 | 131, 110, 97 |
//! | 100,000 | 160, 75, 46 | 250, 190, 262 |
//!
//! So the plain one inserts in 0.6 to 0.7 of the time, and expires in the same or less up to 10,000.
//! What is short: expiring 10,000 (0.73 of `DelayQueue` on a quiet machine, goal 0.5; the radix heap
//! 0.85) and 100,000 (1.06; the radix heap 0.75), and 1,000 inserted (29 ns against 32, goal 0.8).
//! 100,000 are more than a schedule holds by default, and the loss is 8 ms for all of them together.
//! What bounds the expiry is memory: entries leave in another order than they came, so each takes a
//! cache line or two from anywhere. The radix heap hid a part of that by a look at the slots of a
//! whole bucket at once. Tried as well: four children for each place (no faster), a small heap of the
//! nearest places before an unsorted rest (a tenth to a seventh less, for 45 lines), a B-tree of
//! places (insertion takes three times as long), due times as `SystemTime` (a third more).
//!
//! Of an insertion, the hash of the peer's address with `SipHash` took a third: hence `foldhash`.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "modules of the library, only in part used here"
)]

// The queue is private to the library, and stays so: these are its files, compiled into this
// program. They need nothing else of the crate but two types.
#[path = "../src/schedule/clock.rs"]
mod clock;
#[path = "../src/schedule/due.rs"]
mod due;
#[path = "../src/schedule/entry.rs"]
mod entry;
#[path = "support/goals.rs"]
mod goals;
#[path = "../src/schedule/lateness.rs"]
mod lateness;
#[path = "../src/schedule/ledger.rs"]
mod ledger;
#[path = "../src/schedule/limits.rs"]
mod limits;
#[path = "../src/lock.rs"]
mod lock;
#[path = "../src/types/network.rs"]
mod network;
#[path = "../src/schedule/queue.rs"]
mod queue;
#[path = "../src/schedule/slots.rs"]
mod slots;
#[cfg(feature = "fine")]
#[path = "time/wakeups.rs"]
mod wakeups;
mod types {
    pub(crate) use tokio_osc::TimeTag;

    pub(crate) use super::network::Network;
}

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use clock::{Clock, TokioClock};
use entry::Entry;
use limits::ScheduleLimits;
use queue::Schedule;

const ROUNDS: u64 = 15;
/// The delays lie within this span, as a sequencer's lookahead does.
const SPREAD: Duration = Duration::from_nanos(SPREAD_NANOS);
const SPREAD_NANOS: u64 = 10_000_000_000;
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

fn main() {
    compare_queues();
    #[cfg(feature = "fine")]
    wakeups::compare();
    #[cfg(not(feature = "fine"))]
    println!("lateness: only with --features fine");
}

/// Time stands still unless it is advanced, and a task may poll as often as it likes.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn compare_queues() {
    tokio::task::unconstrained(compare()).await;
}

async fn compare() {
    println!("entries | insert ns: ours, DelayQueue::insert, insert_at | expire ns: ours, DelayQueue");
    for entries in [1_000, 10_000, 100_000] {
        let clock = TokioClock::new();
        let mut queue = Schedule::new(ScheduleLimits::default().entries(1 << 20), clock.now());
        let (mut by_delay, mut by_instant) = (DelayQueue::new(), DelayQueue::new());
        let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            let delays = delays(entries, round);
            let figures = [
                queue_round(&mut queue, clock, &delays).await,
                delay_queue_round(&mut by_delay, &delays, |queue, item, delay, _| queue.insert(item, delay))
                    .await,
                delay_queue_round(&mut by_instant, &delays, |queue, item, delay, now| {
                    queue.insert_at(item, now + delay)
                })
                .await,
            ];
            rounds.iter_mut().zip(figures).for_each(|(rounds, figure)| rounds.push(figure));
        }
        let [our, other, bare] = rounds.map(|rounds| median(&rounds));
        println!(
            "{entries:>7} | {:>16.0} {:>19.0} {:>10.0} | {:>15.0} {:>11.0}",
            our.insert, other.insert, bare.insert, our.expire, other.expire
        );
        goals::at_most(&format!("queue insert / DelayQueue, {entries}"), our.insert / other.insert, 0.8);
        goals::at_most(&format!("queue expire / DelayQueue, {entries}"), our.expire / other.expire, 0.5);
    }
}

/// Delays in nanoseconds, spread evenly and not on whole milliseconds.
fn delays(entries: usize, round: u64) -> Vec<Duration> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_nanos(1 + state % SPREAD_NANOS)
    };
    std::iter::repeat_with(next).take(entries).collect()
}

async fn queue_round(queue: &mut Schedule<Item>, clock: TokioClock, delays: &[Duration]) -> Figure {
    let now = clock.now();
    let begin = Instant::now();
    for (number, delay) in (0..).zip(delays) {
        let peer = IpAddr::from(Ipv4Addr::from_bits(number % 16));
        let item = [u64::from(number); 5];
        let entry = Entry { due: now.wall + *delay, bytes: 64, peer: Some(peer), item };
        black_box(queue.push(entry).is_ok());
    }
    let insert = per_entry(begin.elapsed(), delays.len());

    let expire = expire_all(delays.len(), || {
        let now = clock.now();
        std::iter::from_fn(|| black_box(queue.pop_due(now))).count()
    });
    Figure { insert, expire: expire.await }
}

async fn delay_queue_round<K>(
    queue: &mut DelayQueue<Item>,
    delays: &[Duration],
    insert: impl Fn(&mut DelayQueue<Item>, Item, Duration, tokio::time::Instant) -> K,
) -> Figure {
    let now = tokio::time::Instant::now();
    let begin = Instant::now();
    for (number, delay) in (0..).zip(delays) {
        black_box(insert(queue, [number; 5], *delay, now));
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

#[expect(clippy::cast_precision_loss, reason = "a hundred thousand is exact")]
fn per_entry(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e9 / count as f64
}

/// Without the first round, in which the queues grow.
fn median(rounds: &[Figure]) -> Figure {
    let middle = |pick: fn(&Figure) -> f64| {
        let mut values: Vec<f64> = rounds.iter().skip(1).map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figure { insert: middle(|figure| figure.insert), expire: middle(|figure| figure.expire) }
}
