//! How late a task wakes, and a bundle runs: Tokio's bare `sleep_until` beside a server in each
//! precision, in the same rounds; on an idle machine and with a thread per core that spins.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures::channel::mpsc;
use tokio::sync::Semaphore;
use tokio_osc::schedule::Precision;
use tokio_osc::{Bundle, Meta, Peer, Router, Server, TimeTag};

use super::goals;

const ROUNDS: u64 = 5;
const WAKEUPS: u32 = 200;
const SPIN: Duration = Duration::from_micros(200);

/// Lateness in microseconds, sorted.
struct Lateness(Vec<f64>);

impl Lateness {
    fn at(&self, part: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an index")]
        let index = ((self.0.len() - 1) as f64 * part).round() as usize;
        self.0[index]
    }
}

pub(crate) fn compare() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("lateness in µs          | median |    p99 |    max");
    let idle = runtime.block_on(measure("idle"));
    goals::at_most("wake-up, default / sleep_until", idle[1].at(0.5) / idle[0].at(0.5), 1.1);
    goals::at_most("wake-up, Fine / sleep_until", idle[2].at(0.5) / idle[0].at(0.5), 1.0 / 8.0);
    goals::at_most("wake-up, Spin / sleep_until", idle[3].at(0.5) / idle[0].at(0.5), 1.0 / 30.0);

    let stop = Arc::new(AtomicBool::new(false));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..cores {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || while !stop.load(Ordering::Relaxed) {});
    }
    runtime.block_on(measure("loaded"));
    stop.store(true, Ordering::Relaxed);
}

async fn measure(name: &str) -> [Lateness; 4] {
    let mut all = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let delays = delays(round);
        all[0].extend(bare_sleep(&delays).await);
        for (all, precision) in
            all[1..].iter_mut().zip([Precision::Tokio, Precision::Fine, Precision::Spin(SPIN)])
        {
            all.extend(server(precision, &delays).await);
        }
    }
    let all = all.map(|mut lateness| {
        lateness.sort_by(f64::total_cmp);
        Lateness(lateness)
    });
    for (contender, lateness) in
        ["sleep_until", "server, Tokio", "server, Fine", "server, Spin"].iter().zip(&all)
    {
        let [median, p99, max] = [0.5, 0.99, 1.0].map(|part| lateness.at(part));
        println!("{name:<7}{contender:<16} | {median:>6.0} | {p99:>6.0} | {max:>6.0}");
    }
    all
}

/// One to three milliseconds after each other, and not on whole ones.
fn delays(round: u64) -> Vec<Duration> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut sum = Duration::from_millis(5);
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sum += Duration::from_nanos(1_000_000 + state % 2_000_000);
        sum
    };
    std::iter::repeat_with(next).take(WAKEUPS as usize).collect()
}

async fn bare_sleep(delays: &[Duration]) -> Vec<f64> {
    let begin = Instant::now();
    let mut lateness = Vec::new();
    for delay in delays {
        let due = begin + *delay;
        tokio::time::sleep_until(due.into()).await;
        lateness.push(due.elapsed().as_secs_f64() * 1e6);
    }
    lateness
}

async fn server(precision: Precision, delays: &[Duration]) -> Vec<f64> {
    let lateness = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::new(Semaphore::new(0));
    let router = {
        let (lateness, done) = (Arc::clone(&lateness), Arc::clone(&done));
        Router::new().route("/n", move |tag: TimeTag| {
            let now = SystemTime::now();
            let late = now.duration_since(tag.near(now)).unwrap_or_default();
            lateness.lock().unwrap().push(late.as_secs_f64() * 1e6);
            done.add_permits(1);
        })
    };
    let (sender, packets) = mpsc::unbounded();
    let server = Server::new(router).feed("bench", packets).precision(precision).spawn();
    let begin = SystemTime::now();
    for delay in delays {
        let bundle = Bundle::at(TimeTag::at(begin + *delay)).with(("/n", ())).build().unwrap();
        sender.unbounded_send((Ok(bundle.into()), Meta::from_peer(Peer::LOCAL))).unwrap();
    }
    done.acquire_many(WAKEUPS).await.unwrap().forget();
    server.shutdown().await;
    std::mem::take(&mut lateness.lock().unwrap())
}
